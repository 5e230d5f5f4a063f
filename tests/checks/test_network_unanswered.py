"""What is asked of the world and gets no answer: nothing is concluded from that."""

import json

import pytest
from dns_world import NAME, OURS, OURS_V6, RESOLVER, World
from fake_host import FakeHost

from mailcow_wizard import requirements_network as need
from mailcow_wizard.checks.network_hosts import CHECKS as HOSTS
from mailcow_wizard.checks.network_hosts import judge_hosts
from mailcow_wizard.checks.network_ipv6 import CHECKS as IPV6
from mailcow_wizard.engine.runner import look
from mailcow_wizard.facts.network.egress import egress
from mailcow_wizard.facts.network.mtu import mtu
from mailcow_wizard.facts.network.names import Looked, look_up, nobody_looks_up, pinned
from mailcow_wizard.facts.network.outward import Outward, Reached, Try
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import Denied, HostError, Missing, NoAnswer
from mailcow_wizard.host.replies import DnsQuestion, DnsReply, HttpReply, Probe, Probed
from mailcow_wizard.model import Settings

SETTINGS = Settings(hostname=NAME, resolver=RESOLVER)
NETWORK = {"Name": "mailcowdockerized_mailcow-network"}


class Outside(World):
    """A world in which all that is tried is open."""

    def probe(self, probes: tuple[Probe, ...], wait: float) -> tuple[Probed, ...]:
        return tuple(Probed("open", 0.1) for _one in probes)


def test_a_name_has_no_address_only_where_all_were_told() -> None:
    half = {("a.net", "A"): "silence"}
    known = look_up(Facts(World(half), SETTINGS), ("a.net", "b.net"))
    assert known["a.net"].unanswered == (4,)
    assert known["a.net"].trouble == "no resolver answers (no answer within 2 s)"
    assert known["b.net"].unanswered == ()
    assert known["b.net"].trouble == "the name has no address"


def test_hosts_whose_names_nobody_tells_are_unknown() -> None:
    dead = Outside({})
    dead.servers[RESOLVER] = "silence"
    found = look(HOSTS[0], Facts(dead, SETTINGS))
    assert len(found) > 20
    assert {one.status for one in found} == {"unknown"}
    assert {one.certainty for one in found} == {"untested"}
    refusing = Outside({})
    refusing.servers[RESOLVER] = "REFUSED"
    assert "fail" in {one.status for one in look(HOSTS[0], Facts(refusing, SETTINGS))}


@pytest.mark.parametrize(("ours", "other"), [(6, 4), (4, 6)])
def test_a_host_of_the_family_that_this_machine_lacks(ours: int, other: int) -> None:
    """Who has one family looks up its addresses alone: that there are none of it is all that is known."""
    row = next(one for one in need.OUTGOING if one.host == "ghcr.io")
    types = {4: "A", 6: "AAAA"}
    world = World({(row.host, types[other]): OURS if other == 4 else OURS_V6})
    looked = look_up(Facts(world, SETTINGS), (row.host,), (ours,))[row.host]
    (found,) = judge_hosts(Outward((Reached(row, looked, ()),), (ours,)))
    assert (found.status, found.stops) == ("fail", "here")
    assert f"its name has no IPv{ours} address, and this machine has no IPv{other}" in found.summary
    assert f"IPv{other}" in found.remedies[0]


HOSTS_FILE = """127.0.0.1 localhost
192.0.2.7 GitHub.com git # of a mirror
2001:db8::7 github.com
not-an-address ghcr.io
# 192.0.2.8 pool.ntp.org
"""


def test_names_in_etc_hosts_are_not_looked_up() -> None:
    facts = Facts(FakeHost(files={"/etc/hosts": HOSTS_FILE}), SETTINGS)
    found = pinned(facts, ("github.com", "ghcr.io", "pool.ntp.org"))
    assert found == {"github.com": Looked("github.com", ("192.0.2.7",), ("2001:db8::7",), pinned=True)}
    assert pinned(Facts(FakeHost(), SETTINGS), ("github.com",)) == {}


@pytest.mark.parametrize(("outcome", "status"), [("open", "pass"), ("silent", "fail")])
def test_a_host_where_etc_hosts_leads(outcome: str, status: str) -> None:
    row = next(one for one in need.OUTGOING if one.subject == "github.com:443/tcp")
    tried = Try(Probe("tcp", "192.0.2.7", 443), Probed(outcome, 0.1))
    reached = Reached(row, Looked(row.host, ("192.0.2.7",), pinned=True), (tried,))
    (found,) = judge_hosts(Outward((reached,), (4,), resolver="late"))
    assert found.status == status
    said = "/etc/hosts calls github.com 192.0.2.7" in found.summary
    assert (said, "/etc/hosts" in "".join(found.remedies)) == (status == "fail", status == "fail")


class Nameless(World):
    """Nobody listens where /etc/resolv.conf leads to; `said` becomes of what programs look up."""

    def __init__(self, said: "HostError | None", variables: "dict[str, str]", word: str = "refused") -> None:
        super().__init__({})
        self.said, self.word, self.variables = said, word, variables

    def ask_dns(self, questions: tuple[DnsQuestion, ...], timeout: float = 3.0) -> tuple[DnsReply, ...]:
        if questions[0].name == "." and self.word != "silence":  # which a public one answers
            return super().ask_dns(questions, timeout)
        return tuple(DnsReply(RESOLVER, "udp", b"", 0.1, self.word) for _one in questions)

    def fetch(self, *args: object, **more: object) -> HttpReply:
        if self.said:
            raise self.said
        return HttpReply(200, b"")


