"""A packet on its way in or out, and whether a test fits it: yes, no, or nobody knows."""

from __future__ import annotations

from collections.abc import Callable

from mailcow_wizard.facts.firewall.addresses import number_of, span_of
from mailcow_wizard.facts.firewall.icmp import ECHO, LISTENER_QUERY, LISTENER_REPORT
from mailcow_wizard.facts.firewall.statements import ANY, Key, Span, Test
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import TypeAlias

    from mailcow_wizard.facts.firewall.statements import Row, Value

    Property: TypeAlias = "Span | frozenset[str] | None"

_SYN, _ACK = 0x02, 0x10
_DONT_FRAGMENT = 0x4000
_EPHEMERAL = (32768, 60999)
_LONGEST = 65_535
_NEVER_ROUTED = 255  # the hop limit of neighbour discovery (RFC 4861, section 7)
# They have a hop limit of 1, and a header before that of ICMPv6 (RFC 3810, section 5).
_OF_LISTENERS = (LISTENER_QUERY, LISTENER_REPORT)
_ICMP = "icmp"
# By protocol: how rules name it, IPv4 and IPv6.
_PROTOCOLS = {
    "tcp": (frozenset(("tcp",)), frozenset(("tcp",))),
    "udp": (frozenset(("udp",)), frozenset(("udp",))),
    _ICMP: (frozenset(("icmp",)), frozenset(("icmpv6", "ipv6-icmp"))),
}
_NUMBERS = {
    _PROTOCOLS["tcp"][0]: 6,
    _PROTOCOLS["udp"][0]: 17,
    _PROTOCOLS[_ICMP][0]: 1,
    _PROTOCOLS[_ICMP][1]: 58,
}


class Absent:
    """The packet has no such property: a rule that asks for it does not fit, whichever way it asks."""


_ABSENT = Absent()


class Packet(NamedTuple):
    """The first packet of a connection, an echo request, the answer to one of these, or a message of
    neighbour or listener discovery (`message` is its type in ICMPv6; 0: it is none).

    `source` and `address` may be a network where more is not known.
    `protocol` is tcp, udp or icmp; `port` the one that is asked for (an answer comes from it). `interface`
    is where it came in, empty for what this machine sends itself (`leaving`, with `uid` as the sender: None
    where nobody knows). `out` is the interface that it will leave by, empty before that is decided and for
    this machine itself, `?` where nobody knows. `local`: its address is this machine's own. `wanted` and
    `wanted_port` are where it was sent before anything changed that (empty: as it is). `mark` and
    `flow_mark` are None where nobody knows. `moved`: its destination was changed, `masked`: its source.
    `reply`: it is the answer, `lost`: to something that was kept out of connection tracking; `follows`: it
    is what follows the answer, in either direction; with `lost`, connection tracking takes it for the first
    one of a connection. `early`: connection tracking has not seen it yet. `zone` is that of connection
    tracking (None: nobody knows). `seen` are the lists that rules put its sender on.
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
    protocol: str = "tcp"
    leaving: bool = False
    uid: int | None = None
    reply: bool = False
    lost: bool = False
    follows: bool = False
    early: bool = False
    message: int = 0
    zone: int | None = 0
    seen: frozenset[str] = frozenset()


def fits(test: Test, packet: Packet) -> bool | None:
    """Whether the packet passes the test; None: nobody knows."""
    said = fits_rows(test.keys, test.rows, packet)
    if isinstance(said, Absent):
        return False
    if test.listed in packet.seen:
        said = True
    return said if said is None or not test.negated else not said


def fits_rows(keys: tuple[Key, ...], rows: tuple[Row, ...], packet: Packet) -> bool | Absent | None:
    """Whether one of the rows fits; absent where the packet lacks one of the properties."""
    properties = [property_of(key, packet) for key in keys]
    known = [one for one in properties if not isinstance(one, Absent)]
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
    return False if isinstance(said, Absent) else said


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
    if not known:
        return False
    if isinstance(value, Span):
        return value.first <= _NUMBERS[known] <= value.last if known in _NUMBERS else None
    if value.endswith("*"):
        return any(one.startswith(value[:-1]) for one in known)
    return value in known


def property_of(key: Key, packet: Packet) -> Property | Absent:
    """What the packet has there (numbers, or names of the same); None: nobody knows."""
    found = _plain(key.name, packet)
    if key.mask and isinstance(found, Span):
        if found.first != found.last:
            return None
        return _exactly(found.first & key.mask)
    return found


def _plain(name: str, packet: Packet) -> Property | Absent:
    family, _, field = name.partition(" ")
    if family in ("ip", "ip6") and field:
        return _of_header(family, field, packet)
    if name in _OF_FAMILY:
        return frozenset((_OF_FAMILY[name][packet.family == 6],))
    if name in ("iif", "oif"):
        # A packet without an interface has one without a name.
        interface = packet.interface if name == "iif" else packet.out
        return None if interface == "?" else frozenset((interface,))
    if name.startswith("ct "):
        return _of_connection(name, packet)
    if name in _OTHERS:
        return _OTHERS[name](packet)
    # A property of another protocol is missing; of its own, unknown.
    return _ABSENT if family in _KINDS and _KINDS[family] != packet.protocol else None


_KINDS = {"tcp": "tcp", "udp": "udp", "icmp": _ICMP, "icmpv6": _ICMP}
_OF_FAMILY = {"nfproto": ("ipv4", "ipv6"), "ethertype": ("ip", "ip6")}


def _of_header(family: str, field: str, packet: Packet) -> Property | Absent:
    if (family == "ip") is not (packet.family == 4):
        return _ABSENT
    if field in ("saddr", "daddr"):
        return span_of(packet.source if field == "saddr" else packet.address)
    if field == "length":
        return _announced(packet)
    if field == "hoplimit" and packet.message:
        return _exactly(1 if packet.message in _OF_LISTENERS else _NEVER_ROUTED)
    if field == "nexthdr" and packet.message in _OF_LISTENERS:
        return frozenset(("hopopt",))
    if field in ("protocol", "nexthdr"):
        return _protocol(packet)
    return _exactly(_DONT_FRAGMENT) if field == "frag-off" else None


def _announced(packet: Packet) -> Property:
    """What its header says of its length: IPv6's leaves itself out."""
    whole, own = _length(packet), 40 if packet.family == 6 else 0
    return Span(whole.first - own, whole.last - own) if isinstance(whole, Span) else None


