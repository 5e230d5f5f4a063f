"""Addresses, the largest packet, mailcow's subnet: every verdict, from facts of a few lines."""

import json

import pytest
from fake_host import FakeHost
from judged import look

from mailcow_wizard.checks import network
from mailcow_wizard.checks.network_addresses import judge_addresses
from mailcow_wizard.checks.network_places import judge_mtu, judge_subnet
from mailcow_wizard.facts.addresses import Addresses
from mailcow_wizard.facts.network.egress import Egress
from mailcow_wizard.facts.network.mtu import Mtu, PathMtu
from mailcow_wizard.facts.network.routes import Address6, defaults_v6, own_v4, own_v6, routes
from mailcow_wizard.facts.network.subnet import subnet
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import Denied, HostError, Missing
from mailcow_wizard.host.recording.scrub import scrub
from mailcow_wizard.host.replies import HttpReply
from mailcow_wizard.model import Settings

PUBLIC, OTHER, V6 = "192.88.99.10", "192.88.99.11", "2d00:113::10"
NO_V6 = Addresses(6, (), "", "none", "no route")
LASTING = Address6(V6, "eth0", False, False, False)


def v4(own: str = PUBLIC, *public: str, trouble: str = "") -> Addresses:
    return Addresses(
        4, public or ((own,) if own == PUBLIC else ()), own, "route" if not public else "outside", trouble
    )


ADDRESSES = [
    (
        Egress(v4(), NO_V6, (PUBLIC,), (), ()),
        "pass",
        f"packets leave with {PUBLIC}, public and this machine's own",
    ),
    (Egress(v4(""), NO_V6, (), (), ()), "fail", "no way out over IPv4"),
    (Egress(v4("", PUBLIC)._replace(origin="option"), NO_V6, (), (), ()), "fail", "no way out over IPv4"),
    (
        Egress(v4("10.1.2.3", PUBLIC), NO_V6, ("10.1.2.3",), (), ()),
        "warn",
        "behind NAT: the world sees 192.88.99.10",
    ),
    (
        Egress(v4("10.1.2.3", trouble="silent"), NO_V6, ("10.1.2.3",), (), ()),
        "unknown",
        "could not be found out",
    ),
    (
        Egress(v4()._replace(public=(), origin="option"), NO_V6, (PUBLIC,), (), ()),
        "unknown",
        f"none of IPv4; packets leave with {PUBLIC}",
    ),
    (Egress(v4("100.64.7.7", PUBLIC), NO_V6, ("100.64.7.7",), (), ()), "fail", "CGNAT"),
    # Who names the public address knows of what is before this machine.
    (
        Egress(v4("100.64.7.7", PUBLIC)._replace(origin="option"), NO_V6, ("100.64.7.7",), (), ()),
        "warn",
        "behind NAT",
    ),
    (
        Egress(
            v4(),
            Addresses(6, (V6,), V6, "route"),
            (PUBLIC, V6),
            (LASTING._replace(temporary=True),),
            ((6, "SNAT6_TO_SOURCE", V6),),
        ),
        "pass",
        f"makes it {V6}",
    ),
    (Egress(v4(), NO_V6, (PUBLIC, OTHER, "172.17.0.1"), (), ()), "pass", f"this machine has {OTHER} too"),
    (Egress(v4(), NO_V6, (PUBLIC, OTHER), (), ((4, "SNAT_TO_SOURCE", OTHER),)), "pass", f"makes it {OTHER}"),
    (Egress(v4(), NO_V6, (PUBLIC,), (), ((4, "SNAT_TO_SOURCE", OTHER),)), "fail", "no mail would leave"),
    # Named by hand, and on this machine: nobody translates.
    (
        Egress(v4(PUBLIC, OTHER)._replace(origin="option"), NO_V6, (PUBLIC, OTHER), (), ()),
        "warn",
        f"{OTHER} was named as public and is this machine's own, but mail leaves with {PUBLIC}",
    ),
    (
        Egress(
            v4(PUBLIC, OTHER)._replace(origin="option"),
            NO_V6,
            (PUBLIC, OTHER),
            (),
            ((4, "SNAT_TO_SOURCE", OTHER),),
        ),
        "pass",
        f"makes it {OTHER}",
    ),
    (Egress(v4(), NO_V6, (PUBLIC,), (), ((4, "SNAT_TO_SOURCE", "x"),)), "fail", "is no address"),
    # Where the list of addresses cannot be read, only the one that leaves is known.
    (Egress(v4(), NO_V6, None, (LASTING,), ((4, "SNAT_TO_SOURCE", PUBLIC),)), "pass", f"makes it {PUBLIC}"),
    (Egress(v4(), NO_V6, None, (LASTING,), ((4, "SNAT_TO_SOURCE", OTHER),)), "unknown", "could not be read"),
    (Egress(v4(), NO_V6, None, (), ((4, "SNAT_TO_SOURCE", OTHER),)), "unknown", "could not be read"),
    (Egress(v4(), NO_V6, (PUBLIC,), (), ((6, "SNAT6_TO_SOURCE", V6),)), "fail", "no mail would leave"),
    (
        Egress(v4(), NO_V6, (PUBLIC,), (LASTING,), ((4, "SNAT_TO_SOURCE", V6),)),
        "fail",
        "not an address of IPv4",
    ),
    (
        Egress(v4(), Addresses(6, (V6,), V6, "route"), (PUBLIC,), (LASTING._replace(temporary=True),), ()),
        "warn",
        "a privacy address",
    ),
    (
        Egress(v4(), Addresses(6, (V6,), V6, "route"), (PUBLIC,), (LASTING,), ()),
        "pass",
        f"packets leave with {PUBLIC} and {V6}, public",
    ),
]


