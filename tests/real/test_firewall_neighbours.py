"""What is foretold of IPv6's neighbour discovery against real packets: rules let every connection through,
and stop some of the messages by which neighbours find each other."""

import json
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lab.gate import BOX, BRIDGE, OUTSIDE, SERVER, Gate, gate
from lab.inside import CHECKOUT
from lab.skip import or_skip

from tests.real.firewall_rules import RuleSet, nft
from tests.real.firewall_world import put

pytestmark = pytest.mark.real

LAB = Path(__file__).parents[1] / "lab"
PORT = 25
ROUNDS, MANY = 8, 150
_STRANGER = OUTSIDE[6][1]
_ANY = "fe80::/64"
_QUICK_S, _PATIENT_S = 0.7, 5.0
_SETTLING_S = 3.0
"""What an earlier connection still sends tells a neighbour where this one is."""
_LINKS = (f"eth0,{SERVER[6]},{OUTSIDE[6][0]},,tracked", f"br-mailcow,{BRIDGE[6]},{BOX[6]},{BOX[6]},")
# A program of this machine answers in the name of the address on the link; what passes it has a container's.
_TO_SERVER, _TO_BOX = ("eth0 own",), ("eth0 link", "br-mailcow link")


@pytest.fixture(scope="module")
def world() -> Iterator[Gate]:
    with or_skip(), gate((PORT,)) as made:
        made.outside.run(["ip", "-6", "route", "add", "fd4d:6169:6c63:6f77::/64", "via", SERVER[6]])
        yield made


def _input(policy: str, *rules: str, chain: str = "input", before: str = "") -> RuleSet:
    """What connections need is let through."""
    always = "tcp dport 25 accept; tcp sport 25 accept"
    return nft(
        f"table inet filter {{ {before} chain {chain} {{ type filter hook {chain} priority 0; "
        f"policy {policy}; {always}; {'; '.join(rules)} ; }}; }}"
    )


def _ip6(*lines: str, program: str = "ip6tables-nft") -> RuleSet:
    head = (
        "-A INPUT -p tcp --dport 25 -j ACCEPT",
        "-A INPUT -p tcp -m conntrack --ctstate ESTABLISHED -j ACCEPT",
    )
    return tuple((program, one) for one in (*head, *lines))


KNOWN: dict[str, tuple[RuleSet, str]] = {
    "no rules": ((), "both"),
    "all dropped": (_input("drop"), "none"),
    "established is not enough": (_input("drop", "ct state established,related accept"), "none"),
    "all of ICMPv6": (_input("drop", "meta l4proto ipv6-icmp accept"), "both"),
    "only echoes": (_input("drop", "icmpv6 type { echo-request, echo-reply } accept"), "none"),
    "untracked": (_input("drop", "ct state untracked accept"), "both"),
    "invalid is not meant": (_input("accept", "ct state invalid drop"), "both"),
    "new is not meant": (_input("drop", "ct state new accept"), "none"),
    "as RFC 4890 has it": (
        _input("drop", "icmpv6 type { 133-137 } ip6 hoplimit 255 accept", "icmpv6 code 1 accept"),
        "both",
    ),
    "too many hops": (_input("drop", "icmpv6 type 133-137 ip6 hoplimit < 255 accept"), "none"),
    "from the link": (_input("drop", "ip6 saddr fe80::/10 accept"), "none"),
    "solicitations only": (_input("drop", "icmpv6 type nd-neighbor-solicit accept"), "none"),
    "adverts only": (_input("drop", "icmpv6 type nd-neighbor-advert accept"), "none"),
    "not on the bridge": (_input("drop", "iifname eth0 icmpv6 type 135-136 accept"), "server"),
    "to many": (_input("accept", "pkttype multicast drop"), "none"),
    "to many, by the route": (_input("accept", "fib daddr type multicast drop"), "none"),
    "to whom it is for": (_input("drop", "fib daddr type { local, multicast } accept"), "both"),
    "from nowhere": (_input("accept", "fib saddr . iif oif missing drop"), "both"),
    "what leaves": (_input("accept", "icmpv6 type nd-neighbor-advert drop", chain="output"), "none"),
    "who asks": (_input("accept", "icmpv6 type nd-neighbor-solicit drop", chain="output"), "none"),
    "root's may leave": (_input("accept", "meta skuid != 0 drop", chain="output"), "both"),
    "a map": (
        _input(
            "drop",
            "icmpv6 type vmap { 135 : accept, 136 : jump more, 1-4 : drop }",
            before="chain more { accept ; }; ",
        ),
        "both",
    ),
    "early": (
        nft(
            "table netdev n { chain c { type filter hook ingress device eth0 priority 0; policy accept; "
            "icmpv6 type nd-neighbor-solicit drop; }; }"
        ),
        "none",
    ),
    "ip6tables drops": (_ip6("-P INPUT DROP"), "none"),
    "ip6tables as it should be": (
        _ip6(
            "-A INPUT -p ipv6-icmp -m icmp6 --icmpv6-type 1/4 -j ACCEPT",
            "-A INPUT -p ipv6-icmp -m icmp6 --icmpv6-type 135 -m hl --hl-eq 255 -j ACCEPT",
            "-A INPUT -p ipv6-icmp -m icmp6 --icmpv6-type 136/0 -m hl --hl-gt 254 -j ACCEPT",
            "-P INPUT DROP",
        ),
        "both",
    ),
    "legacy": (
        _ip6("-A INPUT -p ipv6-icmp ! -i br-+ -j ACCEPT", "-P INPUT DROP", program="ip6tables-legacy"),
        "server",
    ),
    "ip6tables, untracked": (
        _ip6("-A INPUT -m conntrack --ctstate UNTRACKED -j ACCEPT", "-P INPUT DROP"),
        "both",
    ),
    "ip6tables, invalid": (_ip6("-A INPUT -m conntrack --ctstate INVALID -j DROP"), "both"),
    "ip6tables, to many": (_ip6("-A INPUT -m addrtype --dst-type MULTICAST -j DROP"), "none"),
    "ip6tables, sent to many": (_ip6("-A INPUT -m pkttype --pkt-type multicast -j DROP"), "none"),
    "ip6tables, to us": (_ip6("-A INPUT -m addrtype ! --dst-type LOCAL -j DROP"), "none"),
}  # fmt: skip


