"""What a name server's packet says, as plain names and texts.

Names are in lower case without the final dot (the root is `.`); addresses in canonical form; a TXT record
is its strings joined (RFC 7208, 3.3).
"""

from __future__ import annotations

from functools import lru_cache

from mailcow_wizard.facts.dns.wire import Record, Unreadable, message
from mailcow_wizard.host.replies import DnsReply
from mailcow_wizard.language import _
from mailcow_wizard.typed import NamedTuple

NOERROR, NXDOMAIN, SERVFAIL, REFUSED = "NOERROR", "NXDOMAIN", "SERVFAIL", "REFUSED"


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

    @property
    def said(self) -> str:
        """Why there is no answer, else the response code, with what the server says about it."""
        return self.error or (f"{self.code} ({self.explained})" if self.explained else self.code)

    def of(self, type: str) -> tuple[Record, ...]:
        """The records of one type in the answer section."""
        return tuple(one for one in self.records if one.type == type)

    def values(self, type: str) -> tuple[str, ...]:
        """The values of the records of one type in the answer section."""
        return tuple(one.value for one in self.records if one.type == type)


def answer(reply: DnsReply) -> Answer:
    """What the reply says; a packet that cannot be read is no answer."""
    if not reply.packet:
        return Answer(reply.server, "", error=reply.error or _("no answer"))
    # Servers of one zone say the same but for the id: each text is read once.
    read = _read(b"\0\0" + reply.packet[2:])
    return read._replace(server=reply.server, seconds=reply.seconds)


@lru_cache(maxsize=4096)
def _read(packet: bytes) -> Answer:
    try:
        read = message(packet)
    except Unreadable:
        return Answer("", "", error=_("its answer is not readable"))
    return Answer(
        "",
        read.code,
        read.authoritative,
        read.authenticated,
        read.answer,
        read.authority,
        read.additional,
        read.explained,
    )


def folded(name: str) -> str:
    """A name in the form in which names are compared: lower case, no final dot."""
    return name.lower() if name == "." else name.lower().removesuffix(".")
