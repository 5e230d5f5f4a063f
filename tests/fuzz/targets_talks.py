"""What other machines say in a conversation: mail servers, web servers, whoever knocks at a listener."""

from __future__ import annotations

import contextlib
import ssl
import time
from collections import Counter
from typing import Any

from mailcow_wizard.facts.mail import relay
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.network import certificate, dialogue, mail_trip
from mailcow_wizard.host.network.conversation import Dialogue
from mailcow_wizard.host.reach import listener as reach_listener
from mailcow_wizard.tui.display.pasting import Pasting
from mailcow_wizard.tui.display.received import Received
from tests.fuzz import wires
from tests.fuzz.target import Target, text

_PROTOCOLS = ("smtp", "imap", "pop3", "sieve", "http", "redis", "doveadm", "greeting")
_LINES = ("EHLO x", "CAPA", "STARTTLS", "QUIT")
_CONTEXT = ssl.create_default_context()


def _conversation(data: bytes) -> None:
    """The first byte says which protocol; what is granted to STARTTLS is no TLS."""
    protocol = _PROTOCOLS[data[0] % len(_PROTOCOLS)] if data else "smtp"
    talk = dialogue._Talk(Dialogue(protocol, "192.0.2.1", 25, lines=_LINES), _CONTEXT, time.monotonic() + 2)
    link = wires.Link(data[1:], 64, ConnectionResetError(104, "Connection reset by peer"))

    def hold() -> None:
        talk._connected = link  # type: ignore[assignment]
        if protocol == "http":
            talk._ask_in_http()
            return
        talk._greeting()
        for line in _LINES:
            talk._say(line)

    with wires.instead(talk, "_hold", hold), wires.instead(talk, "_secure", lambda: None):
        talk.held()


def _starttls(data: bytes) -> None:
    link: Any = wires.Link(data, 5)
    with contextlib.suppress(HostError, OSError):
        certificate._start(link, time.monotonic() + 1)


def _knock(data: bytes) -> None:
    ear = reach_listener.ReachListener.__new__(reach_listener.ReachListener)
    ear._token, ear._table = b"token-25", lambda knock: "ok\n"
    ear._mistakes, ear._places, ear._clients = Counter(), Counter(), {}
    link: Any = wires.Link(data, 11)
    client = reach_listener._Client(link, 25, 4, "192.0.2.1")
    for _ in range(len(data) // 11 + 2):
        ear._hear(client)


def _paste(data: bytes) -> None:
    pasting = Pasting()
    typed = text(data)
    plain = "".join(map(pasting.plain, (typed[:7], typed[7:11], typed[11:])))
    assert len(plain) <= len(typed)
    received = Received()
    for place in range(0, min(len(data), 4096), 13):
        list(received.messages(data[place : place + 13]))


def _trip(data: bytes) -> None:
    mail_trip._headers(text(data))
    mail_trip._text(data)
    said = text(data)
    relay._outcome("open", said, said, ("250 x", "250 x", f"5{said}", "250 x", f"4{said}", f"5{said}"))


_MAIL = (
    b"220-mail.example.org ESMTP\r\n220 x\r\n250-PIPELINING\r\n250 STARTTLS\r\n250 ok\r\n"
    b"220 go\r\n221 bye\r\n"
)
_IMAP = b"* OK ready\r\n* X {3}\r\nabc\r\na1 OK\r\na2 OK\r\na3 OK begin TLS\r\n"
_POP3 = b"+OK x\r\n+OK\r\n+OK\r\nSTLS\r\n.\r\n+OK\r\n"
_SIEVE = b'"SIEVE" "fileinto"\r\n"STARTTLS"\r\nOK "ready"\r\nOK\r\nOK\r\nOK\r\nOK\r\n'
_HTTP = b"HTTP/1.1 200 OK\r\nServer: x\r\n\r\n{}"


def targets() -> tuple[Target, ...]:
    """Of conversations."""
    return (
        Target(
            "host conversations",
            _conversation,
            tuple(
                bytes((n,)) + one
                for n, one in enumerate(
                    (_MAIL, _IMAP, _POP3, _SIEVE, _HTTP, b"-NOAUTH\r\n", b"-\n", b"J\0\0\0\n5.5\0")
                )
            ),
        ),
        Target("host starttls", _starttls, (_MAIL,)),
        Target("host knocks", _knock, (b"MW1 token-25 KNOCK\n", b"MW1 token-25 REPORT 4:25a;c:o\n")),
        Target("tui pasted", _paste, (b"n\x1b[200~mail\x1b[31mfy\x07\x1b[201~\x1b",)),
        Target("host mail-headers", _trip, (b"Authentication-Results: a;\r\n spf=pass\r\nX: y\r\n\r\n",)),
    )