@pytest.mark.parametrize(("facts", "status", "words"), ADDRESSES)
def test_addresses(facts: Egress, status: str, words: str) -> None:
    judged = judge_addresses(facts)
    assert judged.status == status
    assert words in judged.summary


MTUS = [
    ((PathMtu(4, 1500), PathMtu(6, 1500)), 0, "pass", "1500 bytes pass"),
    ((PathMtu(4, 1500), PathMtu(6, trouble="no ping")), 0, "unknown", "over IPv6 could not be found out: no"),
    ((PathMtu(4, trouble="no ping"), PathMtu(6, 1500)), 0, "unknown", "over IPv4 could not be found out: no"),
    ((PathMtu(4, trouble="no ping"), PathMtu(6, 1400)), 1400, "unknown", "over IPv4 could not be found out"),
    ((PathMtu(4, trouble="no ping"), PathMtu(6, 1400)), 0, "warn", "at most 1400 bytes pass over IPv6"),
    ((PathMtu(4, trouble="no ping"),), 0, "unknown", "no ping"),
    (
        (PathMtu(4, 1500), PathMtu(6, 1280)),
        0,
        "warn",
        "at most 1280 bytes pass over IPv6 (and nobody reports it",
    ),
    ((PathMtu(4, 1400, told=True, by="10.0.0.1"),), 0, "warn", "10.0.0.1 reports it"),
    ((PathMtu(4, 1450, told=True, here=True),), 1400, "pass", "set to 1400"),
    ((PathMtu(4, 1450),), 1480, "warn", "set to 1480"),
]


def test_where_nobody_reports_it_this_machine_hangs_too() -> None:
    silent = judge_mtu(Mtu((PathMtu(4, 1400),), "/opt/x/o.yml", 0))
    assert silent.remedies[1].startswith("This machine's own downloads hang as well")
    assert "mtu 1400" in silent.remedies[1]
    for path in (PathMtu(4, 1400, told=True, by="10.0.0.1"), PathMtu(4, 1400, told=True, here=True)):
        assert len(judge_mtu(Mtu((path,), "/opt/x/o.yml", 0)).remedies) == 1


def test_a_network_that_was_made_before_it_was_told() -> None:
    facts = Mtu((PathMtu(4, 1400),), "/opt/x/docker-compose.override.yml", 1400, 1500)
    judged = judge_mtu(facts)
    assert judged.status == "warn"
    assert "is to have 1400 and still has 1500" in judged.summary
    assert judge_mtu(facts._replace(made=1400)).status == "pass"
    # Docker's own default, or mailcow's compose file, may say it too.
    assert judge_mtu(facts._replace(set=0, made=1400)).status == "pass"
    assert judge_mtu(facts._replace(set=0, made=1500)).status == "warn"
    # Where Docker does not tell it may still be the old one.
    judged = judge_mtu(facts._replace(made=None))
    assert judged.status == "unknown"
    assert "what it has, Docker does not tell" in judged.summary


def test_ipv6_that_mailcow_does_without_needs_no_measure() -> None:
    facts = Mtu((PathMtu(4, 1500), PathMtu(6, trouble="no ping")), "/opt/x/o.yml", 0, uses_v6=False)
    assert judge_mtu(facts).status == "pass"
    v4_unknown = facts._replace(paths=(PathMtu(4, trouble="no ping"), PathMtu(6, 1500)))
    assert judge_mtu(v4_unknown).status == "unknown"


