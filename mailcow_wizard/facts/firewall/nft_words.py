"""What nftables asks of a packet: expressions, sets and maps of its JSON as tests over properties."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from mailcow_wizard.facts.firewall.addresses import span_of
from mailcow_wizard.facts.firewall.icmp import NAMES
from mailcow_wizard.facts.firewall.statements import ANY, Choice, Key, Opaque, Span, Test, Verdict
from mailcow_wizard.language import _
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Any

    from mailcow_wizard.facts.firewall.statements import Row, Statement, Value

    Verdicts = Callable[[str, Any], Verdict | None]

_TCP_FLAGS = {"fin": 1, "syn": 2, "rst": 4, "psh": 8, "ack": 16, "urg": 32, "ecn": 64, "cwr": 128}
_MOST = (1 << 128) - 1
_META = {
    "l4proto": "l4proto",
    "nfproto": "nfproto",
    "protocol": "ethertype",
    "iif": "iif",
    "iifname": "iif",
    "oif": "oif",
    "oifname": "oif",
    "mark": "mark",
    "pkttype": "pkttype",
    "skuid": "skuid",
    "skgid": "skgid",
    "length": "length",
    "secpath": "ipsec",
}
_CT = {
    "state": "ct state",
    "status": "ct status",
    "direction": "ct direction",
    "mark": "ct mark",
    "helper": "ct helper",
}
_CT_ORIGINAL = {
    "proto-dst": "ct wanted port",
    "ip daddr": "ct wanted ip",
    "ip6 daddr": "ct wanted ip6",
    "ip saddr": "ct from ip",
    "ip6 saddr": "ct from ip6",
}
# What most of thousands of rules ask for.
_USUAL = {
    (protocol, field): (Key(f"{protocol} {field}"),)
    for protocol, fields in (
        *((one, ("saddr", "daddr")) for one in ("ip", "ip6")),
        *((one, ("sport", "dport")) for one in ("tcp", "udp")),
    )
    for field in fields
}
_COMPARED = ("<", ">", "<=", ">=")
_OPERATORS = ("==", "!=", "in", *_COMPARED)
_NO_NAMES: Mapping[str, int] = MappingProxyType({})


class Sets(NamedTuple):
    """The named sets and maps of a table, as nft lists them, by name; and its named limits. `table` is that
    table's own name, with its family."""

    listed: Mapping[str, Any]
    limits: Mapping[str, Any]
    whole: bool
    table: str = ""

    def list_of(self, name: str, keys: tuple[Key, ...]) -> str:
        """What packets are said to be on that a rule adds to this set, by these properties of theirs."""
        return f"{self.table} {name} {'.'.join(f'{one.name}/{one.mask:x}' for one in keys)}"


def test(match: Any, sets: Sets) -> Statement:
    """A match as a test."""
    operator, left, right = match.get("op"), match.get("left"), match.get("right")
    keys = keys_of(left)
    if keys is None or operator not in _OPERATORS:
        return Opaque(f"“{_name(left)}”")
    first = keys[0]
    if _asks_route(keys) and not isinstance(right, bool):
        return Opaque(f"“{_name(left)}”")
    if operator in _COMPARED:
        return _compared(keys, operator, right, _names(keys))
    named = isinstance(right, str) and right.startswith("@")
    if first.name == "tcp flags" and not named and not isinstance(right, dict):
        return _flags(first, operator, right)
    rows = rows_of(right, sets, _names(keys))
    if rows is None:
        return Opaque(f"“{_name(left)} {operator} {right}”")
    if first.name == "ct state" and operator == "!=" and len(rows) > 1 and isinstance(right, list):
        return Opaque("“ct state != …”")
    return Test(keys, rows, operator == "!=", sets.list_of(right, keys) if named else "")


def _asks_route(keys: tuple[Key, ...]) -> bool:
    """Whether one asks for a way to an address: what is known of it is that there is one, not which."""
    return any(key.name == "way back" for key in keys)


