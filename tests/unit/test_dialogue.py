"""Conversations with servers that are odd, rude or slow: each ends in time, and with what was said."""

import contextlib
import resource
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from mailcow_wizard.host.network.conversation import Dialogue, Spoken
from mailcow_wizard.host.network.dialogue import converse


@contextmanager
def server(*said: bytes, wait: bool = True) -> Iterator[tuple[int, list[bytes]]]:
    """Says one thing at once and one after each line that it hears; its port, and what it heard."""
    heard: list[bytes] = []
    ending = threading.Event()

    def serve() -> None:
        try:
            link, _ = listening.accept()
        except OSError:
            return
        with link:
            for part in said:
                link.sendall(part)
                try:
                    heard.append(link.recv(4096))
                except OSError:
                    return
            if wait:
                ending.wait(10)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield listening.getsockname()[1], heard
        finally:
            ending.set()


def talk(protocol: str, port: int, *lines: str, tls: bool = False, timeout: float = 3.0) -> Spoken:
    return converse((Dialogue(protocol, "127.0.0.1", port, "a.test", tls, lines),), timeout)[0]


@pytest.mark.parametrize(
    ("protocol", "said", "lines", "replies"),
    [
        ("smtp", (b"220-a\r\n220 b\r\n", b"250-x\r\n250 y\r\n"), ("EHLO z",), ("250-x\n250 y",)),
        (
            "imap",
            (b"* OK hi\r\n", b"* CAPABILITY X\r\na1 OK\r\n"),
            ("CAPABILITY",),
            ("* CAPABILITY X\na1 OK",),
        ),
        (
            "imap",
            (b"* OK hi\r\n", b"* 1 FETCH (BODY[] {4}\r\na1\r\n)\r\na1 OK\r\n"),
            ("FETCH 1",),
            ("* 1 FETCH (BODY[] {4}\r\na1\r\n)\na1 OK",),
        ),
        ("pop3", (b"+OK hi\r\n", b"+OK\r\nSTLS\r\n.\r\n"), ("CAPA",), ("+OK\nSTLS\n.",)),
        ("pop3", (b"+OK hi\r\n", b"-ERR no\r\n"), ("CAPA",), ("-ERR no",)),
        ("sieve", (b'"SIEVE" "x"\r\nOK\r\n', b'NO "what"\r\n'), ("X",), ('NO "what"',)),
    ],
)
def test_replies(
    protocol: str, said: tuple[bytes, ...], lines: tuple[str, ...], replies: tuple[str, ...]
) -> None:
    with server(*said) as (port, heard):
        found = talk(protocol, port, *lines)
    assert (found.outcome, found.replies) == ("open", replies)
    assert found.own.startswith("127.0.0.1 ")
    assert len(heard) >= 1


def test_http() -> None:
    with server(b"", wait=False) as (port, heard):
        found = talk("http", port, "GET / HTTP/1.0", "Host: a.test", timeout=0.6)
    assert found.outcome == "reset"
    with server(b"HTTP/1.0 200 OK\r\n\r\n<html>", wait=False) as (port, heard):
        found = talk("http", port, "GET / HTTP/1.0", "Host: a.test")
    assert found.replies == ("HTTP/1.0 200 OK\n\n<html>",)
    assert heard == [b"GET / HTTP/1.0\r\nHost: a.test\r\n\r\n"]


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ((b"220 ",), "silent"),
        ((b"",), "silent"),
        ((b"220-a\r\n" * 40000,), "reset"),
        ((b"2" * 400_000,), "reset"),
    ],
    ids=("half", "nothing", "endless lines", "a line without end"),
)
def test_servers_that_make_no_end(said: tuple[bytes, ...], outcome: str) -> None:
    begun = time.monotonic()
    with server(*said) as (port, _):
        found = talk("smtp", port, "EHLO z", timeout=1.5)
    assert found.outcome in (outcome, "silent")
    assert time.monotonic() - begun < 6


@pytest.mark.parametrize(
    ("protocol", "piece"),
    [("smtp", b"250-a\r\n"), ("imap", b"\n"), ("imap", b"* {9}\r\n123456789\r\n"), ("sieve", b"x" * 99)],
    ids=("lines", "empty lines", "literals", "a line"),
)
def test_servers_that_say_more_than_anybody_would_are_heard_no_more(protocol: str, piece: bytes) -> None:
    """Within a moment, and not until the time is over: a fast one would have taken all memory by then."""

    def serve() -> None:
        link, _unused = listening.accept()
        with link, contextlib.suppress(OSError):
            link.sendall(
                b"* OK hi\r\n" if protocol == "imap" else b"220-hi\r\n" if protocol == "smtp" else b""
            )
            while True:
                link.sendall(piece * 1000)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=serve, daemon=True).start()
        begun = time.monotonic()
        found = talk(protocol, listening.getsockname()[1], "CAPABILITY", timeout=20.0)
    assert (found.outcome, time.monotonic() - begun < 5) == ("reset", True), found.text


def test_no_tls_there() -> None:
    with server(b"220 plain\r\n", wait=False) as (port, _):
        found = talk("smtp", port, "EHLO z", tls=True)
    assert found.outcome in ("failed", "reset")
    assert "TLS" in found.text
    assert not found.tls


@pytest.mark.parametrize("said", [(b"",), (b"220 a\r\n", b"220 go on\r\n")], ids=("at once", "granted"))
def test_no_word_about_tls_is_no_answer(said: tuple[bytes, ...]) -> None:
    at_once = len(said) == 1
    lines = () if at_once else ("STARTTLS", "NOOP")
    with server(*said, b"") as (port, _):
        found = talk("smtp", port, *lines, tls=at_once, timeout=1.5)
    assert (found.outcome, found.text) == ("silent", "no answer in time")


def test_nothing_behind_the_grant_of_tls_counts() -> None:
    """What somebody put behind the grant, before TLS, is not taken for the server's word."""
    said = (b"220 a\r\n", b"220 go on\r\n250 injected\r\n")
    with server(*said, wait=False) as (port, _):
        found = talk("smtp", port, "STARTTLS", "NOOP", timeout=2.0)
    assert "injected" not in str(found.replies)


def test_many_cost_one_waiting_time() -> None:
    with server(b"") as (port, _):
        begun = time.monotonic()
        found = converse(tuple(Dialogue("smtp", "127.0.0.1", port) for _ in range(20)), 1.0)
        assert time.monotonic() - begun < 4
    assert {one.outcome for one in found} == {"silent"}


def test_no_address() -> None:
    assert talk("smtp", 1).outcome == "refused"
    assert converse((Dialogue("smtp", "a.test", 25),), 1.0)[0].outcome == "failed"


def test_what_this_machine_lacks_is_no_fault_of_the_server() -> None:
    converse((), 1.0)  # who is trusted is read from files
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    with socket.create_server(("127.0.0.1", 0)) as one:
        asked = Dialogue("smtp", "127.0.0.1", one.getsockname()[1])
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, before[1]))
        try:
            (said,) = converse((asked,), 2.0)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert (said.outcome, said.text) == ("no route", "too many open files")
