"""Reads the messages of name servers (RFC 1035, 3596, 2782, 4034, 6698, 8659): as much as checks need. Pure.

dnspython would do it, and does where records are published; but loading it takes 65 ms and reading a message
0.4, and a run of checks reads hundreds. What this reads is compared with what dnspython reads in its tests.
"""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Callable

from mailcow_wizard.typed import NamedTuple

_HEADER, _RECORD = struct.Struct("!HHHHHH"), struct.Struct("!HHIH")
_SOA, _SRV, _PAIR = struct.Struct("!IIIII"), struct.Struct("!HHH"), struct.Struct("!HH")
_IN, _OPT, _POINTER = 1, 41, 0xC0
_LONGEST_LABEL, _LONGEST_NAME, _MOST_HOPS = 63, 255, 40
_AUTHORITATIVE, _AUTHENTICATED = 0x0400, 0x0020
_EXPLAINED = 15
_OF_SIGNATURES = range(5, 13)  # of the explanations below
_MOST_RECORDS = 2000
_ESCAPED = b'".;\\@$()'
_MOST_TTL = 0x7FFFFFFF

# https://www.iana.org/assignments/dns-parameters, 2025.
CODES = {
    0: "NOERROR", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED", 6: "YXDOMAIN",
    7: "YXRRSET", 8: "NXRRSET", 9: "NOTAUTH", 10: "NOTZONE", 16: "BADVERS", 23: "BADCOOKIE",
}  # fmt: skip
EXPLANATIONS = (
    "other", "unsupported dnskey algorithm", "unsupported ds digest type", "stale answer", "forged answer",
    "dnssec indeterminate", "dnssec bogus", "signature expired", "signature not yet valid", "dnskey missing",
    "rrsigs missing", "no zone key bit set", "nsec missing", "cached error", "not ready", "blocked",
    "censored", "filtered", "prohibited", "stale nxdomain answer", "not authoritative", "not supported",
    "no reachable authority", "network error", "invalid data",
)  # fmt: skip
TYPES = {
    1: "A", 2: "NS", 5: "CNAME", 6: "SOA", 12: "PTR", 15: "MX", 16: "TXT", 28: "AAAA", 33: "SRV", 39: "DNAME",
    43: "DS", 46: "RRSIG", 47: "NSEC", 48: "DNSKEY", 50: "NSEC3", 52: "TLSA", 257: "CAA",
}  # fmt: skip


class Unreadable(ValueError):
    """The packet is no message."""


class Record(NamedTuple):
    """One resource record; `value` in the zone file's form, names folded, empty for types that no check
    reads; `ttl` in seconds. A TXT record is its strings joined (RFC 7208, 3.3)."""

    name: str
    type: str
    ttl: int
    value: str


class Message(NamedTuple):
    """A message: its response code in words, two of its flags, its sections, and what the server says about
    its own error (RFC 8914)."""

    code: str
    authoritative: bool
    authenticated: bool
    answer: tuple[Record, ...]
    authority: tuple[Record, ...]
    additional: tuple[Record, ...]
    explained: str


def message(packet: bytes) -> Message:
    """Reads a whole message; what comes behind it is not looked at. Raises Unreadable."""
    try:
        return _Reader(packet).message()
    except (IndexError, struct.error, ValueError) as error:
        raise Unreadable(str(error)) from None


