"""What is made of rules that were read: which is a fail, a warning, unknown; made from facts alone."""

import pytest

from mailcow_wizard import requirements as need
from mailcow_wizard.checks.firewall_backend import judge_backend
from mailcow_wizard.checks.firewall_local import judge_local
from mailcow_wizard.checks.firewall_masquerade import judge_masquerade
from mailcow_wizard.facts.docker_json import Rules as Daemon
from mailcow_wizard.facts.firewall.entries import Entries, Entry
from mailcow_wizard.facts.firewall.forwarding import Switch
from mailcow_wizard.facts.firewall.packet import Packet
from mailcow_wizard.facts.firewall.rules import Chain, Place, Rules, Table
from mailcow_wizard.facts.firewall.state import State
from mailcow_wizard.facts.firewall.tools import Tools, Ufw
from mailcow_wizard.facts.firewall.walk import Fate

SMTP = next(one for one in need.PORTS if one.number == 25)
CHAIN = Chain(Table("iptables-nft", "ip", "filter"), "INPUT", (), "input", policy="drop")
PACKET = Packet(4, "tcp", "203.0.113.1", "192.88.99.10", 40000, 25, "eth0")
OPEN = Fate("through", PACKET)
SHUT = Fate("dropped", PACKET, Place(CHAIN))
DOUBT = Fate("unknown", PACKET, Place(CHAIN), why="a match that is not understood")
NOBODY = Tools(None, False, (), (), (), "")
NONE = Rules()


def of(family: int, fate: Fate, **more: object) -> Entry:
    """Port 25 in this family."""
    address = "2001:db8::10" if family == 6 else "192.88.99.10"
    return Entry(SMTP, 25, family, address, "eth0", "nobody", fate)._replace(**more)


def seen(*entries: Entry, tools: Tools = NOBODY, rules: Rules = NONE, **more: object) -> State:
    """A machine with Docker, whose rules are not told unless they are given."""
    return State(rules, tools, Entries(entries, (), True, None, ())._replace(**more))


V4, V6 = of(4, OPEN), of(6, OPEN)
OFF, OFF_V6 = Switch(4, "net.ipv4.ip_forward"), Switch(6, "net.ipv6.conf.all.forwarding")


@pytest.mark.parametrize(
    ("state", "status", "words"),
    [
        (seen(V4, V6), "pass", "nothing on this machine stops packets to port 25"),
        (seen(), "unknown", "no address that the world could come to"),
        (seen(V4, unread=("nft does not answer",)), "unknown", "nft does not answer"),
        (seen(of(4, SHUT)), "fail", "port 25 is dropped by "),
        (seen(of(6, SHUT)), "fail", "port 25 is dropped by "),
        (seen(V4, of(6, SHUT)), "warn", "port 25, over IPv6, is dropped by "),
        (seen(of(4, DOUBT)), "unknown", "whether port 25 is let through is not known: a match that"),
        (seen(of(4, OPEN, later=SHUT)), "fail", "port 25 would not reach mailcow's containers"),
        (seen(V4, of(6, OPEN, later=SHUT)), "warn", "would not reach mailcow's containers"),
        (seen(of(4, SHUT, later=OPEN)), "warn", "mailcow's containers will be reached past it"),
        (seen(of(4, SHUT, later=OPEN), docker=False), "fail", "port 25 is dropped by "),
        (seen(of(4, OPEN, partly=True)), "warn", "only from some addresses"),
        (seen(of(4, OPEN, unrouted=True)), "fail", "to which no route leads"),
        (seen(V4, of(6, OPEN, unrouted=True)), "warn", "to which no route leads"),
        (
            seen(of(4, SHUT._replace(parted_by=Place(CHAIN)))),
            "fail",
            "keeps them out of the connection tracking",
        ),
        (
            seen(V4, of(6, SHUT._replace(parted_by=Place(CHAIN)))),
            "warn",
            "keeps them out of the connection tracking",
        ),
        (seen(V4, switched_off=(OFF,)), "fail", "the kernel does not pass packets on to containers"),
        (seen(V4, V6, switched_off=(OFF_V6,)), "warn", "over IPv6 the kernel does not pass packets on"),
        (seen(V6, switched_off=(OFF_V6,)), "fail", "the kernel does not pass packets on to containers"),
    ],
)
def test_what_becomes_of_ports(state: State, status: str, words: str) -> None:
    found = judge_local(state)
    assert (found.status, words in found.summary) == (status, True), found.summary
    assert found.certainty == ("untested" if status == "unknown" else "inferred")