@pytest.mark.parametrize(("paths", "told", "status", "words"), MTUS)
def test_mtu(paths: tuple[PathMtu, ...], told: int, status: str, words: str) -> None:
    judged = judge_mtu(Mtu(paths, "/opt/x/docker-compose.override.yml", told))
    assert judged.status == status
    assert words in judged.summary
    if status == "warn":
        assert "com.docker.network.driver.mtu" in judged.remedies[0]


# --- the network of the containers ---

HEAD = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
TRIE = """Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     |-- 127.0.0.1
        /32 host LOCAL
     |-- 172.22.1.9
        /32 host LOCAL
Id 52:
  +-- 100.64.0.0/10 3 0 5
     |-- 172.22.0.0
        /16 universe UNICAST
     |-- 10.0.0.0
        /8 universe THROW
"""


TRIE_DAMAGED = "Id 52:\n  |-- 172.16.0.0\n   /99 universe UNICAST\n   /8 universe UNICAST\n"


class Docker(FakeHost):
    """A machine with Docker's API, of which these networks and pools are told."""

    def __init__(
        self, networks: object, info: object, files: dict[str, str | HostError], status: int = 200
    ) -> None:
        super().__init__(files={"/proc/net/route": HEAD, "/proc/net/fib_trie": "", **files})
        self.said = {"/networks": networks, "/info": info}
        self.status = status

    def http(self, socket_path: str, target: str, timeout: float = 3.0) -> HttpReply:
        said = self.said.get(target, self.said["/networks"])
        if isinstance(said, HostError):
            raise said
        return HttpReply(self.status, json.dumps(said).encode())


def networks(**subnets: str) -> list[dict[str, object]]:
    return [
        {"Name": name.replace("__", "-"), "IPAM": {"Config": [{"Subnet": one, "Gateway": "x"}]}}
        for name, one in subnets.items()
    ]


CONF = {"/opt/mailcow-dockerized/mailcow.conf": "IPV4_NETWORK=10.7.8\n"}
ODD = {"/opt/mailcow-dockerized/mailcow.conf": "IPV4_NETWORK=10.7.8.0/24\n"}
VPN = {"/proc/net/route": HEAD + "tun0\t000016AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n"}
BLACKHOLES = {
    "/proc/net/route": HEAD
    + "*\t000010AC\t00000000\t0001\t0\t0\t0\t0000F0FF\t0\t0\t0\n"
    + "*\t000016AC\t00000000\t0201\t0\t0\t0\t0000FFFF\t0\t0\t0\n"
}
PROHIBITED = {"/proc/net/route": HEAD + "*\t000116AC\t00000000\t0201\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"}
BRIDGE = {"/proc/net/route": HEAD + "br-0123\t000116AC\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"}
OWN = {"/proc/net/route": HEAD + "br-mailcow\t000116AC\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"}
SUBNETS = [
    ("free", Docker([], {}, {}), "pass", "172.22.1.0/24 is free; until mailcow runs"),
    (
        "pools elsewhere",
        Docker([], {"DefaultAddressPools": [{"Base": "10.200.0.0/16"}]}, {}),
        "pass",
        "is free",
    ),
    ("no Docker", Docker(Missing("x"), {}, {}), "pass", "172.22.1.0/24 is free"),
    (
        "another project",
        Docker(networks(shop_default="172.22.0.0/16"), {}, {}),
        "fail",
        "the Docker network shop",
    ),
    ("its own", Docker(networks(mailcowdockerized_mailcow__network="172.22.1.0/24"), {}, OWN), "pass", "own"),
    (
        "another mailcow",
        Docker(networks(b_mailcow__network="172.22.1.0/24"), {}, {}),
        "fail",
        "b_mailcow-network",
    ),
    ("set", Docker(networks(x="172.22.1.0/24"), {}, CONF), "pass", "10.7.8.0/24 is free"),
    ("set wrong", Docker([], {}, ODD), "fail", "not the first three numbers"),
    ("a VPN around it", Docker([], {}, VPN), "warn", "lies within 172.22.0.0/16, a route over tun0 (a VPN)"),
    ("nobody's around it", Docker([], {}, BLACKHOLES), "pass", "172.22.1.0/24 is free"),
    ("nobody's in its place", Docker([], {}, PROHIBITED), "fail", "a route that leads nowhere (blackhole"),
    ("a bridge, nobody to ask", Docker(Denied("no"), {}, BRIDGE), "fail", "a route over br-0123"),
    ("nobody to ask", Docker(Denied("no"), {}, {}), "unknown", "could not be read"),
    (
        "other tables cannot be read",
        Docker([], {}, {"/proc/net/fib_trie": Denied("no")}),
        "unknown",
        "the other tables could not be read: no",
    ),
    ("an answer that is none", Docker({}, {}, {}), "unknown", "is not readable"),
    ("networks of another shape", Docker([{"IPAM": {"Config": 5}}], {}, {}), "unknown", "is not readable"),
    (
        "a network without any",
        Docker([{"Name": "host", "IPAM": {"Config": None}}], {}, {}),
        "pass",
        "is free",
    ),
    (
        "an address in a network's place",
        Docker(networks(old="172.22.1.1/24"), {}, {}),
        "fail",
        "the Docker network old",
    ),
    ("pools of another shape", Docker([], {"DefaultAddressPools": 5}, {}), "pass", "is free"),
    ("a damaged table", Docker([], {}, {"/proc/net/fib_trie": TRIE_DAMAGED}), "pass", "is free"),
    ("an address, and another table", Docker([], {}, {"/proc/net/fib_trie": TRIE}), "fail", "172.22.1.9"),
]


