"""A packet on its way in, and whether a test fits it: yes, no, or nobody knows."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable

from mailcow_wizard.facts.firewall.rules import ANY, Key, Span, Test
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import TypeAlias

    from mailcow_wizard.facts.firewall.rules import Row, Value

    Property: TypeAlias = "Span | frozenset[str] | None"

_SYN = 0x02
_DONT_FRAGMENT = 0x4000
_TCP = 6
_PROTOCOL = frozenset(("tcp",))


class _Absent:
    """The packet has no such property: a rule that asks for it does not fit, whichever way it asks."""


_ABSENT = _Absent()


class Packet(NamedTuple):
    """The first packet of a TCP connection from outside.

    `out` is the interface that it will leave by, empty before that is decided and for this machine itself,
    `?` where nobody knows. `local`: its address is this machine's own. `wanted` and `wanted_port` are where
    it was sent before anything changed that (None: as it is). `mark` and `flow_mark` are None where nobody
    knows. `moved`: its destination was changed, `masked`: its source.
    """

    family: int
    source: str
    address: str
    port: int
    interface: str
    local: bool = True
    out: str = ""
    mark: int | None = 0
    flow_mark: int | None = 0
    tracked: bool = True
    moved: bool = False
    masked: bool = False
    wanted: str = ""
    wanted_port: int = 0
    from_port: tuple[int, int] = (32768, 60999)


def fits(test: Test, packet: Packet) -> bool | None:
    """Whether the packet passes the test; None: nobody knows."""
    said = fits_rows(test.keys, test.rows, packet)
    if isinstance(said, _Absent):
        return False
    return said if said is None or not test.negated else not said


def fits_rows(keys: tuple[Key, ...], rows: tuple[Row, ...], packet: Packet) -> bool | _Absent | None:
    """Whether one of the rows fits; absent where the packet lacks one of the properties."""
    properties = [_property(key, packet) for key in keys]
    known = [one for one in properties if not isinstance(one, _Absent)]
    if len(known) < len(properties):
        return _ABSENT
    doubt = False
    for row in rows:
        said = _row(row, known)
        if said:
            return True
        doubt = doubt or said is None
    return None if doubt else False


def fits_row(keys: tuple[Key, ...], row: Row, packet: Packet) -> bool | None:
    """Whether this row fits."""
    said = fits_rows(keys, (row,), packet)
    return False if isinstance(said, _Absent) else said


def _row(row: Row, properties: list[Property]) -> bool | None:
    if len(row) != len(properties):
        return None
    answers = [_one(value, known) for value, known in zip(row, properties, strict=True)]
    if False in answers:
        return False
    return None if None in answers else True


def _one(value: Value, known: Property) -> bool | None:
    if value == ANY:
        return True
    if known is None:
        return None
    if isinstance(known, Span):
        if not isinstance(value, Span):
            return None
        if value.first <= known.first and known.last <= value.last:
            return True
        return False if known.last < value.first or value.last < known.first else None
    if isinstance(value, Span):
        return value.first <= _TCP <= value.last if known == _PROTOCOL else None
    if value.endswith("*"):
        return any(one.startswith(value[:-1]) for one in known)
    return value in known


def _property(key: Key, packet: Packet) -> Property | _Absent:
    found = _plain(key.name, packet)
    if key.mask and isinstance(found, Span):
        if found.first != found.last:
            return None
        return _exactly(found.first & key.mask)
    return found


def _plain(name: str, packet: Packet) -> Property | _Absent:
    family, _, field = name.partition(" ")
    if family in ("ip", "ip6") and field:
        return _of_header(family, field, packet)
    if name in _OF_FAMILY:
        return frozenset((_OF_FAMILY[name][packet.family == 6],))
    if name in ("iif", "oif"):
        interface = packet.interface if name == "iif" else packet.out
        return _ABSENT if not interface else None if interface == "?" else frozenset((interface,))
    if name.startswith("ct "):
        return _of_connection(name, packet)
    return _OTHERS[name](packet) if name in _OTHERS else None


_OF_FAMILY = {"nfproto": ("ipv4", "ipv6"), "ethertype": ("ip", "ip6")}


def _of_header(family: str, field: str, packet: Packet) -> Property | _Absent:
    if (family == "ip") is not (packet.family == 4):
        return _ABSENT
    if field in ("saddr", "daddr"):
        return number_of(packet.source if field == "saddr" else packet.address)
    if field in ("protocol", "nexthdr"):
        return _PROTOCOL
    return _exactly(_DONT_FRAGMENT) if field == "frag-off" else None


def _of_connection(name: str, packet: Packet) -> Property | _Absent:
    states = {"new"} if packet.tracked else {"untracked"}
    status = {"dnat"} if packet.moved else set[str]()
    if name in ("ct state", "ct status", "ct state or status"):
        chosen = {"ct state": states, "ct status": status}.get(name, states | status)
        return frozenset(chosen)
    if not packet.tracked:
        return _ABSENT
    if name == "ct direction":
        return frozenset(("original",))
    if name == "ct mark":
        return None if packet.flow_mark is None else _exactly(packet.flow_mark)
    if name == "ct wanted port":
        return _exactly(packet.wanted_port or packet.port)
    if name in ("ct wanted ip", "ct wanted ip6"):
        right = name.endswith("6") == (packet.family == 6)
        return number_of(packet.wanted or packet.address) if right else _ABSENT
    if name in ("ct from ip", "ct from ip6"):
        return number_of(packet.source) if name.endswith("6") == (packet.family == 6) else _ABSENT
    return _ABSENT if name == "ct helper" else None


_OTHERS: dict[str, Callable[[Packet], Property | _Absent]] = {
    "l4proto": lambda packet: _PROTOCOL,
    "dport": lambda packet: _exactly(packet.port),
    "sport": lambda packet: Span(*packet.from_port),
    "tcp flags": lambda packet: _exactly(_SYN),
    "other protocol": lambda packet: _ABSENT,
    "extension": lambda packet: frozenset(("false",)),
    "way back": lambda packet: frozenset(("true",)),
    "daddr type": lambda packet: frozenset(("local" if packet.local else "unicast",)),
    "saddr type": lambda packet: frozenset(("unicast",)),
    "pkttype": lambda packet: frozenset(("host", "unicast")),
    "mark": lambda packet: None if packet.mark is None else _exactly(packet.mark),
}


def _exactly(number: int) -> Span:
    return Span(number, number)


def number_of(address: str) -> Span | None:
    """An address as a number."""
    try:
        number = int(ipaddress.ip_address(address))
    except ValueError:
        return None
    return Span(number, number)


def span_of(network: str) -> Span | None:
    """The addresses of `10.0.0.0/8`, `10.0.0.0/255.0.0.0`, `10.0.0.1` or `10.0.0.1-10.0.0.9`."""
    first, dash, last = network.partition("-")
    try:
        if dash:
            return Span(int(ipaddress.ip_address(first)), int(ipaddress.ip_address(last)))
        found = ipaddress.ip_network(network, strict=False)
    except ValueError:
        return None
    return Span(int(found.network_address), int(found.broadcast_address))
