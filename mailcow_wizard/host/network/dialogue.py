"""Conversations with mail and web servers: one line is said, one answer is awaited, up to the end.

Not smtplib and its like: they hide what was said before TLS, and take each server for what it should be.
"""

from __future__ import annotations

import contextlib
import errno
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable

from mailcow_wizard.host.network.conversation import NO_AUTHORITIES, NO_TLS, Dialogue, Spoken
from mailcow_wizard.host.network.tls import indifferent, knows_authorities, trusting
from mailcow_wizard.host.processes.in_time import why
from mailcow_wizard.patterns import pattern

_MOST_BYTES = 1 << 18
_HTTP_SHOWN = 1 << 16
_TO_TLS = {"smtp": "STARTTLS", "imap": "STARTTLS", "pop3": "STLS", "sieve": "STARTTLS"}
_OUTCOMES = {
    errno.ECONNREFUSED: "refused",
    errno.ECONNRESET: "reset",
    errno.EPIPE: "reset",
    errno.ETIMEDOUT: "silent",
    **dict.fromkeys((errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL), "no route"),
    # What this machine lacks says nothing of the server.
    **dict.fromkeys((errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM), "no route"),
}
# Replies to these have several lines in POP3; all others have one.
_LONG_IN_POP3 = ("CAPA", "LIST", "UIDL", "TOP", "RETR")
_GRANTED = pattern(r"220|a\d+ OK|\+OK|OK", re.IGNORECASE)
PROXIED = "proxied http"
_CLIENT_FIRST = ("redis", "doveadm")
_FAREWELLS = ("QUIT", "LOGOUT")
_FAREWELL_S = 1.0
_LITERAL = pattern(rb"\{(\d{1,7})\+?\}\r?\n$")


class _Ended(Exception):
    """The server closed the connection, or said more than anybody would."""


class _NoTls(Exception):
    """TLS did not come about; the text says why."""


def converse(dialogues: tuple[Dialogue, ...], timeout: float) -> tuple[Spoken, ...]:
    """Holds all conversations, side by side, each in a thread: neither of them waits for another."""
    trusting()  # read once, and not by every thread
    results: list[Spoken | None] = [None] * len(dialogues)
    end = time.monotonic() + timeout

    def hold(place: int) -> None:
        results[place] = _held(dialogues[place], end)

    threads = [threading.Thread(target=hold, args=(place,), daemon=True) for place in range(len(dialogues))]
    for one in threads:
        one.start()
    for one in threads:
        one.join(max(0.0, end + 0.2 - time.monotonic()))
    late = Spoken("silent", text=f"no answer within {timeout:g} s")
    return tuple(one or late for one in results)


def _held(dialogue: Dialogue, end: float) -> Spoken:
    """The conversation with a client that trusts as others do; where that fails, once more with one that
    takes any certificate."""
    try:
        return _Talk(dialogue, trusting(), end).held()
    except ssl.SSLCertVerificationError as error:
        said = error.verify_message if knows_authorities() else NO_AUTHORITIES
    try:
        return _Talk(dialogue, indifferent(), end).held()._replace(trouble=said)
    except ssl.SSLError as error:
        return Spoken("failed", text=why(error), trouble=said)


def _proxy_line(own: tuple[object, ...], peer: tuple[object, ...], family: socket.AddressFamily) -> str:
    """Who asks whom, as a proxy says it (HAProxy's protocol, version 1)."""
    kind = "TCP6" if family == socket.AF_INET6 else "TCP4"
    return f"PROXY {kind} {own[0]} {peer[0]} {own[1]} {peer[1]}\r\n"


