"""What the far side of `reach` says on one connection, and what it understands of the answer.

One of the wizard's own listeners is told the token. What something serves already is asked as it is: a mail
server is awaited, a web server is asked for its headers, TLS is begun; nothing is sent that changes anything.
An answer is one letter: a arrived, o open, t it speaks TLS, m somebody else answered; after a tilde what it
said (for TLS: which certificate it shows), in letters that can be pasted and typed.
"""

from __future__ import annotations

import re

from mailcow_wizard.host.reach.listener import MAGIC
from mailcow_wizard.patterns import pattern
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Literal, TypeAlias

    Kind: TypeAlias = Literal["knock", "open", "greets", "tls", "http"]
else:
    Kind = str

TEXT_LENGTH = 40
CERTIFICATE_LENGTH = 16
"""So many hexadecimal digits of a certificate's SHA-256 are told."""
_MOST_BYTES = 16_384
_MORE_FOLLOWS = pattern(rb"\d{3}-")
_ASIDE = pattern(r"\[[^\]]*\] |<[^>]*>")
"""What a server can do, and what it says but once (POP3): neither tells which server it is."""
_HEAD = b"HEAD / HTTP/1.0\r\n\r\n"
_RECORDS_OF_TLS = (b"\x16\x03", b"\x15\x03")


class Door(NamedTuple):
    """One port at one address, and how it is asked."""

    address: str
    port: int
    kind: Kind


class Talk:
    """One connection: what to say first, then what to say to each answer, until `answer` is set."""

    first = b""

    def __init__(self) -> None:
        self.answer = ""
        self.said = b""

    def take(self, data: bytes) -> bytes:
        """Reads what came, nothing where the other side closed; what to say to it."""
        self.said += data
        self._read(ended=not data or len(self.said) > _MOST_BYTES)
        return b""

    def end(self) -> str:
        """The answer where nothing more is awaited."""
        if not self.answer:
            self._read(ended=True)
        return self.answer

    def _read(self, ended: bool) -> None:
        raise NotImplementedError


class _Open(Talk):
    """It is enough that it is open."""

    def __init__(self) -> None:
        super().__init__()
        self.answer = "o"

    def _read(self, ended: bool) -> None:
        """There is nothing to read."""


class _Knock(Talk):
    """One of the wizard's listeners knows the token."""

    def __init__(self, door: Door, token: str) -> None:
        super().__init__()
        self.first = f"{MAGIC} {token} {door.port}\n".encode()

    def _read(self, ended: bool) -> None:
        wanted = f"{MAGIC} OK ".encode()
        if self.said.startswith(wanted):
            self.answer = "a"
        elif ended or not wanted.startswith(self.said):
            self.answer = "m"


class _Greets(Talk):
    """It speaks first; of a greeting of several lines the last one counts, before it comes a teaser."""

    def _read(self, ended: bool) -> None:
        lines = self.said.splitlines(keepends=True)
        whole = [one for one in lines if one.endswith(b"\n")]
        final = next((one for one in whole if not _MORE_FOLLOWS.match(one)), b"")
        if final or ended:
            self.answer = with_text("o", final or (lines[-1] if lines else b""))


class _Http(Talk):
    """A web server: its status, and what it calls itself."""

    first = _HEAD

    def _read(self, ended: bool) -> None:
        head, blank, _ = self.said.replace(b"\r", b"").partition(b"\n\n")
        if not blank and not ended:
            return
        status, *fields = head.split(b"\n")
        named = next((one.partition(b":")[2] for one in fields if one.lower().startswith(b"server:")), b"")
        if status.startswith(b"HTTP/"):
            status = status[:12]
        self.answer = with_text("o", status + b" " + named.strip())


class _Tls(Talk):
    """A server that speaks TLS from the first byte: which certificate it shows to whoever names no host."""

    def __init__(self) -> None:
        super().__init__()
        import ssl

        from mailcow_wizard.host.network.tls import indifferent

        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._link = indifferent().wrap_bio(self._in, self._out)
        self.first = self._go_on()

    def take(self, data: bytes) -> bytes:
        """Goes on with the handshake."""
        self.said += data[: max(0, _MOST_BYTES - len(self.said))]
        if len(self.said) >= 2 and not self.said.startswith(_RECORDS_OF_TLS):
            self._read(ended=b"\n" in self.said or not data)
            return b""
        self._in.write(data)
        reply = self._go_on()
        if not data:
            self._read(ended=True)
        return reply

    def _go_on(self) -> bytes:
        import hashlib
        import ssl

        try:
            self._link.do_handshake()
        except ssl.SSLWantReadError:
            return self._out.read()
        except (ssl.SSLError, ValueError):
            self._read(ended=True)
            return b""
        der = self._link.getpeercert(binary_form=True) or b""
        self.answer = with_text("t", hashlib.sha256(der).hexdigest()[:CERTIFICATE_LENGTH].encode())
        return b""

    def _read(self, ended: bool) -> None:
        if ended and not self.answer:
            speaks_tls = self.said.startswith(_RECORDS_OF_TLS)
            self.answer = "t" if speaks_tls else with_text("o", self.said.partition(b"\n")[0])


def talk(door: Door, token: str) -> Talk:
    """What is to be said at a door."""
    if door.kind == "knock":
        return _Knock(door, token)
    return {"open": _Open, "greets": _Greets, "http": _Http, "tls": _Tls}[door.kind]()


def with_text(letter: str, said: bytes) -> str:
    """An answer with what was said, in letters that no shell and no report takes for its own: `,` stands for
    a point, `_` for whatever else."""
    text = _ASIDE.sub("", said.decode("latin-1")).replace(".", ",")
    text = re.sub(r"[^A-Za-z0-9+*,-]", "_", text)[:TEXT_LENGTH].rstrip("_")
    return f"{letter}~{text}" if text else letter
