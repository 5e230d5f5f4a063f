"""What a name server's packet says: dnspython reads it, and here it becomes plain names and texts.

Names are in lower case without the final dot (the root is `.`); addresses in canonical form; a TXT record
is its strings joined (RFC 7208, 3.3).
"""

from __future__ import annotations

import contextlib
from functools import lru_cache

from mailcow_wizard.host.door import DnsReply
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import dns.message
    import dns.rdata
    import dns.rrset

NOERROR, NXDOMAIN, SERVFAIL, REFUSED = "NOERROR", "NXDOMAIN", "SERVFAIL", "REFUSED"
_MOST_RECORDS = 2000


class Record(NamedTuple):
    """One resource record; `value` in the zone file's form, names folded; `ttl` in seconds."""

    name: str
    type: str
    ttl: int
    value: str


class Answer(NamedTuple):
    """A server's answer. `code` is the response code, empty where there is no answer and `error` says why.

    `explained` is what the server says about its own error (RFC 8914); `seconds` how long it took.
    """

    server: str
    code: str
    authoritative: bool = False
    authenticated: bool = False
    records: tuple[Record, ...] = ()
    authority: tuple[Record, ...] = ()
    additional: tuple[Record, ...] = ()
    explained: str = ""
    error: str = ""
    seconds: float = 0.0

    def of(self, type: str) -> tuple[Record, ...]:
        """The records of one type in the answer section."""
        return tuple(one for one in self.records if one.type == type)

    def values(self, type: str) -> tuple[str, ...]:
        """The values of the records of one type in the answer section."""
        return tuple(one.value for one in self.records if one.type == type)


def answer(reply: DnsReply) -> Answer:
    """What the reply says; a packet that cannot be read is no answer."""
    if not reply.packet:
        return Answer(reply.server, "", error=reply.error or "no answer")
    # Servers of one zone say the same but for the id: each text is read once.
    read = _read(b"\0\0" + reply.packet[2:])
    return read._replace(server=reply.server, seconds=reply.seconds)


@lru_cache(maxsize=4096)
def _read(packet: bytes) -> Answer:
    import dns.exception
    import dns.flags
    import dns.message
    import dns.rcode

    try:
        message = dns.message.from_wire(packet, ignore_trailing=True)
        return Answer(
            "",
            dns.rcode.to_text(message.rcode()),
            bool(message.flags & dns.flags.AA),
            bool(message.flags & dns.flags.AD),
            _records(message.answer),
            _records(message.authority),
            _records(message.additional),
            _explained(message),
        )
    except (dns.exception.DNSException, ValueError, IndexError, RecursionError):
        return Answer("", "", error="its answer is not readable")


def _records(section: list[dns.rrset.RRset]) -> tuple[Record, ...]:
    import dns.rdatatype

    found = []
    for group in section:
        name = folded(group.name.to_text())
        type = dns.rdatatype.to_text(group.rdtype)
        found += [Record(name, type, group.ttl, _value(type, one)) for one in group]
    return tuple(found[:_MOST_RECORDS])


def _value(type: str, data: dns.rdata.Rdata) -> str:
    if type == "TXT":
        return b"".join(data.strings).decode("utf-8", "replace")  # type: ignore[attr-defined]
    text = data.to_text()
    if type in ("MX", "SRV", "CNAME", "NS", "PTR", "SOA"):
        return " ".join(folded(word) for word in text.split(" "))
    return text


def folded(name: str) -> str:
    """A name in the form in which names are compared: lower case, no final dot."""
    return name.lower() if name == "." else name.lower().removesuffix(".")


def _explained(message: dns.message.Message) -> str:
    import dns.edns

    texts = []
    for option in message.options:
        if isinstance(option, dns.edns.EDEOption):
            with contextlib.suppress(ValueError):
                texts.append(option.text or dns.edns.EDECode(option.code).name.replace("_", " ").lower())
    return "; ".join(texts)[:200]