def _protocol(packet: Packet) -> frozenset[str]:
    return _PROTOCOLS[packet.protocol][packet.family == 6]


def _of_connection(name: str, packet: Packet) -> Property | Absent:
    known = packet.tracked and not packet.early and not packet.message
    known = known and not (packet.lost and packet.protocol != "udp" and not packet.follows)
    states = {_state(packet)}
    if name == "ct status" and not known:
        return _ABSENT
    status = ({"dnat"} if packet.moved else set[str]()) | (_ANSWERED if _is_late(packet) else set[str]())
    if _is_late(packet) and packet.masked:
        status |= {"snat"}
    if packet.follows and not packet.lost:
        status |= {"assured"}  # with the packet after the answer (nf_conntrack_proto_tcp.c)
    if name in ("ct state", "ct status", "ct state or status"):
        chosen = {"ct state": states, "ct status": status}.get(name, states | status)
        return frozenset(chosen)
    if not known:
        return _ABSENT
    answers = packet.reply and not packet.lost
    if name == "ct direction":
        return frozenset(("reply" if answers else "original",))
    if name == "ct mark":
        return None if packet.flow_mark is None else _exactly(packet.flow_mark)
    if name == "ct wanted port":
        return _ABSENT if packet.protocol == _ICMP else _exactly(packet.wanted_port or packet.port)
    if name == "ct from port":
        return _ABSENT if packet.protocol == _ICMP else Span(*_EPHEMERAL)
    first, last = (packet.address, packet.source) if answers else (packet.source, packet.address)
    if name in ("ct wanted ip", "ct wanted ip6"):
        right = name.endswith("6") == (packet.family == 6)
        return number_of(packet.wanted or last) if right else _ABSENT
    if name in ("ct from ip", "ct from ip6"):
        return number_of(first) if name.endswith("6") == (packet.family == 6) else _ABSENT
    return _ABSENT if name == "ct helper" else None


def _is_late(packet: Packet) -> bool:
    """Whether there was an answer already that connection tracking knows of."""
    return (packet.reply or packet.follows) and not packet.lost


_ANSWERED = {"seen-reply", "seen_reply", "confirmed"}


def _state(packet: Packet) -> str:
    """What connection tracking calls it."""
    if not packet.tracked:
        return "untracked"
    if packet.early:
        return "invalid"
    if packet.message:
        return "untracked"
    if packet.lost:
        # One that has neither SYN nor RST is picked up (net.netfilter.nf_conntrack_tcp_loose).
        return "new" if packet.protocol == "udp" or packet.follows else "invalid"
    return "established" if _is_late(packet) else "new"


def _port(packet: Packet, wanted: bool) -> Property | Absent:
    """The port that is asked for, or the one of whoever asks."""
    if packet.protocol == _ICMP:
        return _ABSENT
    return _exactly(packet.port) if wanted else Span(*_EPHEMERAL)


