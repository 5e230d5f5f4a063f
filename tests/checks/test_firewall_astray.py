"""Rules that send mailcow's ports to somebody else, and those that only look so."""

import json
from typing import Any

import pytest

from mailcow_wizard.checks.firewall_local import judge_local
from mailcow_wizard.facts.firewall.astray import astray
from mailcow_wizard.facts.firewall.connection import fate
from mailcow_wizard.facts.firewall.foreseen import Foreseen
from mailcow_wizard.facts.firewall.inward import Inward
from mailcow_wizard.facts.firewall.nft import rules as read_nft
from mailcow_wizard.facts.firewall.packet import Packet
from mailcow_wizard.facts.firewall.reading import Filters
from mailcow_wizard.facts.firewall.state import state
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.replies import Listeners
from mailcow_wizard.model import Judgement, Settings
from tests.fake_host import FakeHost

OWN = "192.88.99.10"
FILES = {
    "/proc/net/route": "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
    "eth0\t00000000\t016358C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n",
    "/proc/net/fib_trie": "Local:\n"
    + "".join(f"     |-- {one}\n        /32 host LOCAL\n" for one in (OWN, "192.88.99.11")),
    "/proc/sys/net/ipv4/ip_forward": "1\n",
}
JUMP = "-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER"
TO_CONTAINER = "-A DOCKER ! -i br-mailcow -p tcp -m tcp --dport 80 -j DNAT --to-destination 172.22.1.253:80"
REDIRECT = "-A PREROUTING -i eth0 -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 8080"


class Server(FakeHost):
    """Nobody listens, no Docker."""

    def listeners(self, ports: tuple[int, ...]) -> Listeners:
        return Listeners((), "netlink")

    def source_address(self, destination: str) -> str:
        return OWN