def _foretold(world: Gate) -> dict[str, list[str]]:
    """What is stopped, by link and by whose address it is about."""
    argv = ["env", f"PYTHONPATH={CHECKOUT}", sys.executable, str(LAB / "foretell_neighbours.py"), *_LINKS]
    said = json.loads(world.server.run(argv).stdout)
    assert not said["unread"]
    found: dict[str, list[str]] = {}
    for name, answers in zip(("eth0", "br-mailcow"), said["answers"], strict=True):
        for one in answers:
            if one["message"] in (130, 143):
                continue
            assert one["outcome"] != "unknown", one
            words = f"{one['message']} {'in' if one['incoming'] else 'out'} by {one['by']}"
            kinds = {"own", "link"} if one["message"] == 135 and one["incoming"] else {
                "link" if one["here"] == _ANY else "own"
            }  # fmt: skip
            if one["message"] == 136 and not one["incoming"]:
                kinds = {"own", "link"}
            for kind in kinds:
                found.setdefault(f"{name} {kind}", []).append(words)
    return found


def _tried(world: Gate, seconds: float) -> dict[str, str]:
    """Whether a stranger gets to the server and to the box, where nobody knows anybody yet."""
    ended = {}
    for name, address in (("server", SERVER[6]), ("box", BOX[6])):
        for place in (world.outside, world.server, world.box):
            place.run(["ip", "-6", "neigh", "flush", "all"], check=False)
        argv = [
            sys.executable,
            str(LAB / "knocking.py"),
            "try",
            str(seconds),
            f"{_STRANGER}>{address}",
            str(PORT),
        ]
        ended[name] = json.loads(world.outside.run(argv).stdout)[0][str(PORT)]
    return ended


def disagreements(world: Gate, rules: RuleSet) -> tuple[set[str], list[str]]:
    """Who is reached as foretold, and what was otherwise; tried again with patience."""
    put(world, rules)
    said = _foretold(world)
    stopped = {"server": [], "box": []}  # type: dict[str, list[str]]
    for name, kinds in (("server", _TO_SERVER), ("box", _TO_BOX)):
        stopped[name] = [words for kind in kinds for words in said.get(kind, [])]
    reached = {name for name, words in stopped.items() if not words}
    differing: list[str] = []
    for settling, seconds in ((0.0, _QUICK_S), (0.0, _PATIENT_S), (_SETTLING_S, _PATIENT_S)):
        time.sleep(settling)
        tried = _tried(world, seconds)
        differing = [
            f"{name}: foretold {stopped[name] or 'through'}, was {how}"
            for name, how in tried.items()
            if (how == "open") != (name in reached)
        ]
        if not differing:
            break
    return reached, differing


_MEANT = {"both": {"server", "box"}, "server": {"server"}, "none": set[str]()}


@pytest.mark.parametrize("name", KNOWN)
def test_known_rules(world: Gate, name: str) -> None:
    rules, meant = KNOWN[name]
    assert disagreements(world, rules) == (_MEANT[meant], [])