def _names(keys: tuple[Key, ...]) -> Mapping[str, int]:
    """What names mean as numbers where these properties are compared."""
    if len(keys) == 1:
        return NAMES.get(keys[0].name, _NO_NAMES)
    found: dict[str, int] = {}
    for key in keys:
        found.update(NAMES.get(key.name, {}))
    return found


def _name(left: Any) -> str:
    """A few words for an expression that is not understood."""
    if not isinstance(left, dict) or not left:
        return str(left)[:60]
    kind, value = next(iter(left.items()))
    inner = value.values() if isinstance(value, dict) else ()
    return " ".join([kind, *(one for one in inner if isinstance(one, str))])[:60]


def _flags(key: Key, operator: str, right: Any) -> Statement:
    """Flags of TCP: `==` means exactly these, `in` any of them."""
    number = _bits(right)
    if number is None:
        return Opaque("“tcp flags”")
    if operator == "in":
        return Test((Key(key.name, number),), ((Span(0, 0),),), negated=True)
    return Test((key,), ((Span(number, number),),), operator == "!=")


def _bits(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, str):
        return _TCP_FLAGS.get(value)
    parts = value.get("|") if isinstance(value, dict) else value
    if not isinstance(parts, list):
        return None
    numbers = [_bits(one) for one in parts]
    total = 0
    for one in numbers:
        if one is None:
            return None
        total |= one
    return total


def _compared(keys: tuple[Key, ...], operator: str, right: Any, names: Mapping[str, int]) -> Statement:
    value = value_of(right, names)
    if len(keys) != 1 or not isinstance(value, Span):
        return Opaque(f"“{keys[0].name} {operator} {right}”")
    span = {
        "<": Span(0, value.first - 1),
        "<=": Span(0, value.last),
        ">": Span(value.last + 1, _MOST),
        ">=": Span(value.first, _MOST),
    }[operator]
    return Test(keys, ((span,),))


def keys_of(left: Any) -> tuple[Key, ...] | None:
    """The properties that an expression reads; None where it is not understood."""
    if not isinstance(left, dict) or len(left) != 1:
        return None
    kind, value = next(iter(left.items()))
    if kind == "payload" and isinstance(value, dict):
        known = _USUAL.get((str(value.get("protocol")), str(value.get("field"))))
        if known:
            return known
    if kind == "concat" and isinstance(value, list):
        found: list[Key] = []
        for one in value:
            keys = keys_of(one)
            if keys is None:
                return None
            found += keys
        return tuple(found)
    if kind == "&" and isinstance(value, list) and len(value) == 2:
        return masked(keys_of(value[0]), value[1])
    name = _property(kind, value)
    return (Key(name),) if name else None


def masked(keys: tuple[Key, ...] | None, mask: Any) -> tuple[Key, ...] | None:
    """The properties with only these bits of them."""
    if keys is None or len(keys) != 1:
        return None
    number = _bits(mask)
    if number is None and isinstance(mask, str):
        span = span_of(mask)
        number = span.first if span else None
    return None if number is None else (Key(keys[0].name, number),)


def _property(kind: str, value: Any) -> str:
    if not isinstance(value, dict):
        return ""
    if kind == "meta":
        # A property without a meaning here is one that nobody knows: it leaves the test in doubt.
        return _META.get(str(value.get("key")), f"meta {value.get('key')}")
    if kind == "ct":
        return _of_connection(value)
    if kind == "payload":
        return _of_payload(str(value.get("protocol")), str(value.get("field")))
    if kind == "fib":
        return _of_route(value)
    if kind == "exthdr":
        return "other protocol" if "field" in value else "extension"
    return ""


def _of_connection(value: dict[str, Any]) -> str:
    key = str(value.get("key"))
    if "dir" in value:
        known = _CT_ORIGINAL.get(key) if value["dir"] == "original" else None
        return known or f"unknown {key}"
    return _CT.get(key, f"unknown {key}")