DOCKER = Table("iptables-nft", "ip", "nat")
MADE = Rules({(DOCKER, "DOCKER"): Chain(DOCKER, "DOCKER", ())})
DAEMON = Daemon(True, True, True, "")


def _tools(**more: object) -> Tools:
    return NOBODY._replace(**more)


@pytest.mark.parametrize(
    ("state", "status", "words"),
    [
        (seen(), "pass", "no firewall is set up on this machine"),
        (seen(unread=("nft does not answer",)), "unknown", "nft does not answer"),
        (seen(docker_rules=DAEMON._replace(iptables=False)), "fail", "Docker makes no firewall rules"),
        (seen(docker_rules=DAEMON)._replace(running=None), "unknown", "does not say whether containers run"),
        (seen(docker_rules=DAEMON)._replace(running=True), "fail", "firewall rules are gone, as after"),
        (
            seen(docker_rules=DAEMON)._replace(running=True, engine="absent"),
            "fail",
            "containers go on without Docker, and its firewall rules are gone",
        ),
        (
            seen(docker_rules=DAEMON, rules=MADE)._replace(running=True, engine="silent"),
            "unknown",
            "Docker does not answer, and its containers go on",
        ),
        (
            seen(docker_rules=DAEMON, rules=MADE, passed_by=(V4,))._replace(running=True),
            "fail",
            "no rule of Docker's sends connections on to containers any more (port 25, over IPv4)",
        ),
        (seen(rules=MADE)._replace(backend="nftables"), "warn", "uses its nftables backend"),
        (seen(switched_off=(OFF,)), "fail", "passes nothing on that containers send to the world"),
        (seen(outward=SHUT), "fail", "what containers send to the world is dropped by "),
        (seen(outward=DOUBT), "unknown", "whether containers can send to the world is not known"),
        (
            seen(tools=_tools(kinds=("iptables-legacy", "iptables-nft"))),
            "warn",
            "iptables-legacy and iptables (nf_tables) both hold rules",
        ),
        (
            seen(rules=MADE, tools=_tools(usual="iptables-legacy")),
            "warn",
            "Docker's rules are in iptables (nf_tables), and iptables now stands for iptables-legacy",
        ),
        (seen(tools=_tools(ufw=Ufw(True, True))), "warn", "ufw is active"),
        (seen(tools=_tools(ufw=Ufw(False, True))), "pass", ""),
        (seen(tools=_tools(firewalld=True)), "warn", "firewalld is active"),
        (seen(tools=_tools(ufw=Ufw(True, True)), guarded=True), "pass", ""),
        (
            seen(tools=_tools(names=("ufw", "fail2ban"))),
            "warn",
            "several programs write rules: ufw and fail2ban",
        ),
    ],
)
def test_how_programs_get_along(state: State, status: str, words: str) -> None:
    found = judge_backend(state)
    assert (found.status, words in found.summary) == (status, True), found.summary


def test_what_a_restart_of_docker_stops_is_said() -> None:
    mixed = seen(rules=MADE, tools=_tools(usual="iptables-legacy"))
    assert "its containers stop and come back, unless it has live-restore" in judge_backend(mixed).remedies[0]


def test_rules_that_were_not_read_hide_perhaps_somebody() -> None:
    found = judge_masquerade(seen(V4, unread=("nft does not answer",)))
    assert (found.status, found.summary) == ("unknown", "nft does not answer")