def _random_rules(seed: int) -> RuleSet:
    chance = random.Random(seed)
    policy = chance.choice(("accept", "drop"))
    verdicts = ("accept", "accept", "drop") if policy == "drop" else ("accept", "drop", "drop")
    if chance.random() < 0.5:
        chain = chance.choice(("input", "input", "output"))
        rules = [
            f"{_nft_tests(chance, chain)} {chance.choice(verdicts)}" for _ in range(chance.randint(1, 5))
        ]
        return _input(policy, *rules, chain=chain)
    rules = [
        f"-A INPUT {_ip6_tests(chance)} -j {chance.choice(verdicts).upper()}"
        for _ in range(chance.randint(1, 5))
    ]
    program = chance.choice(("ip6tables-nft", "ip6tables-legacy"))
    return _ip6(*rules, f"-P INPUT {policy.upper()}", program=program)


def _nft_tests(chance: random.Random, chain: str) -> str:
    first = chance.randint(128, 136)
    kinds = [
        f"icmpv6 type {first}-{chance.randint(first + 1, 143)}",
        f"icmpv6 type {chance.choice(('', '!= '))}{{ {first}, nd-neighbor-advert }}",
        f"icmpv6 type {chance.choice(('>', '<', '>=', '<='))} {chance.randint(133, 137)}",
        f"icmpv6 type {chance.choice(('nd-neighbor-solicit', 'nd-neighbor-advert', 'nd-router-advert'))}",
        f"icmpv6 code {chance.choice(('0', 'no-route', '!= 0', '{ 0, 3 }'))}",
        f"ip6 hoplimit {chance.choice(('255', '!= 255', '< 255', '> 200'))}",
        f"ct state {chance.choice(('untracked', 'new', 'invalid', 'established,related', 'new,untracked'))}",
        "icmpv6 type . icmpv6 code { 135 . 0, 136 . 0-3 }",
        "ct status dnat",
        "ct direction original",
    ]
    if chain == "input":
        kinds += [
            "ip6 daddr ff02::/16",
            "pkttype multicast",
            "fib daddr type multicast",
            f"iifname {chance.choice(('eth0', 'br-mailcow'))}",
            "ip6 saddr . icmpv6 type { fe80::/10 . 135, fd4d::/16 . 135 }",
        ]
    if chance.random() < 0.1:  # nft refuses it beside what it contradicts
        return f"meta l4proto {chance.choice(('ipv6-icmp', 'tcp', '{ icmp, udp }'))}"
    return " ".join(chance.sample(kinds, chance.choice((1, 1, 2))))


def _ip6_tests(chance: random.Random) -> str:
    turned = chance.choice(("", "", "! "))
    message = chance.choice(("135", "136", "134", "135/0", "136/1", "1/3"))
    state = chance.choice(("UNTRACKED", "NEW", "INVALID", "ESTABLISHED,RELATED"))
    kinds = [
        f"-p ipv6-icmp -m icmp6 {turned}--icmpv6-type {message}",
        f"-p ipv6-icmp -m hl {chance.choice(('--hl-eq 255', '--hl-lt 255', '--hl-gt 254', '! --hl-eq 255'))}",
        f"{turned}-p {chance.choice(('ipv6-icmp', 'tcp'))}",
        f"-m conntrack {turned}--ctstate {state}",
        f"{turned}-d ff02::/16",
        f"-m addrtype {turned}--dst-type {chance.choice(('MULTICAST', 'LOCAL', 'UNICAST'))}",
        f"-m pkttype {turned}--pkt-type multicast",
        f"{turned}-i {chance.choice(('eth0', 'br-+', 'eth+'))}",
    ]
    return chance.choice(kinds)


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_random_rules(world: Gate, seed: int) -> None:
    assert disagreements(world, _random_rules(seed))[1] == []


@pytest.mark.long
@pytest.mark.parametrize("seed", range(ROUNDS, MANY))
def test_many_random_rules(world: Gate, seed: int) -> None:
    assert disagreements(world, _random_rules(seed))[1] == []


def _finding(world: Gate, state: Path) -> dict[str, Any]:
    argv = [
        sys.executable,
        "-m",
        "mailcow_wizard",
        "check",
        "firewall.local",
        "--json",
        "--state-dir",
        str(state),
    ]
    said = world.server.run(["env", f"PYTHONPATH={CHECKOUT}", *argv], check=False).stdout
    (found,) = json.loads(said)["checks"]
    return dict(found)


_ALL_PORTS = "tcp dport { 25, 80, 110, 143, 443, 465, 587, 993, 995, 4190 } accept"