class _Talk:
    """One conversation under way."""

    def __init__(self, dialogue: Dialogue, context: ssl.SSLContext, end: float) -> None:
        self._dialogue = dialogue
        self._context = context
        self._end = end
        self._connected: socket.socket | None = None
        self._buffer = b""
        self._said = Spoken("open")
        self._number = 0

    def held(self) -> Spoken:
        """The whole of it. Raises ssl.SSLCertVerificationError where the certificate is not trusted."""
        try:
            self._hold()
        except ssl.SSLCertVerificationError:
            raise
        except _NoTls as error:
            self._end_as("failed", str(error))
        except _Ended as error:
            self._end_as("reset", str(error))
        except TimeoutError:
            self._end_as("silent", "no answer in time")
        except OSError as error:
            self._end_as(_OUTCOMES.get(error.errno or 0, "failed"), why(error))
        except ValueError as error:
            self._end_as("failed", str(error)[:200])
        finally:
            if self._connected is not None:
                self._connected.close()
        return self._said

    def _end_as(self, outcome: str, text: str) -> None:
        self._said = self._said._replace(outcome=outcome, text=text)

    @property
    def _link(self) -> socket.socket:
        if self._connected is None:
            raise _Ended("there is no connection")
        return self._connected

    def _hold(self) -> None:
        one = self._dialogue
        family = socket.AF_INET6 if ":" in one.address else socket.AF_INET
        socket.inet_pton(family, one.address.partition("%")[0])
        self._connected = socket.create_connection((one.address, one.port), self._left())
        own = self._link.getsockname()
        self._said = self._said._replace(own=f"{own[0]} {own[1]}")
        if one.protocol == PROXIED:
            self._send(_proxy_line(own, self._link.getpeername(), family).encode())
        if one.tls:
            self._secure()
        if one.protocol in ("http", PROXIED):
            self._ask_in_http()
            return
        if one.protocol not in _CLIENT_FIRST:
            self._said = self._said._replace(greeting=self._greeting())
        for line in one.lines:
            self._say(line)

    def _say(self, line: str) -> None:
        self._number += 1
        tag = f"a{self._number} " if self._dialogue.protocol == "imap" else ""
        end = "\n" if self._dialogue.protocol == "doveadm" else "\r\n"
        self._send(f"{tag}{line}{end}".encode())
        if line in _FAREWELLS:
            self._part()
            return
        reply = self._reply(line, tag)
        if line == _TO_TLS.get(self._dialogue.protocol) and _GRANTED.match(reply.rpartition("\n")[2]):
            # What came behind the grant came from somebody between us and the server (CVE-2011-0411).
            self._buffer = b""
            self._secure()
            if self._dialogue.protocol == "sieve":
                reply += "\n" + self._sieve()
        self._said = self._said._replace(replies=(*self._said.replies, reply))

    def _part(self) -> None:
        """Lets the server close first, as it should: its kernel then remembers for a while who we were."""
        self._end = min(self._end, time.monotonic() + _FAREWELL_S)
        with contextlib.suppress(_Ended, OSError):
            while True:
                self._receive()
                self._buffer = b""

    def _secure(self) -> None:
        self._link.settimeout(self._left())
        try:
            secured = self._context.wrap_socket(self._link, server_hostname=self._dialogue.name or None)
        except (ssl.SSLCertVerificationError, TimeoutError):
            raise
        except OSError as error:
            reason = getattr(error, "reason", None) or why(error)
            raise _NoTls(f"{NO_TLS}{str(reason).lower().replace('_', ' ')}") from None
        self._connected = secured
        der = secured.getpeercert(binary_form=True) or b""
        self._said = self._said._replace(tls=secured.version() or "TLS", der=der)

    def _greeting(self) -> str:
        protocol = self._dialogue.protocol
        if protocol == "sieve":
            return self._sieve()
        if protocol == "smtp":
            return self._smtp()
        if protocol == "greeting":
            return self._first_bytes()
        return self._line()

    def _reply(self, line: str, tag: str) -> str:
        protocol = self._dialogue.protocol
        if protocol == "smtp":
            return self._smtp()
        if protocol == "imap":
            return self._imap(tag)
        if protocol == "sieve":
            return self._sieve()
        first = self._line()
        if protocol == "pop3" and first.startswith("+") and line.upper().startswith(_LONG_IN_POP3):
            return "\n".join((first, *self._until(lambda one: one == ".")))
        return first

    def _smtp(self) -> str:
        return "\n".join(self._until(lambda one: one[3:4] != "-"))

    def _imap(self, tag: str) -> str:
        return "\n".join(self._until(lambda one: one.startswith(tag)))

    def _sieve(self) -> str:
        return "\n".join(self._until(lambda one: one.upper().startswith(("OK", "NO", "BYE"))))

    def _until(self, last: Callable[[str], bool]) -> list[str]:
        lines: list[str] = []
        size = 0
        while not lines or not last(lines[-1]):
            lines.append(self._line())
            size += len(lines[-1]) + 1
            if size > _MOST_BYTES:
                raise _Ended("it says more than anybody would")
        return lines

    def _line(self) -> str:
        """A line, and what it says comes with it (an IMAP literal)."""
        line = self._raw_line()
        while self._dialogue.protocol == "imap" and (literal := _LITERAL.search(line)):
            line += self._bytes(int(literal[1])) + self._raw_line()
            if len(line) > _MOST_BYTES:
                raise _Ended("it says more than anybody would")
        return line.decode("utf-8", "replace").rstrip("\r\n")

    def _raw_line(self) -> bytes:
        while b"\n" not in self._buffer:
            if len(self._buffer) > _MOST_BYTES:
                raise _Ended("its line has no end")
            self._receive()
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line + b"\n"

    def _bytes(self, count: int) -> bytes:
        if count > _MOST_BYTES:
            raise _Ended("it says more than anybody would")
        while len(self._buffer) < count:
            self._receive()
        taken, self._buffer = self._buffer[:count], self._buffer[count:]
        return taken

    def _first_bytes(self) -> str:
        """What comes first of a protocol that has no lines (MariaDB's): bytes, as letters of Latin-1."""
        self._receive()
        taken, self._buffer = self._buffer[:512], b""
        return taken.decode("latin-1")

    def _receive(self) -> None:
        self._link.settimeout(self._left())
        part = self._link.recv(16384)
        if not part:
            raise _Ended("it closed the connection without an answer")
        self._buffer += part

    def _ask_in_http(self) -> None:
        self._send("\r\n".join((*self._dialogue.lines, "", "")).encode())
        try:
            while len(self._buffer) < _HTTP_SHOWN:
                self._receive()
        except _Ended:
            pass
        reply = self._buffer[:_HTTP_SHOWN].decode("utf-8", "replace").replace("\r\n", "\n")
        if not reply:
            raise _Ended("it closed the connection without an answer")
        self._said = self._said._replace(replies=(reply,))

    def _send(self, data: bytes) -> None:
        self._link.settimeout(self._left())
        self._link.sendall(data)

    def _left(self) -> float:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left
