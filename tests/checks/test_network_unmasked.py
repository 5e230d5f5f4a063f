"""What mailcow's containers send, where no rule gives it this machine's address: nothing comes back to it."""

import pytest

from mailcow_wizard import requirements_network as need
from mailcow_wizard.checks.network_names import judge_echoes
from mailcow_wizard.facts import docker_json
from mailcow_wizard.facts.firewall import iptables
from mailcow_wizard.facts.firewall.foreseen import Foreseen
from mailcow_wizard.facts.firewall.forwarding import Switch
from mailcow_wizard.facts.firewall.inward import Inward, net_of
from mailcow_wizard.facts.firewall.leaving import Leaving, Met
from mailcow_wizard.facts.firewall.reading import Filters
from mailcow_wizard.facts.firewall.tools import Tools
from mailcow_wizard.facts.mailcow_conf import MailcowConf
from mailcow_wizard.facts.network.echoes import Echoes
from mailcow_wizard.facts.network.outward import Try
from mailcow_wizard.host.replies import Probe, Probed
from mailcow_wizard.model import Judgement

PUBLIC, PRIVATE, SHARED = "198.51.99.7", "10.20.30.10", "100.64.3.4"
MASQUERADE = "-A POSTROUTING -s 172.22.1.0/24 ! -o br-mailcow -j MASQUERADE"
SAVED = """*nat
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
{nat}
COMMIT
*filter
:FORWARD ACCEPT [0:0]
:DOCKER - [0:0]
-A FORWARD -o br-mailcow -j DOCKER
-A DOCKER -d 172.22.1.253/32 -p tcp -m tcp --dport 25 -j ACCEPT
COMMIT
"""
DOCKER = docker_json.Rules(iptables=True, ip6tables=True, proxy=True, address="0.0.0.0")


def found(
    nat: str = "",
    own: str = PUBLIC,
    network: bool = True,
    runs: bool = True,
    docker: docker_json.Rules | None = DOCKER,
    prefix: str = "172.22.1",
    off: Switch | None = None,
) -> Judgement:
    """What is said of pings that this machine itself sends with success."""
    rules = iptables.rules(SAVED.format(nat=nat), "iptables-nft", 4, {})
    nets = (net_of("172.22.1.0/24", "br-mailcow"),) if network else ()
    ways = Inward(((4, "eth0", own),), frozenset({own, "172.22.1.1", "127.0.0.1"}), nets)
    later = Foreseen(Filters(rules, "iptables-nft"), ways, docker, prefix, False, False, runs)
    leaving = Leaving(later, Tools(None, False, (), (), (), "iptables-nft"), 0, {4: off} if off else {})
    probes = [Probe("ping", one) for one in need.HEALTHCHECK_PINGS]
    tries = [Try(one, Probed("open", 0.01), leaving.own(one), leaving.container(one)) for one in probes]
    return judge_echoes((Echoes(4, True, tuple(tries)),))[0]


V6 = "fd4d:6169:6c63:6f77::/64"
SAVED_V6 = SAVED.replace("172.22.1.253/32", "fd4d:6169:6c63:6f77::fd/128")


def met_v6(
    nat: str = "",
    own: str = "2a01:4f8::7",
    network: str = V6,
    there: bool = True,
    docker: docker_json.Rules = DOCKER,
    enabled: bool = True,
) -> Met | None:
    """What becomes of mail that a container sends over IPv6."""
    rules = iptables.rules(SAVED_V6.format(nat=nat), "iptables-nft", 6, {})
    nets = (net_of("172.22.1.0/24", "br-mailcow"), *((net_of(network, "br-mailcow"),) if there else ()))
    ways = Inward(((4, "eth0", PUBLIC), (6, "eth0", own)), frozenset({own, PUBLIC}), nets)
    known = Filters(rules, "iptables-nft")
    later = Foreseen(known, ways, docker, "172.22.1", enabled, False, True, network)
    leaving = Leaving(later, Tools(None, False, (), (), (), "iptables-nft"), 0)
    return leaving.container(Probe("tcp", "2606:4700:4700::1111", 25))


def test_the_rule_is_missing() -> None:
    said = found()
    assert (said.status, said.certainty, said.stops) == ("fail", "inferred", "here")
    assert "send there leaves with their own address (172.22.1.253), to which nothing comes" in said.summary
    assert "systemctl restart docker" in said.remedies[0]
    shown = [one for one in said.evidence if one.what == "iptables -t nat -S POSTROUTING"]
    assert [one.value for one in shown] == ["no rule that masquerades 172.22.1.0/24"]


def test_the_kernel_passes_nothing_on() -> None:
    said = found(MASQUERADE, off=Switch(4, "net.ipv4.ip_forward"))
    assert (said.status, said.certainty, said.stops) == ("fail", "inferred", "here")
    assert "is not passed on by the kernel (net.ipv4.ip_forward = 0)" in said.summary
    assert said.remedies[0].startswith(
        "See it: sysctl net.ipv4.ip_forward. Restart Docker: it switches that on"
    )
    shown = [one for one in said.evidence if one.what == "sysctl net.ipv4.ip_forward"]
    assert [one.value for one in shown] == ["net.ipv4.ip_forward = 0"]


def test_what_docker_does_not_switch_on_is_not_left_to_it() -> None:
    """It turns on what counts for all, and finds it on."""
    said = found(MASQUERADE, off=Switch(4, "net.ipv4.conf.eth0.forwarding", "eth0"))
    assert "Switch it on: sysctl -w net.ipv4.conf.eth0.forwarding=1." in said.remedies[0]
    assert "Docker" not in said.remedies[0]