class TestFinding:
    def test_dropped(self, world: Gate, tmp_path: Path) -> None:
        put(
            world,
            _input("drop", _ALL_PORTS, "ct state established,related accept", "meta l4proto icmp accept"),
        )
        found = _finding(world, tmp_path)
        assert (found["status"], found["certainty"]) == ("warn", "inferred"), found
        assert found["summary"] == (
            "nothing arrives over IPv6: the router and this machine do not find each other, ICMPv6 types 135 "
            "and 136 are dropped by policy drop of chain input of table inet filter"
        )
        assert found["evidence"][0]["what"] == "nft list chain inet filter input"

    def test_let_through(self, world: Gate, tmp_path: Path) -> None:
        put(world, _input("drop", _ALL_PORTS, "ct state established accept", "icmpv6 type 134-136 accept"))
        found = _finding(world, tmp_path)
        assert (found["status"], found["severity"]) == ("warn", "advice")
        assert found["summary"] == (
            "behind a switch that keeps track of listeners (MLD snooping) IPv6 stops some minutes after the "
            "start: ICMPv6 type 130 is dropped by policy drop of chain input of table inet filter"
        )
        types = "icmpv6 type { 130, 133-136, 143 } accept"
        put(world, _input("drop", _ALL_PORTS, "ct state established accept", types))
        assert _finding(world, tmp_path)["status"] == "pass"

    def test_only_containers(self, world: Gate, tmp_path: Path) -> None:
        put(world, _input("drop", _ALL_PORTS, "iifname eth0 meta l4proto ipv6-icmp accept"))
        found = _finding(world, tmp_path)
        assert found["summary"].startswith("nothing gets to containers over IPv6"), found

    def test_not_understood(self, world: Gate, tmp_path: Path) -> None:
        unclear = ("ip6tables-nft", "-I INPUT -p ipv6-icmp -m u32 --u32 0=0 -j ACCEPT")
        put(world, (*_ip6("-A INPUT -p tcp -j ACCEPT", "-P INPUT DROP"), unclear))
        found = _finding(world, tmp_path)
        assert found["status"] == "unknown", found
        assert found["summary"].startswith("whether IPv6 neighbours find this machine is not known"), found


LISTENERS: dict[str, tuple[RuleSet, bool]] = {
    "no rules": ((), True),
    "all of ICMPv6": (_input("drop", "meta l4proto ipv6-icmp accept"), True),
    "by its next header": (_input("drop", "ip6 nexthdr ipv6-icmp accept"), False),
    "neighbours only": (_input("drop", "icmpv6 type 133-136 accept"), False),
    "established is not enough": (_input("drop", "ct state established,related accept"), False),
    "untracked": (_input("drop", "ct state untracked accept"), True),
    "the question": (_input("drop", "icmpv6 type mld-listener-query accept"), True),
    "from the link": (_input("drop", "ip6 saddr fe80::/10 accept"), True),
    "never routed": (_input("drop", "icmpv6 type 130-136 ip6 hoplimit 255 accept"), False),
    "one hop": (_input("drop", "ip6 hoplimit 1 accept"), True),
    "the answer": (_input("accept", "icmpv6 type mld2-listener-report drop", chain="output"), False),
    "to many": (_input("accept", "pkttype multicast drop"), False),
    "ip6tables": (_ip6("-A INPUT -p ipv6-icmp --icmpv6-type 130 -j ACCEPT", "-P INPUT DROP"), True),
    "ip6tables, neighbours only": (
        _ip6("-A INPUT -p ipv6-icmp -m icmp6 --icmpv6-type 135 -m hl --hl-eq 255 -j ACCEPT", "-P INPUT DROP"),
        False,
    ),
    "ip6tables, the answer": (_ip6("-A OUTPUT -p ipv6-icmp --icmpv6-type 143 -j DROP"), False),
    "legacy": (_ip6("-A INPUT -p ipv6-icmp -j ACCEPT", "-P INPUT DROP", program="ip6tables-legacy"), True),
}  # fmt: skip


@pytest.mark.parametrize("name", LISTENERS)
def test_listeners_answer_the_router_as_foretold(world: Gate, name: str) -> None:
    """A switch that keeps track of them hears the machine, or does not."""
    rules, meant = LISTENERS[name]
    put(world, rules)
    argv = ["env", f"PYTHONPATH={CHECKOUT}", sys.executable, str(LAB / "foretell_neighbours.py"), _LINKS[0]]
    said = json.loads(world.server.run(argv).stdout)["answers"][0]
    stopped = [one for one in said if one["message"] in (130, 143)]
    assert all(one["outcome"] in ("dropped", "refused") for one in stopped), stopped
    heard = False
    for seconds in ("0.5", "5"):
        asked = world.outside.run([sys.executable, str(LAB / "listeners.py"), "eth0", seconds])
        heard = bool(asked.stdout.strip())
        if heard == meant:
            break
    assert (heard, not stopped) == (meant, meant)