def _of_payload(protocol: str, field: str) -> str:
    if protocol in ("ip", "ip6"):
        return f"{protocol} {field}"
    if protocol == "th":
        return field
    if protocol in ("tcp", "udp", "icmp", "icmpv6"):
        return f"{protocol} {field}"
    if protocol == "ether":
        return "ethertype" if field == "type" else f"ether {field}"
    if protocol in ("udplite", "igmp", "sctp", "dccp", "ah", "esp", "comp", "arp"):
        return "other protocol"
    return ""


def _of_route(value: dict[str, Any]) -> str:
    flags = value.get("flags")
    flags = flags if isinstance(flags, list) else [flags]
    if value.get("result") == "type":
        return "daddr type" if "daddr" in flags else "saddr type"
    return "way back" if "saddr" in flags else ""


def rows_of(right: Any, sets: Sets, names: Mapping[str, int] = _NO_NAMES) -> tuple[Row, ...] | None:
    """The values that an expression is compared with, a row each, names as the numbers that they mean; None
    where they are not understood."""
    if isinstance(right, str) and right.startswith("@"):
        listed = sets.listed.get(right[1:])
        if listed is None or listed.get("map") or not sets.whole:
            return None
        return _rows(listed.get("elem") or [], names)
    if isinstance(right, dict) and "set" in right:
        right = right["set"]
    if isinstance(right, list):
        return _rows(right, names)
    row = _row(right, names)
    return None if row is None else (row,)


def _rows(values: Any, names: Mapping[str, int]) -> tuple[Row, ...] | None:
    found = []
    for one in values if isinstance(values, list) else [values]:
        row = _row(one, names)
        if row is None:
            return None
        found.append(row)
    return tuple(found)


def _row(value: Any, names: Mapping[str, int]) -> Row | None:
    if isinstance(value, dict):
        if "elem" in value:
            return _row(value["elem"].get("val"), names)
        if "concat" in value:
            parts = [value_of(one, names) for one in value["concat"]]
            known = tuple(one for one in parts if one is not None)
            return known if len(known) == len(parts) else None
    one = value_of(value, names)
    return None if one is None else (one,)


def value_of(value: Any, names: Mapping[str, int] = _NO_NAMES) -> Value | None:
    """One value: a number, an address, a network, a range, a name; None where it is not understood."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return Span(value, value)
    if isinstance(value, str):
        number = names.get(value)
        return span_of(value) or value if number is None else Span(number, number)
    if not isinstance(value, dict) or len(value) != 1:
        return None
    kind, inner = next(iter(value.items()))
    if kind == "prefix":
        return span_of(f"{inner.get('addr')}/{inner.get('len')}")
    if kind == "range" and isinstance(inner, list) and len(inner) == 2:
        first, last = value_of(inner[0], names), value_of(inner[1], names)
        if isinstance(first, Span) and isinstance(last, Span):
            return Span(first.first, last.last)
    return None


def choice(value: Any, sets: Sets, verdict: Verdicts) -> Statement:
    """A verdict map."""
    keys, data = keys_of(value.get("key")), value.get("data")
    if isinstance(data, str) and data.startswith("@"):
        listed = sets.listed.get(data[1:]) or {}
        data = (listed.get("elem") or []) if sets.whole else None
    elif isinstance(data, dict):
        data = data.get("set")
    if keys is None or not isinstance(data, list) or _asks_route(keys):
        return Opaque(_("the map of “{name}”", name=_name(value.get("key"))), verdict=True)
    found: list[tuple[Row, Verdict]] = []
    for one in data:
        pair = one["elem"]["val"] if isinstance(one, dict) and "elem" in one else one
        if not isinstance(pair, list) or len(pair) != 2:
            return Opaque(_("a verdict map"), verdict=True)
        row = _row(pair[0], _names(keys))
        name, target = next(iter(pair[1].items()))
        made = verdict(name, target)
        if row is None or made is None:
            return Opaque(_("a verdict map"), verdict=True)
        # What everything fits comes last, wherever it stands.
        found.append((tuple(ANY for _key in keys) if row == (ANY,) else row, made))
    found.sort(key=lambda one: ANY in one[0])
    return Choice(keys, tuple(found))