def _port_of(protocol: str, packet: Packet, wanted: bool) -> Property | Absent:
    return _port(packet, wanted) if packet.protocol == protocol else _ABSENT


def _flags(packet: Packet) -> Property | Absent:
    if packet.protocol != "tcp":
        return _ABSENT
    return _exactly(_ACK if packet.follows else _SYN | _ACK if packet.reply else _SYN)


def _type(packet: Packet, family: int) -> Property | Absent:
    if packet.protocol != _ICMP or packet.family != family:
        return _ABSENT
    return _exactly(packet.message or ECHO[family][packet.reply])


def _code(packet: Packet, family: int) -> Property | Absent:
    return _exactly(0) if packet.protocol == _ICMP and packet.family == family else _ABSENT


def _is_to_many(packet: Packet) -> bool:
    return packet.family == 6 and packet.address.lower().startswith("ff")


def _goal(packet: Packet) -> Property:
    """The kind of the address that it is sent to, as nft has it."""
    return frozenset(("multicast" if _is_to_many(packet) else "local" if packet.local else "unicast",))


def _kind(packet: Packet, local: bool) -> Property:
    """A kind of address as iptables has it: a local one of IPv6 is of both kinds."""
    return frozenset(("local", "unicast")[: 1 + (packet.family == 6)] if local else ("unicast",))


def _has_sender(packet: Packet) -> bool:
    """Whether a program sent it; echo requests and neighbours are answered by the kernel."""
    return packet.leaving and not packet.message and not (packet.reply and packet.protocol == _ICMP)


def _sender(packet: Packet) -> Property:
    """The user whose program sent it; nobody's where it only passes."""
    if not _has_sender(packet):
        return frozenset()
    return None if packet.uid is None else _exactly(packet.uid)


def _group(packet: Packet) -> Property:
    """The group whose program sent it; root's is 0."""
    sender = _sender(packet)
    return sender if not isinstance(sender, Span) or sender == Span(0, 0) else None


def _length(packet: Packet) -> Property:
    """Bytes from the IP header on. The two packets that open a connection of TCP are headers with or without
    options (RFC 9293, section 3.1), unless data comes with them (RFC 7413), which few send."""
    header = 20 if packet.family == 4 else 40
    if packet.protocol != "tcp":
        return Span(header + 8, _LONGEST)
    return Span(header + 20, _LONGEST if packet.follows else header + 60)


def _text(packet: Packet) -> Property:
    """Whether a text is found in it: what opens a connection carries none; what it is asked is not known."""
    return frozenset(("false",)) if packet.protocol == "tcp" else None


_OTHERS: dict[str, Callable[[Packet], Property | Absent]] = {
    "l4proto": _protocol,
    "dport": lambda packet: _port(packet, not packet.reply),
    "sport": lambda packet: _port(packet, packet.reply),
    "tcp dport": lambda packet: _port_of("tcp", packet, not packet.reply),
    "tcp sport": lambda packet: _port_of("tcp", packet, packet.reply),
    "udp dport": lambda packet: _port_of("udp", packet, not packet.reply),
    "udp sport": lambda packet: _port_of("udp", packet, packet.reply),
    "tcp flags": _flags,
    "icmp type": lambda packet: _type(packet, 4),
    "icmpv6 type": lambda packet: _type(packet, 6),
    "icmp code": lambda packet: _code(packet, 4),
    "icmpv6 code": lambda packet: _code(packet, 6),
    "skuid": lambda packet: _sender(packet) if _has_sender(packet) else _ABSENT,
    "owner": _sender,
    "skgid": lambda packet: _group(packet) if _has_sender(packet) else _ABSENT,
    "owner group": _group,
    "length": _length,
    "text": _text,
    "ipsec": lambda packet: frozenset(("false",)),
    "seen": lambda packet: packet.seen,
    "other protocol": lambda packet: None if packet.message in _OF_LISTENERS else _ABSENT,
    "extension": lambda packet: None if packet.message in _OF_LISTENERS else frozenset(("false",)),
    "way back": lambda packet: frozenset(("true",)),
    "daddr type": _goal,
    "saddr type": lambda packet: frozenset(("local" if packet.leaving else "unicast",)),
    "dst-type": lambda packet: _goal(packet) if _is_to_many(packet) else _kind(packet, packet.local),
    "src-type": lambda packet: _kind(packet, packet.leaving),
    "pkttype": lambda packet: (
        frozenset(("multicast",))
        if _is_to_many(packet) and not packet.leaving
        else frozenset(("host", "unicast"))
    ),
    "mark": lambda packet: None if packet.mark is None else _exactly(packet.mark),
}


def _exactly(number: int) -> Span:
    return Span(number, number)
