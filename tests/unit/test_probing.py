"""Attempts to get out, on loopback: what each ending is called, and that many cost no more than one."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from mailcow_wizard.host.network.echo import checksum
from mailcow_wizard.host.network.probing import Round
from mailcow_wizard.host.replies import Probe, Probed

pytestmark = pytest.mark.timed

HERE = "127.0.0.1"


def probe(*probes: Probe, timeout: float = 1.0) -> tuple[Probed, ...]:
    return Round(probes, timeout).results()


@contextlib.contextmanager
def server(speak: Callable[[socket.socket], None]) -> Iterator[int]:
    """A TCP server that does this with each connection, and closes it."""
    with socket.create_server((HERE, 0)) as listening:
        listening.settimeout(0.05)
        over = threading.Event()

        def serve() -> None:
            while not over.is_set():
                with contextlib.suppress(OSError):
                    connection, _ = listening.accept()
                    with connection:
                        speak(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listening.getsockname()[1]
        over.set()
        thread.join()


@contextlib.contextmanager
def silent() -> Iterator[int]:
    """A UDP port that takes everything and answers nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((HERE, 0))
        yield sock.getsockname()[1]


def test_a_hundred_silent_targets_cost_one_waiting_time() -> None:
    with silent() as port:
        begun = time.monotonic()
        results = probe(*[Probe("udp", HERE, port, "00")] * 100, timeout=0.6)
        took = time.monotonic() - begun
    assert {one.outcome for one in results} == {"silent"}
    assert 0.6 <= took < 0.8


def test_impatience_is_kept_to_and_delays_nobody() -> None:
    with silent() as port, server(lambda link: time.sleep(0.4)) as slow:
        results = probe(Probe("udp", HERE, port, "00", patience=0.1), Probe("tcp", HERE, slow), timeout=2.0)
    assert results[0].outcome == "silent"
    assert results[0].seconds < 0.3
    assert results[1].outcome == "open"


def say(*parts: bytes) -> Callable[[socket.socket], None]:
    def speak(link: socket.socket) -> None:
        for part in parts:
            link.sendall(part)
            time.sleep(0.02)

    return speak


GREETINGS = [
    ((b"220 mx.example.net ESMTP\r\n",), "open", "220 mx.example.net ESMTP"),
    ((b"220 mx.exa", b"mple.net\r\n250 more\r\n"), "open", "220 mx.example.net"),
    ((b"220 without an end",), "open", "220 without an end"),
    ((b"x" * 5000,), "open", "x" * 512),
    ((b"\xff\x00\r\n",), "open", "\ufffd\x00"),
    ((), "reset", ""),
]


@pytest.mark.parametrize(("parts", "outcome", "greeting"), GREETINGS)
def test_greetings(parts: tuple[bytes, ...], outcome: str, greeting: str) -> None:
    with server(say(*parts)) as port:
        (result,) = probe(Probe("greeting", HERE, port))
    assert result.outcome == outcome
    assert result.greeting == greeting


def test_who_takes_the_connection_and_says_nothing_is_open() -> None:
    with server(lambda link: time.sleep(0.5)) as port:
        (result,) = probe(Probe("greeting", HERE, port), timeout=0.3)
    assert (result.outcome, result.greeting) == ("open", "")


def test_what_is_no_address_is_not_looked_up() -> None:
    begun = time.monotonic()
    odd = (Probe("tcp", "mail.example.org", 25), Probe("ping", ""), Probe("tcp", HERE, 70000))
    assert [one.outcome for one in probe(*odd)] == ["failed"] * 3
    assert time.monotonic() - begun < 0.2


def test_nothing_to_try() -> None:
    assert probe() == ()


def test_the_checksum_is_that_of_the_rfc() -> None:
    # RFC 1071, section 3: the sum of these bytes is ddf2, and what is sent is its complement.
    assert checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0xDDF2 ^ 0xFFFF
    assert checksum(b"\1") == 0x0100 ^ 0xFFFF