class _Reader:
    def __init__(self, packet: bytes) -> None:
        self._packet = packet
        self._place = _HEADER.size
        self._names: dict[int, tuple[bytes, ...]] = {}
        self._high = 0
        self._explained: list[str] = []

    def message(self) -> Message:
        _, flags, questions, answers, authorities, additions = _HEADER.unpack_from(self._packet)
        for _ in range(questions):
            self._name()
            self._place += 4
        answer, authority = self._section(answers), self._section(authorities)
        additional = self._section(additions)
        number = (self._high << 4) | (flags & 15)
        return Message(
            CODES.get(number, f"code {number}"),
            bool(flags & _AUTHORITATIVE),
            bool(flags & _AUTHENTICATED),
            answer,
            authority,
            additional,
            "; ".join(self._explained)[:200],
        )

    def _section(self, count: int) -> tuple[Record, ...]:
        found: dict[Record, None] = {}
        for _ in range(count):
            name = self._name()
            type, group, ttl, length = _RECORD.unpack_from(self._packet, self._place)
            start = self._place + _RECORD.size
            self._place = start + length
            if self._place > len(self._packet):
                raise Unreadable("a record is cut short")
            if type == _OPT:
                self._high = ttl >> 24
                self._options(self._packet[start : self._place])
            elif group == _IN and len(found) < _MOST_RECORDS:
                kind = TYPES.get(type, f"TYPE{type}")
                value = _VALUES[kind](self, start, self._place) if kind in _VALUES else ""
                found[Record(name, kind, ttl if ttl <= _MOST_TTL else 0, value)] = None
        return tuple(found)

    def _name(self) -> str:
        text, self._place = self.name(self._place)
        return text

    def name(self, place: int) -> tuple[str, int]:
        """The name that begins here, folded, and where it ends."""
        labels, end = self._labels(place)
        return ".".join(map(_label, labels)) or ".", end

    def _labels(self, place: int, hops: int = 0) -> tuple[tuple[bytes, ...], int]:
        """A name's parts. Pointers lead backwards only, and not often: there are no loops (1035, 4.1.4)."""
        start = place
        parts: list[bytes] = []
        rest: tuple[bytes, ...] = ()
        while length := self._packet[place]:
            if length >= _POINTER:
                target = (length & 0x3F) << 8 | self._packet[place + 1]
                if target >= start or hops >= _MOST_HOPS:
                    raise Unreadable("a name leads nowhere")
                rest = self._names.get(target) or self._labels(target, hops + 1)[0]
                place += 1
                break
            if length > _LONGEST_LABEL:
                raise Unreadable("a label of a kind that does not exist")
            parts.append(self._packet[place + 1 : place + 1 + length])
            place += 1 + length
        labels = (*parts, *rest)
        if sum(len(one) + 1 for one in labels) >= _LONGEST_NAME:
            raise Unreadable("a name is too long")
        self._names[start] = labels
        return labels, place + 1

    def _options(self, data: bytes) -> None:
        place = 0
        while place + 4 <= len(data):
            code, length = _PAIR.unpack_from(data, place)
            option = data[place + 4 : place + 4 + length]
            place += 4 + length
            if code == _EXPLAINED and len(option) >= 2:
                number = int.from_bytes(option[:2], "big")
                text = option[2:].rstrip(b"\0").decode("utf-8", "replace")
                known = EXPLANATIONS[number] if number < len(EXPLANATIONS) else f"error {number}"
                # Of signatures some resolvers add no more than which record it is, or a mark of their own.
                alone = number in _OF_SIGNATURES and known not in text.lower()
                self._explained.append(f"{known}: {text}" if text and alone else text or known)

    # --- values by type ---

    def address(self, start: int, end: int) -> str:
        """A and AAAA."""
        return str(ipaddress.ip_address(self._packet[start:end]))

    def target(self, start: int, end: int) -> str:
        """NS, CNAME, PTR, DNAME."""
        return self.name(start)[0]

    def exchanger(self, start: int, end: int) -> str:
        """MX."""
        return f"{int.from_bytes(self._packet[start : start + 2], 'big')} {self.name(start + 2)[0]}"

    def service(self, start: int, end: int) -> str:
        """SRV."""
        priority, weight, port = _SRV.unpack_from(self._packet, start)
        return f"{priority} {weight} {port} {self.name(start + 6)[0]}"

    def authority(self, start: int, end: int) -> str:
        """SOA."""
        primary, place = self.name(start)
        mailbox, place = self.name(place)
        return " ".join((primary, mailbox, *map(str, _SOA.unpack_from(self._packet, place))))

    def text(self, start: int, end: int) -> str:
        """TXT."""
        parts = []
        while start < end:
            length = self._packet[start]
            if start + 1 + length > end:
                raise Unreadable("a text is cut short")
            parts.append(self._packet[start + 1 : start + 1 + length])
            start += 1 + length
        return b"".join(parts).decode("utf-8", "replace")

    def association(self, start: int, end: int) -> str:
        """TLSA."""
        usage, selector, matching = self._packet[start : start + 3]
        return f"{usage} {selector} {matching} {self._packet[start + 3 : end].hex()}"

    def signer(self, start: int, end: int) -> str:
        """DS."""
        tag, algorithm, digest = struct.unpack_from("!HBB", self._packet, start)
        return f"{tag} {algorithm} {digest} {self._packet[start + 4 : end].hex()}"

    def issuer(self, start: int, end: int) -> str:
        """CAA."""
        flags, length = self._packet[start : start + 2]
        tag = self._packet[start + 2 : start + 2 + length]
        value = self._packet[start + 2 + length : end]
        return f'{flags} {_quoted(tag)} "{_quoted(value)}"'


_VALUES: dict[str, Callable[[_Reader, int, int], str]] = {
    "A": _Reader.address,
    "AAAA": _Reader.address,
    "NS": _Reader.target,
    "CNAME": _Reader.target,
    "PTR": _Reader.target,
    "DNAME": _Reader.target,
    "MX": _Reader.exchanger,
    "SRV": _Reader.service,
    "SOA": _Reader.authority,
    "TXT": _Reader.text,
    "TLSA": _Reader.association,
    "DS": _Reader.signer,
    "CAA": _Reader.issuer,
}


def _label(label: bytes) -> str:
    """A label as zone files have it, in lower case (RFC 1035, 5.1)."""
    if label.replace(b"-", b"").replace(b"_", b"").isalnum():
        return label.decode("ascii").lower()
    return "".join(
        f"\\{chr(one)}" if one in _ESCAPED else chr(one) if 0x20 < one < 0x7F else f"\\{one:03d}"
        for one in label.lower()
    )


def _quoted(text: bytes) -> str:
    return "".join(
        f"\\{chr(one)}" if one in b'"\\' else chr(one) if 0x20 <= one < 0x7F else f"\\{one:03d}"
        for one in text
    )
