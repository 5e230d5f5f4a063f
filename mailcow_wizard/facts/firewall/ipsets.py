"""Sets of ipset that rules of iptables ask: their elements as tests over properties."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mailcow_wizard.facts.firewall.addresses import span_of
from mailcow_wizard.facts.firewall.statements import ANY, Key, Opaque, Span, Test
from mailcow_wizard.language import _
from mailcow_wizard.numerals import is_number, whole
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from mailcow_wizard.facts.firewall.statements import Row, Statement, Value

# What does not change which packets fit.
_ONLY_COUNTS = ("--update-counters", "--update-subcounters", "--return-nomatch")
# With these an element stands for a network, and is saved as one address of it.
_OF_NETWORKS = {"netmask", "bitmask"}
_PROTOCOLS = {"icmp": "icmp", "icmpv6": "ipv6-icmp"}


class IpSet(NamedTuple):
    """A set of ipset: its type (`hash:ip,port`; empty where its elements are not what they seem), its
    elements as written."""

    type: str
    elements: tuple[str, ...]


IpSets = Mapping[str, IpSet]


def asking(
    options: Sequence[tuple[str, bool, tuple[str, ...]]], family: int, sets: IpSets
) -> list[Statement]:
    """What a rule with these options (name, turned round, values) asks of sets."""
    found: list[Statement] = []
    for name, turned, values in options:
        if name in _ONLY_COUNTS:
            continue
        known = sets.get(values[0]) if name == "--match-set" and len(values) == 2 else None
        made = _set_test(known, values[1], turned, family) if known else None
        words = _("the set {name}", name=values[0] if values else "")
        found.append(made or Opaque(words if name == "--match-set" else f"“-m set {name}”"))
    return found


def _set_test(known: IpSet, sides: str, turned: bool, family: int) -> Test | None:
    kinds, directions = known.type.partition(":")[2].split(","), sides.split(",")
    if len(kinds) > len(directions):
        return None
    keys: list[Key] = []
    for kind, side in zip(kinds, directions, strict=False):
        found = _keys(kind, side == "src", family)
        if not found:
            return None
        keys += found
    rows: list[Row] = []
    for element in known.elements:
        parts = element.split(",")
        if len(parts) != len(kinds) or " nomatch" in element:
            return None
        row: list[Value] = []
        for kind, part in zip(kinds, parts, strict=True):
            values = _element(kind, part)
            if not values:
                return None
            row += values
        rows.append(tuple(row))
    return Test(tuple(keys), tuple(rows), turned)


def _keys(kind: str, from_source: bool, family: int) -> tuple[Key, ...]:
    """The properties that this part of an element is about; none where it is not understood."""
    if kind in ("ip", "net"):
        return (Key(f"{'ip' if family == 4 else 'ip6'} {'saddr' if from_source else 'daddr'}"),)
    if kind == "port":
        return Key("l4proto"), Key("sport" if from_source else "dport")
    if kind == "iface":
        return (Key("iif" if from_source else "oif"),)
    return ()


def _element(kind: str, text: str) -> tuple[Value, ...]:
    """A value for each of `_keys`; a port without a protocol is one of every protocol."""
    if kind in ("ip", "net"):
        span = span_of(text)
        return (span,) if span else ()
    if kind == "iface":
        return (text,)
    protocol, _colon, number = text.rpartition(":")
    first, _dash, last = number.partition("-")
    last = last or first
    if not is_number(first) or not is_number(last):
        return ()
    return _PROTOCOLS.get(protocol, protocol) or ANY, Span(whole(first), whole(last))


def ipsets(saved: str) -> dict[str, IpSet]:
    """The sets of `ipset save`."""
    types: dict[str, str] = {}
    elements: dict[str, list[str]] = {}
    for line in saved.splitlines():
        words = line.split()
        if words[:1] == ["create"] and len(words) > 2:
            types[words[1]] = words[2] if not _OF_NETWORKS & set(words[3:]) else ""
        elif words[:1] == ["add"] and len(words) > 2:
            tail = " nomatch" if "nomatch" in words[3:] else ""
            elements.setdefault(words[1], []).append(words[2] + tail)
    return {name: IpSet(kind, tuple(elements.get(name, ()))) for name, kind in types.items()}