@pytest.mark.parametrize(
    ("said", "variables", "word", "nobody"),
    [
        (NoAnswer("the address of github.com could not be looked up in time"), {}, "refused", True),
        (
            NoAnswer("the address of github.com could not be looked up in time"),
            {},
            "no answer within 1.2 s",
            False,
        ),
        (
            NoAnswer("the address of github.com could not be looked up in time"),
            {"https_proxy": "http://proxy:3128"},
            "refused",
            False,
        ),
        (NoAnswer("the address of github.com could not be looked up in time"), {}, "silence", True),
        (NoAnswer("github.com did not answer within 0.6 s"), {}, "silence", False),
        (None, {}, "refused", False),  # systemd-resolved is asked another way (nss-resolve)
        (NoAnswer("github.com: no answer in time"), {}, "refused", False),
        (HostError("github.com: connection refused"), {}, "refused", False),
    ],
)
def test_whether_programs_get_any_address(
    said: "HostError | None", variables: "dict[str, str]", word: str, nobody: bool
) -> None:
    assert nobody_looks_up(Facts(Nameless(said, variables, word), SETTINGS)) is nobody


def test_a_host_of_one_family_that_is_only_found_in_the_other() -> None:
    wrong = {("ip4.mailcow.email", "AAAA"): OURS_V6, ("ip6.mailcow.email", "A"): OURS}
    found = {one.subject: one for one in look(HOSTS[0], Facts(Outside(wrong), SETTINGS))}
    assert found["ip4.mailcow.email:80/tcp"].status == "warn"
    assert "the name has no IPv4 address" in found["ip4.mailcow.email:80/tcp"].summary
    assert "the name has no IPv6 address" in found["ip6.mailcow.email:80/tcp"].summary
    silent = {("ip4.mailcow.email", "AAAA"): OURS_V6, ("ip4.mailcow.email", "A"): "silence"}
    found = {one.subject: one for one in look(HOSTS[0], Facts(Outside(silent), SETTINGS))}
    assert found["ip4.mailcow.email:80/tcp"].status == "unknown"


class WithoutIpv6(World):
    """A machine that has none."""

    def source_address(self, destination: str) -> str:
        if ":" in destination:
            raise HostError("no route")
        return OURS


@pytest.mark.parametrize(
    ("said", "status"), [(OURS_V6, "fail"), ("silence", "unknown"), ("SERVFAIL", "unknown"), ((), "pass")]
)
def test_doing_without_ipv6_is_well_where_no_aaaa_is_told(said: "str | tuple[str, ...]", status: str) -> None:
    world = WithoutIpv6({(NAME, "AAAA"): said})
    world.files |= {f"/proc/net/{one}": "" for one in ("if_inet6", "ipv6_route")}
    world.files["/proc/sys/net/ipv6/conf/all/disable_ipv6"] = "0"
    (found,) = look(IPV6[0], Facts(world, SETTINGS))
    assert found.status == status, found
    if status == "unknown":
        assert f"{NAME} has an AAAA record, which must not be then, no resolver tells" in found.summary


@pytest.mark.parametrize(
    ("line", "status"), [("", "pass"), ("ENABLE_IPV6=false", "pass"), ("ENABLE_IPV6=", "fail")]
)
def test_a_setting_with_nothing_behind_it_has_ipv6_on(line: str, status: str) -> None:
    """docker compose takes what its file has for a setting that is empty (`${ENABLE_IPV6:-true}`)."""
    world = WithoutIpv6({(NAME, "AAAA"): ()})
    world.files |= {f"/proc/net/{one}": "" for one in ("if_inet6", "ipv6_route")}
    world.files["/proc/sys/net/ipv6/conf/all/disable_ipv6"] = "0"
    world.files["/opt/mailcow-dockerized/mailcow.conf"] = f"MAILCOW_HOSTNAME={NAME}\n{line}\n"
    (judged,) = look(IPV6[0], Facts(world, SETTINGS))
    assert judged.status == status, judged


@pytest.mark.parametrize(
    ("told", "made"), [(NoAnswer("late"), None), (Missing("no Docker"), 0), ([], 0), ([NETWORK], 1500)]
)
def test_the_packets_of_mailcows_network_as_docker_tells_them(told: object, made: "int | None") -> None:
    class Engine(Outside):
        def http(self, socket_path: str, target: str, timeout: float = 3.0) -> HttpReply:
            if isinstance(told, HostError):
                raise told
            return HttpReply(200, json.dumps(told).encode())

    assert Facts(Engine({}), SETTINGS).get(mtu).made == made


@pytest.mark.parametrize("listed", [Denied("no"), ""])
def test_addresses_that_cannot_be_read_are_not_known(listed: "str | HostError") -> None:
    world = World({})
    world.files["/proc/net/fib_trie"] = listed
    assert Facts(world, SETTINGS).get(egress).all_v4 is None
