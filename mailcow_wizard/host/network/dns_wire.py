"""The few bytes of a DNS message (RFC 1035, 6891) that asking needs: the question, and what answers it.

The content of answers is read by `facts.dns.wire`; dnspython would do both, and loading it takes longer than
the first round trip.
"""

import re
import struct

from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.replies import DnsQuestion
from mailcow_wizard.patterns import pattern
from mailcow_wizard.typed import NamedTuple

NOERROR, FORMERR, NOTIMP, NXDOMAIN = 0, 1, 4, 3
TYPES = {
    "A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28, "SRV": 33,
    "DS": 43, "DNSKEY": 48, "TLSA": 52, "CAA": 257,
}  # fmt: skip
# What passes everywhere without fragments (DNS flag day 2020).
UDP_SIZE = 1232

_HEADER = struct.Struct("!HHHHHH")
_RESPONSE, _TRUNCATED, _RECURSE, _CHECKING_DISABLED = 0x8000, 0x0200, 0x0100, 0x0010
_OPT, _DNSSEC_OK, _IN = 41, 0x8000, 1
_LABEL, _NAME = 63, 255
# What a name consists of: a dot, a byte by its number, a letter that means itself, and all else.
_PIECES = pattern(r"(\.)|\\([0-9]{3})|\\(.)|([^.\\]+|\\)", re.DOTALL)
_LAST_BYTE = 255


class Header(NamedTuple):
    """What a message says in its first bytes; `rcode` without the bits that EDNS adds."""

    id: int
    response: bool
    truncated: bool
    rcode: int

    @property
    def dislikes_edns(self) -> bool:
        """Whether the server may only not understand EDNS (RFC 6891, 7)."""
        return self.rcode in (FORMERR, NOTIMP)


def query(question: DnsQuestion, number: int) -> bytes:
    """A question as a message with this id. Raises HostError for a name that DNS cannot carry."""
    flags = (_RECURSE if question.recursive else 0) | (
        _CHECKING_DISABLED if question.checking_disabled else 0
    )
    start = _HEADER.pack(number, flags, 1, 0, 0, 1)
    asked = encoded(question.name) + struct.pack("!HH", TYPES[question.type], _IN)
    options = struct.pack("!BHHIH", 0, _OPT, UDP_SIZE, _DNSSEC_OK if question.dnssec else 0, 0)
    return start + asked + options


def plain(wire: bytes) -> bytes:
    """The same question without EDNS."""
    number, flags, asked, *_ = _HEADER.unpack_from(wire)
    end = _question_end(wire)
    return _HEADER.pack(number, flags, asked, 0, 0, 0) + wire[_HEADER.size : end]


def header(packet: bytes) -> Header:
    """The header of a message of at least twelve bytes."""
    number, flags, *_ = _HEADER.unpack_from(packet)
    return Header(number, bool(flags & _RESPONSE), bool(flags & _TRUNCATED), flags & 0x000F)


def answers(packet: bytes, wire: bytes) -> bool:
    """Whether a packet is an answer to this very question: its id, and the name, type and class asked."""
    if len(packet) < _HEADER.size or packet[:2] != wire[:2] or not header(packet).response:
        return False
    asked = wire[_HEADER.size : _question_end(wire)]
    given = packet[_HEADER.size : _HEADER.size + len(asked)]
    if given.lower() == asked.lower() and packet[4:6] == b"\0\1":
        return True
    # A server that does not understand the question at all need not repeat it.
    return packet[4:6] == b"\0\0" and header(packet).rcode in (FORMERR, NOTIMP)


def encoded(name: str) -> bytes:
    """A name in the zone file's form (RFC 1035, 5.1) as labels. Raises HostError where a label or the whole
    is empty or too long, and where it is no such name."""
    parts = []
    for data in _labels(name):
        if not 0 < len(data) <= _LABEL:
            raise HostError("a name with an empty or too long part cannot be looked up")
        parts.append(bytes((len(data),)) + data)
    whole = b"".join(parts) + b"\0"
    if len(whole) > _NAME:
        raise HostError("a name of more than 255 bytes cannot be looked up")
    return whole


def _labels(name: str) -> list[bytes]:
    if "\\" not in name:
        return (
            [one.encode("utf-8", "replace") for one in name.rstrip(".").split(".")]
            if name.rstrip(".")
            else []
        )
    labels = [b""]
    for dot, number, letter, plain in _PIECES.findall(name.removesuffix(".")):
        if dot:
            labels.append(b"")
        elif number and int(number) > _LAST_BYTE:
            raise HostError("a name with a byte over 255 cannot be looked up")
        else:
            labels[-1] += bytes((int(number),)) if number else (letter or plain).encode("utf-8", "replace")
    return labels


def _question_end(wire: bytes) -> int:
    place = _HEADER.size
    while wire[place]:
        place += 1 + wire[place]
    return place + 5