@pytest.mark.parametrize(
    ("host", "status", "words"), [one[1:] for one in SUBNETS], ids=[one[0] for one in SUBNETS]
)
def test_subnet(host: Docker, status: str, words: str) -> None:
    facts = Facts(host, Settings())
    judged = judge_subnet(facts.get(subnet))
    assert judged.status == status
    assert words in judged.summary
    if status in ("fail", "warn"):
        assert "IPV4_NETWORK=" in judged.remedies[0]
        free = judged.remedies[0].partition("IPV4_NETWORK=")[2].split()[0]
        assert not free.startswith("172.22.1 ")
        assert "nothing else" not in judged.found


def test_recordings_keep_networks_and_pools() -> None:
    listed = [{**networks(a="172.22.1.0/24")[0], "Labels": {"secret": "x"}, "Containers": {"c": 1}}]
    kept = json.loads(scrub("http", ("s", "/networks"), HttpReply(200, json.dumps(listed).encode())).body)
    assert kept[0]["Name"] == "a"
    assert kept[0]["IPAM"]["Config"] == [{"Subnet": "172.22.1.0/24", "Gateway": "x"}]
    assert "secret" not in str(kept)
    info = {"ServerVersion": "28.0", "DefaultAddressPools": [{"Base": "10.0.0.0/8", "Size": 24}], "Name": "x"}
    kept = json.loads(scrub("http", ("s", "/info"), HttpReply(200, json.dumps(info).encode())).body)
    assert kept == {"ServerVersion": "28.0", "DefaultAddressPools": [{"Base": "10.0.0.0/8", "Size": 24}]}


@pytest.mark.parametrize(
    "text", ["", "\n", "x y z\n", "x\n" * 3, "\0\x1b[31m\n", "Main:\n|-- 1.2.3.4\n", "zz " * 999]
)
def test_nonsense_of_the_kernel_is_nothing(text: str) -> None:
    names = ("route", "fib_trie", "if_inet6", "ipv6_route")
    facts = Facts(FakeHost(files={f"/proc/net/{name}": text for name in names}))
    assert facts.get(routes) == facts.get(own_v4) == facts.get(own_v6) == facts.get(defaults_v6) == ()


@pytest.mark.parametrize(
    ("leaf", "own"), [("86.17.0.1", ("86.17.0.1",)), ("086.17.0.1", ()), ("86.17.0.256", ())]
)
def test_what_is_no_address_is_left_out(leaf: str, own: tuple[str, ...]) -> None:
    listed = f"Local:\n     |-- {leaf}\n        /32 host LOCAL\n"
    assert Facts(FakeHost(files={"/proc/net/fib_trie": listed})).get(own_v4) == own


def test_the_ids_are_the_contracts_and_offline_only_what_asks_nobody_runs() -> None:
    names = "addresses outbound-25 outbound-hosts recursion icmp ipv6 accept-ra mtu subnet hairpin"
    assert [one.id for one in network.CHECKS] == [f"network.{one}" for one in names.split()]
    quiet = {one.id for one in network.CHECKS if not one.network}
    assert quiet == {"network.addresses", "network.accept-ra", "network.subnet"}


def test_what_cannot_be_read_is_said() -> None:
    check = next(one for one in network.CHECKS if one.id == "network.subnet")
    assert look(check, Facts(FakeHost())).status == "unknown"