def translating(priority: int) -> "list[dict[str, Any]]":
    """nft's own table, which sends port 443 to a virtual machine."""
    dport = {"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 443}}
    chain = {"family": "ip", "table": "mine", "name": "p", "type": "nat", "hook": "prerouting"}
    to = {"dnat": {"addr": "10.10.10.5", "port": 8443}}
    return [
        {"table": {"family": "ip", "name": "mine"}},
        {"chain": {**chain, "prio": priority}},
        {"rule": {"family": "ip", "table": "mine", "chain": "p", "handle": 1, "expr": [dport, to]}},
    ]


def judged(
    *saved: str,
    nft: "list[dict[str, Any]] | None" = None,
    more: "dict[str, str] | None" = None,
    files: "dict[str, str] | None" = None,
) -> Judgement:
    """With these rules of iptables' table nat, what nft lists, and what other commands say."""
    commands = {"iptables --version": "iptables v1.8.11 (nf_tables)", **(more or {})}
    listed: list[dict[str, Any]] = list(nft or [])
    if saved:
        chains = ":PREROUTING ACCEPT [0:0]\n:DOCKER - [0:0]\n"
        commands["iptables-nft-save"] = f"*nat\n{chains}" + "\n".join(saved) + "\nCOMMIT\n"
        listed.append({"table": {"family": "ip", "name": "nat"}})
    commands["nft -s -j list ruleset"] = json.dumps({"nftables": listed})
    return judge_local(state(Facts(Server({**FILES, **(files or {})}, commands))))


@pytest.mark.parametrize(
    ("named", "status"), [("192.88.98.9", "fail"), (OWN, "pass"), ("192.88.97.1", "pass")]
)
def test_the_world_comes_in_by_the_address_that_was_named(named: str, status: str) -> None:
    """As on a server whose default route is another interface's."""
    files = {
        **FILES,
        "/proc/net/route": FILES["/proc/net/route"] + "eth1\t006258C0\t0\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n",
        "/proc/net/fib_trie": f"{FILES['/proc/net/fib_trie']}     |-- 192.88.98.9\n        /32 host LOCAL\n",
    }
    shut = "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -i eth1 -p tcp -m tcp --dport 25 -j DROP\nCOMMIT\n"
    commands = {
        "iptables --version": "iptables v1.8.11 (nf_tables)",
        "iptables-nft-save": shut,
        "nft -s -j list ruleset": json.dumps({"nftables": [{"table": {"family": "ip", "name": "filter"}}]}),
    }
    facts = Facts(Server(files, commands), Settings(addresses=(named,)))
    assert judge_local(state(facts)).status == status


@pytest.mark.parametrize(
    ("rules", "ports", "other", "remedy"),
    [
        (
            (REDIRECT,),
            "port 80 is",
            "port 8080 of this machine",
            "iptables -t nat -D PREROUTING -i eth0 -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 8080",
        ),
        (
            ("-A PREROUTING -p tcp -m multiport --dports 25,80 -j DNAT --to-destination 10.10.10.5",),
            "ports 25 and 80 are",
            "10.10.10.5",
            "-t nat -D PREROUTING -p tcp -m multiport",
        ),
        (
            ("-A PREROUTING -p tcp -m tcp --dport 443 -j DNAT --to-destination 10.10.10.5:8443",),
            "port 443 is",
            "10.10.10.5 port 8443",
            "-D PREROUTING",
        ),
        ((REDIRECT, JUMP), "port 80 is", "port 8080 of this machine", "-D PREROUTING"),
        (
            ("-A PREROUTING -p tcp --dport 25 -j OTHER", "-A OTHER -p tcp -j REDIRECT --to-ports 26"),
            "port 25 is",
            "port 26 of this machine",
            "-D OTHER",
        ),
    ],
)
def test_ports_that_go_to_somebody_else(
    rules: "tuple[str, ...]", ports: str, other: str, remedy: str
) -> None:
    found = judged(*rules)
    assert found.status == "fail"
    assert found.summary.startswith(f"{ports} sent on to {other}, not to mailcow, by ")
    assert remedy in found.remedies[0]
    assert "ack firewall.local" in found.remedies[1]


ROUTES = FILES["/proc/net/route"] + "eth0\t006358C0\t00000000\t0001\t0\t0\t0\t80FFFFFF\t0\t0\t0\n"
BRIDGE = "br-mailcow\t000116AC\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"


@pytest.mark.parametrize(("bridge", "status"), [(BRIDGE, "pass"), ("", "fail")])
def test_a_bridge_that_lost_its_address(bridge: str, status: str) -> None:
    found = judged(JUMP, TO_CONTAINER, files={"/proc/net/route": ROUTES + bridge})
    assert found.status == status, found.summary
    if status == "fail":
        assert "port 80 is sent on to mailcow's container, to which no route leads" in found.summary
        assert "leave again by eth0" in found.summary
        assert "systemctl restart docker" in found.remedies[0]


def test_where_no_route_can_be_read_none_is_missing() -> None:
    assert judged(JUMP, TO_CONTAINER).status == "pass"


@pytest.mark.parametrize(
    "rules",
    [
        (JUMP, REDIRECT),  # Docker's come first
        ("-A PREROUTING -p tcp -m tcp --dport 25 -j DNAT --to-destination 172.22.1.253:25",),
        ("-A PREROUTING -d 192.88.99.11/32 -p tcp -m tcp --dport 25 -j DNAT --to-destination 10.10.10.5",),
        ("-A PREROUTING -p tcp -m tcp --dport 25 -j DNAT --to-destination 192.88.99.11",),
        ("-A PREROUTING -s 10.0.0.0/8 -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 8080",),
        ("-A PREROUTING -p tcp -m tcp --dport 8080 -j REDIRECT --to-ports 80",),
        (JUMP, "-A DOCKER ! -i docker0 -p tcp -m tcp --dport 80 -j DNAT --to-destination 172.17.0.2:80"),
    ],
)
def test_ports_that_mailcow_gets(rules: "tuple[str, ...]") -> None:
    assert judged(*rules).status == "pass"


@pytest.mark.parametrize(
    ("priority", "status"),
    [(-110, "fail"), (-100, "pass"), (-90, "pass")],
)
def test_of_tables_with_one_priority_dockers_is_made_last_and_comes_first(priority: int, status: str) -> None:
    found = judged(nft=translating(priority))
    assert found.status == status
    assert status == "pass" or "nft delete rule ip mine p handle" in found.remedies[0]


def test_a_translation_that_is_not_understood_is_named() -> None:
    found = judged("-A PREROUTING -p tcp --dport 25 -j DNAT --to-destination 10.9.9.9-10.9.9.12")
    assert found.status == "unknown"
    assert "port 25 is let through is not known: what this translation does is not known" in found.summary


def test_where_docker_has_a_chain_already_it_adds_to_that() -> None:
    """Its turn is that of iptables' chain, which here was made before nft's."""
    chain = {"family": "ip", "table": "nat", "name": "PREROUTING", "type": "nat", "hook": "prerouting"}
    older = [{"table": {"family": "ip", "name": "nat"}}, {"chain": {**chain, "prio": -100}}]
    assert judged(JUMP, nft=[*older, *translating(-100)]).status == "fail"
    assert judged(JUMP, nft=[*translating(-100), *older]).status == "pass"


def test_of_two_kinds_of_iptables_nothing_tells_which_translates_first() -> None:
    save = {"iptables-legacy-save": f"*nat\n:PREROUTING ACCEPT [0:0]\n{REDIRECT}\nCOMMIT\n"}
    files = {"/proc/net/ip_tables_names": "nat\n"}
    found = judged("-A PREROUTING -p tcp -m tcp --dport 80 -j DOCKER", TO_CONTAINER, more=save, files=files)
    assert found.status == "unknown"
    assert "port 80 is let through is not known: whether iptables-legacy or nftables has its turn first" in (
        found.summary
    )
    assert "--to-ports 8080” (iptables-legacy, table nat)" in found.summary
    # Of other ports, and to the same end, it does not matter.
    other = REDIRECT.replace("--dport 80", "--dport 8081")
    save = {"iptables-legacy-save": f"*nat\n:PREROUTING ACCEPT [0:0]\n{other}\nCOMMIT\n"}
    assert judged(JUMP, TO_CONTAINER, more=save, files=files).status == "pass"


@pytest.mark.parametrize(
    ("sources", "status", "words"),
    [
        ("-s 45.33.32.0/24", "warn", "from some addresses port 80 is sent on to port 8080 of this machine"),
        ("! -s 45.33.32.0/24", "fail", "port 80 is sent on to port 8080 of this machine"),
    ],
)
def test_where_it_goes_is_what_most_meet(sources: str, status: str, words: str) -> None:
    found = judged(f"-A PREROUTING {sources} -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 8080")
    assert found.status == status
    assert found.summary.startswith(words)


@pytest.mark.parametrize(
    ("rule", "chain", "other"),
    [
        (REDIRECT, "INPUT", "port 8080 of this machine"),
        (
            "-A PREROUTING -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.10.10.5",
            "FORWARD",
            "10.10.10.5",
        ),
    ],
)
def test_what_stops_it_elsewhere_is_not_what_helps(rule: str, chain: str, other: str) -> None:
    open_ports = "25,80,110,143,443,465,587,993,995,4190"
    accept = f"-A {chain} -p tcp -m multiport --dports {open_ports.replace(',80,', ',')} -j ACCEPT"
    accept += f"\n-A {chain} -d 192.88.99.10/32 -p tcp -m tcp --dport 80 -j ACCEPT"
    found = judged(rule, f"COMMIT\n*filter\n:{chain} DROP [0:0]\n{accept}")
    assert found.summary.startswith(f"port 80 is sent on to {other}, not to mailcow, by ")
    assert found.remedies[0].startswith("Take that rule out: ")


@pytest.mark.parametrize("dockers_first", [True, False])
def test_dockers_nftables_backend_adds_to_the_chain_that_it_has(dockers_first: bool) -> None:
    """Of two with one priority the one that was made last has its turn first."""
    base = {"family": "ip", "table": "docker-bridges", "name": "nat-prerouting", "type": "nat"}
    theirs = [
        {"table": {"family": "ip", "name": "docker-bridges"}},
        {"chain": {**base, "hook": "prerouting", "prio": -100}},
    ]
    both = [*translating(-100), *theirs] if dockers_first else [*theirs, *translating(-100)]
    known = Filters(read_nft({"nftables": both}, dict, ()), "iptables-nft")
    ways = Inward(((4, "eth0", OWN),), frozenset((OWN,)), ())
    foretold = Foreseen(known, ways, None, "172.22.1", False, True)
    packet = Packet(4, "5.6.7.8", OWN, 443, "eth0")
    end = fate(foretold.with_port(4, 443, 443), packet, foretold.way, ways.own)
    assert end.packet.address == ("172.22.1.253" if dockers_first else "10.10.10.5")
    assert astray(foretold, 443, end) is not dockers_first


@pytest.mark.parametrize("redirected", [True, False])
def test_docker_adds_to_a_table_of_iptables_that_only_nft_shows_too(redirected: bool) -> None:
    """With a rule of nft's own in it, before or after the jump to Docker's chain."""
    base = {"family": "ip", "table": "nat"}
    dport = {"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 25}}
    rules = [[dport, {"redirect": {"port": 2525}}], [{"jump": {"target": "DOCKER"}}]]
    listed: list[dict[str, Any]] = [
        {"table": {"family": "ip", "name": "nat"}},
        {"chain": {**base, "name": "DOCKER"}},
        {"chain": {**base, "name": "PREROUTING", "type": "nat", "hook": "prerouting", "prio": -100}},
    ]
    for number, expr in enumerate(rules if redirected else rules[::-1]):
        listed.append({"rule": {**base, "chain": "PREROUTING", "handle": number, "expr": expr}})
    said = {"iptables-nft-save": "# Table `nat' is incompatible, use 'nft' tool.\n"}
    found = judged(nft=listed, more=said)
    assert found.status == ("fail" if redirected else "pass")
    assert not redirected or found.summary.startswith("port 25 is sent on to port 2525 of this machine")


def test_docker_lets_packets_pass_in_such_a_table() -> None:
    base = {"family": "ip", "table": "filter"}
    chain = {**base, "name": "FORWARD", "type": "filter", "hook": "forward", "prio": 0, "policy": "drop"}
    listed = [{"table": {"family": "ip", "name": "filter"}}, {"chain": chain}]
    said = {"iptables-nft-save": "# Table `filter' is incompatible, use 'nft' tool.\n"}
    assert judged(nft=listed, more=said).status == "pass"