@pytest.mark.parametrize(
    "value", ["172.22.1.0", "172.22.1.0/24", "172.22.1.", "172.22", "a.b.c", "1722.22.1"]
)
def test_an_impossible_network_in_mailcow_conf_makes_no_rule_a_riddle(value: str) -> None:
    """That value has a finding of its own; what containers send is judged by what it is to be."""
    conf = MailcowConf("/opt/mailcow-dockerized/mailcow.conf", True, {"IPV4_NETWORK": value})
    assert conf.network == "172.22.1"
    assert found(MASQUERADE, prefix=conf.network).status == "pass"


@pytest.mark.parametrize("value", ["10.5.6", "10.5.6.0", "10.5.6.0/24"])
def test_the_numbers_that_a_network_begins_with_are_taken(value: str) -> None:
    assert MailcowConf("", True, {"IPV4_NETWORK": value}).network == "10.5.6"


@pytest.mark.parametrize("own", [PRIVATE, SHARED])
def test_behind_a_router_that_may_translate_for_containers_too(own: str) -> None:
    said = found(own=own)
    assert (said.status, said.certainty) == ("unknown", "untested")
    assert "whether answers come back is not known" in said.summary


@pytest.mark.parametrize(
    ("nat", "more"),
    [
        (MASQUERADE, {}),
        ("-A POSTROUTING -o eth0 -j MASQUERADE", {}),
        (f"-A POSTROUTING -s 172.22.1.0/24 -j SNAT --to-source {PUBLIC}", {}),
        ("", {"network": False}),
        ("", {"runs": False}),
        ("", {"docker": None}),
        ("", {"docker": DOCKER._replace(iptables=False)}),
        ("", {"prefix": "45.33.32"}),
    ],
    ids=[
        *("masqueraded", "all are", "translated", "no network yet", "Docker does not run", "no Docker"),
        *("told to make no rules", "public addresses of containers"),
    ],
)
def test_right_or_nothing_that_is_wrong_yet(nat: str, more: dict[str, object]) -> None:
    said = found(nat, **more)  # type: ignore[arg-type]
    assert said.status == "pass", said.summary


@pytest.mark.parametrize(
    "nat",
    [
        "-A POSTROUTING -s 172.23.0.0/16 ! -o br-other -j MASQUERADE",
        "-A POSTROUTING -s 172.22.1.0/24 -o br-mailcow -j MASQUERADE",
        "-A POSTROUTING -s 172.22.1.0/24 -p tcp -j MASQUERADE",
    ],
    ids=["of another network", "the other way", "not of echo requests"],
)
def test_a_rule_for_something_else(nat: str) -> None:
    assert found(nat).status == "fail"


def test_a_rule_that_is_not_understood() -> None:
    said = found('-A POSTROUTING -m u32 --u32 "0>>22" -j MASQUERADE')
    assert said.status == "unknown"
    assert "not understood" in said.summary


MASQUERADE_V6 = f"-A POSTROUTING -s {V6} ! -o br-mailcow -j MASQUERADE"


@pytest.mark.parametrize(("network", "box"), [(V6, "fd4d:6169:6c63:6f77::fd"), ("fd00:1::/48", "fd00:1::fd")])
@pytest.mark.parametrize(("own", "outcome"), [("2a01:4f8::7", "unanswered"), ("fd00:99::5", "unknown")])
def test_the_rule_of_ipv6_is_missing(network: str, box: str, own: str, outcome: str) -> None:
    shown = f"no rule that masquerades {network}", "ip6tables -t nat -S POSTROUTING"
    assert met_v6(network=network, own=own) == Met(outcome, *shown, unmasked=box)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("nat", "more"),
    [
        (MASQUERADE_V6, {}),
        (f"-A POSTROUTING -s {V6} -j SNAT --to-source 2a01:4f8::7", {}),
        ("", {"there": False}),
        ("", {"network": "2a01:4f8:0:1::/64"}),
    ],
    ids=["masqueraded", "translated", "no network yet", "routed here"],
)
def test_over_ipv6_right_or_nothing_that_is_wrong_yet(nat: str, more: dict[str, object]) -> None:
    met = met_v6(nat, **more)  # type: ignore[arg-type]
    assert met
    assert (met.outcome, met.unmasked) == ("through", "")


@pytest.mark.parametrize("more", [{"enabled": False}, {"docker": DOCKER._replace(ip6tables=False)}])
def test_containers_without_ipv6_send_nothing_over_it(more: dict[str, object]) -> None:
    assert met_v6(**more) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("address", "way"),
    [
        ("fd4d:6169:6c63:6f77::1", "br-mailcow"),
        ("fd4d:6169:6c63:6f78::1", "?"),
        ("fe80::1%eth0", "?"),
        ("no:address", "?"),
        ("172.22.1.9", "br-mailcow"),
        ("172.22.10.9", "?"),
        ("", "?"),
    ],
)
def test_what_is_no_address_of_theirs_leads_to_no_container(address: str, way: str) -> None:
    later = Foreseen(
        Filters(iptables.rules("", "iptables-nft", 6, {}), ""),
        Inward((), frozenset(), ()),
        None,
        "172.22.1",
        True,
        False,
    )
    assert later.way(address) == way
