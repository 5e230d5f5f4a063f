"""A walk that only looks at the rules that may concern a packet ends as one that looks at all of them."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailcow_wizard.facts.firewall import statements
from mailcow_wizard.facts.firewall.addresses import span_of
from mailcow_wizard.facts.firewall.connection import fate, fate_of_one
from mailcow_wizard.facts.firewall.index import Indexed, Indexes
from mailcow_wizard.facts.firewall.packet import Packet
from mailcow_wizard.facts.firewall.rules import Chain, Rules, Table
from mailcow_wizard.facts.firewall.statements import (
    ANY,
    Choice,
    Key,
    Limit,
    Mark,
    Masked,
    Nat,
    Opaque,
    Rule,
    Seen,
    Span,
    Untrack,
    Verdict,
    Zone,
)
from mailcow_wizard.facts.firewall.walk import Fate, Walk

V4, V6 = "192.0.2.10", "2001:db8::10"
BOX4, BOX6 = "172.22.1.253", "fd4d::fd"
OWN = frozenset((V4, V6))
TOO_MANY = "there are more rules than can be followed"


class Everything(Indexes):
    """No index: every rule may concern every packet."""

    def of(self, body: tuple[Rule, ...]) -> Indexed:
        """All of them."""

        class All(Indexed):
            def concerned(self, packet: Packet) -> Sequence[int]:
                return range(len(body))

        return All(())


def spans(*texts: str) -> "st.SearchStrategy[Span | str]":
    """Networks as numbers, and a name where a number belongs."""
    return st.sampled_from([*(span for one in texts if (span := span_of(one))), "nowhere", ANY])


NUMBERS = st.sampled_from(
    [Span(25, 25), Span(25, 26), Span(1, 1024), Span(443, 443), Span(0, 65535), Span(40000, 50000), "smtp"]
)
VALUES: "dict[str, st.SearchStrategy[Span | str]]" = {
    "ip saddr": spans("198.51.100.7", "198.51.100.0/24", "0.0.0.0/0", "198.51.100.9-198.51.100.90", V4),
    "ip daddr": spans(V4, "192.0.2.0/24", BOX4, "10.0.0.0/8"),
    "ip6 saddr": spans("2001:db8:1::5", "2001:db8:1::/64", "::/0", "fe80::/64", V6),
    "ip6 daddr": spans(V6, "2001:db8::/32", BOX6, "ff02::/16"),
    **dict.fromkeys(("dport", "sport", "tcp dport", "tcp sport", "udp dport", "udp sport"), NUMBERS),
    **dict.fromkeys(
        ("iif", "oif"), st.sampled_from(["eth0", "eth*", "br-mailcow", "lo", "", ANY, Span(2, 2)])
    ),
    "l4proto": st.sampled_from(["tcp", "udp", "icmp", "ipv6-icmp", Span(6, 6)]),
    "nfproto": st.sampled_from(["ipv4", "ipv6"]),
    "ct state": st.sampled_from(["new", "established", "invalid", "untracked"]),
    "ct wanted port": NUMBERS,
    "icmp type": st.sampled_from([Span(8, 8), Span(0, 0)]),
    "icmpv6 type": st.sampled_from([Span(128, 129), Span(135, 136)]),
    "mark": st.sampled_from([Span(0, 0), Span(1, 1)]),
    "seen": st.just("banned"),
    "meta hour": st.just("12"),
}
CHAINS = ("one", "two")


@st.composite
def asked(draw: st.DrawFn) -> statements.Test:
    """One property, sometimes with some of its bits, or two together; a few rows, now and then of the wrong
    length."""
    names = draw(st.lists(st.sampled_from(sorted(VALUES)), min_size=1, max_size=2))
    keys = tuple(Key(name, draw(st.sampled_from([0, 0, 0, 1, 0xFF]))) for name in names)
    row = st.tuples(*(VALUES[name] for name in names))
    rows = draw(st.lists(row | row | row | st.tuples(VALUES[names[0]]), max_size=3))
    return statements.Test(keys, tuple(rows), draw(st.booleans()))


def single(name: str) -> "st.SearchStrategy[statements.Test]":
    """What indexes are made of: plain tests of one property."""
    rows = st.lists(st.tuples(VALUES[name]), min_size=1, max_size=3)
    return st.builds(statements.Test, st.just((Key(name),)), rows.map(tuple))


SINGLE = st.sampled_from(
    [name for name in VALUES if name.split()[-1] in ("saddr", "daddr", "dport", "iif", "oif")]
)
VERDICTS = st.one_of(
    st.sampled_from([Verdict("accept"), Verdict("drop"), Verdict("drop", softly=True)]),
    st.sampled_from([Verdict("return"), Verdict("continue"), Verdict("jump", "missing")]),
    st.builds(Verdict, st.sampled_from(["jump", "goto"]), st.sampled_from(CHAINS)),
)
CHOICES = st.builds(
    Choice,
    st.just((Key("tcp dport"),)),
    st.lists(st.tuples(st.tuples(NUMBERS), VERDICTS), max_size=3).map(tuple),
)
CHANGES = st.one_of(
    st.builds(Mark, st.sampled_from(["mark", "ct mark"]), st.just(0), st.just(1), st.booleans()),
    st.builds(
        Nat, st.sampled_from(["", BOX4, BOX6]), st.sampled_from([0, 443]), st.booleans(), st.booleans()
    ),
    st.sampled_from([Masked(), Untrack(), Zone(3), Zone(None), Seen("banned"), Limit(True), Limit(False)]),
    st.builds(Opaque, st.just("?"), st.booleans()),
)
STATEMENTS = st.one_of(
    st.tuples(SINGLE.flatmap(single), SINGLE.flatmap(single), VERDICTS),
    st.tuples(SINGLE.flatmap(single), CHANGES, asked(), VERDICTS),
    st.tuples(CHANGES, SINGLE.flatmap(single), VERDICTS),
    st.tuples(asked(), VERDICTS),
    st.tuples(SINGLE.flatmap(single), CHOICES),
    st.lists(st.one_of(asked(), CHANGES, CHOICES, VERDICTS), max_size=4).map(tuple),
)
BASES = (
    ("raw", "prerouting", -300, "filter"),
    ("nat", "prerouting", -100, "nat"),
    ("in", "input", 0, "filter"),
    ("pass", "forward", 0, "filter"),
    ("out", "output", 0, "filter"),
    ("masks", "postrouting", 100, "nat"),
)


@st.composite
def filters(draw: st.DrawFn) -> Rules:
    """Base chains at every hook and others that these lead to; every rule has its own text."""
    chains = {}
    table = Table("nft", draw(st.sampled_from(["inet", "inet", "ip", "ip6"])), "a")
    for name, hook, priority, kind in (*BASES, *((name, "", 0, "filter") for name in CHAINS)):
        made = draw(st.lists(STATEMENTS, max_size=4))
        body = tuple(Rule(f"{name} {n}", some) for n, some in enumerate(made))
        policy = draw(st.sampled_from(["accept", "accept", "drop"]))
        chains[table, name] = Chain(table, name, body, hook, priority, kind, policy)
    return Rules(chains)


@st.composite
def packets(draw: st.DrawFn) -> Packet:
    """From outside, from a container, from this machine, or a message of neighbours."""
    family = draw(st.sampled_from([4, 6]))
    far = ("198.51.100.7", "198.51.100.0/24", "203.0.113.5", "", "0.0.0.0/0")
    far = far if family == 4 else ("2001:db8:1::5", "2001:db8:1::/64", "2400::1", "", "fe80::/64")
    own, box = (V4, BOX4) if family == 4 else (V6, BOX6)
    outside, port = draw(st.sampled_from(far)), draw(st.sampled_from([25, 26, 443, 40000]))
    protocol = draw(st.sampled_from(["tcp", "tcp", "udp", "icmp"]))
    kind = draw(st.sampled_from(["in", "in", "leaving", "box", "neighbour"]))
    if kind == "leaving":
        return Packet(family, own, far[0], port, "", protocol=protocol, leaving=True, uid=0)
    if kind == "box":
        return Packet(family, box, far[0], port, "br-mailcow", protocol=protocol)
    if kind == "neighbour":
        return Packet(6, "fe80::/64", "ff02::1", 0, "eth0", protocol="icmp", message=135)
    return Packet(family, outside, own, port, draw(st.sampled_from(["eth0", "?"])), protocol=protocol)


def way(address: str) -> str:
    """The interface that leads there."""
    return "br-mailcow" if address in (BOX4, BOX6) else "?" if address == "2400::1" else "eth0"


def ended(known: Rules, packet: Packet) -> Fate:
    """What becomes of the packet."""
    if packet.message:
        return fate_of_one(known, packet)
    return fate(known, packet, way, OWN, V4 if packet.family == 4 else V6)


@settings(max_examples=60, deadline=None)
@given(filters(), st.lists(packets(), min_size=1, max_size=4))
def test_the_same_becomes_of_a_packet(known: Rules, some: "list[Packet]") -> None:
    """The verdict, the rule that is named, those before it, and what nobody knows, and why."""
    shared = known._replace(indexes=Indexes())
    for packet in some:
        plain = ended(known._replace(indexes=Everything()), packet)
        if plain.why != TOO_MANY:
            assert ended(shared, packet) == plain


TELLING = sorted(
    name for name in VALUES if name.split()[-1] in ("saddr", "daddr", "dport", "sport", "iif", "oif")
)


@st.composite
def likely(draw: st.DrawFn, names: "list[str]") -> statements.Test:
    """A test of one of a few properties, or what looks like one: turned round, of some bits, of two."""
    name = draw(st.sampled_from(names))
    form = draw(st.sampled_from(["plain", "plain", "plain", "negated", "masked", "pair", "short", "long"]))
    row = st.tuples(VALUES[name], VALUES[name]) if form == "long" else st.tuples(VALUES[name])
    keys = (Key(name, 1 if form == "masked" else 0),)
    if form in ("pair", "short"):
        keys = (*keys, Key("nfproto"))
        row = row if form == "short" else st.tuples(VALUES[name], st.just("ipv4") | st.just(ANY))
    rows = draw(st.lists(row, min_size=1, max_size=2))
    return statements.Test(keys, tuple(rows), form == "negated")


@st.composite
def alike(draw: st.DrawFn) -> tuple[Rule, ...]:
    """Rules that ask for the same few properties, as those of one chain do."""
    names = draw(st.lists(st.sampled_from(TELLING), min_size=1, max_size=3))
    before = st.lists(CHANGES, max_size=1) | st.just([])
    last = st.sampled_from([Verdict("drop"), Verdict("accept"), Seen("banned")])
    made = []
    for number in range(draw(st.integers(1, 8))):
        asks = draw(st.lists(likely(names), min_size=1, max_size=2))
        made.append(Rule(str(number), (*draw(before), *asks, draw(last))))
    return tuple(made)


@st.composite
def on_its_way(draw: st.DrawFn) -> Packet:
    """A packet somewhere on its way: one that asks, an answer, what follows."""
    found = draw(packets())
    state = draw(st.sampled_from([{}, {"reply": True}, {"follows": True}, {"reply": True, "follows": True}]))
    out = draw(st.sampled_from(["", "eth0", "br-mailcow", "?"]))
    return found._replace(out=out, tracked=draw(st.booleans()), **state)


def walked(known: Rules, packet: Packet) -> "tuple[Packet, Fate]":
    """The packet behind the rules for input, and what became of it."""
    walk = Walk(known)
    left = walk.through("input", packet)
    return left, walk.fate(left, False)


@settings(max_examples=400, deadline=None)
@given(alike(), st.lists(on_its_way(), min_size=1, max_size=3))
def test_the_same_becomes_of_a_packet_in_one_chain(body: tuple[Rule, ...], some: "list[Packet]") -> None:
    table = Table("nft", "inet", "a")
    known = Rules({(table, "in"): Chain(table, "in", body, "input")})
    shared = known._replace(indexes=Indexes())
    for packet in some:
        assert walked(shared, packet) == walked(known._replace(indexes=Everything()), packet)


@pytest.mark.parametrize("what", ["saddr", "dport", "iif"])
def test_most_of_many_rules_concern_no_packet(what: str) -> None:
    tests = {
        "saddr": [(Key("ip saddr"), Span(n, n)) for n in range(1000)],
        "dport": [(Key("tcp dport"), Span(n, n + 1)) for n in range(1000)],
        "iif": [(Key("iif"), f"veth{n}") for n in range(1000)],
    }[what]
    body = tuple(Rule("", (statements.Test((key,), ((value,),)), Verdict("drop"))) for key, value in tests)
    packet = Packet(4, "0.0.1.1", V4, 8, "veth7")
    assert list(Indexed(body).concerned(packet)) == {"saddr": [257], "dport": [7, 8], "iif": [7]}[what]


def test_by_what_tells_most() -> None:
    """Where all rules are about one address, their ports tell them apart."""
    address = span_of(V4)
    assert address
    body = tuple(
        Rule(
            "",
            (
                statements.Test((Key("ip daddr"),), ((address,),)),
                statements.Test((Key("tcp dport"),), ((Span(n, n),),)),
            ),
        )
        for n in range(100)
    )
    assert list(Indexed(body).concerned(Packet(4, "203.0.113.5", V4, 25, "eth0"))) == [25]
