"""Pages fetched on loopback: a silent resolver, or a silent address, is told apart from a refusal."""

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest

from mailcow_wizard.host.errors import HostError, NoAnswer
from mailcow_wizard.host.network import web

HERE = "127.0.0.1"
NAME = "registry.example.org"


@contextlib.contextmanager
def silent() -> Iterator[int]:
    """A TCP port whose queue is full: the kernel answers nobody who comes now."""
    with contextlib.ExitStack() as stack:
        full = stack.enter_context(socket.create_server((HERE, 0), backlog=0))
        place = full.getsockname()
        for _unused in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(place)
        yield place[1]


def refusing() -> int:
    """A TCP port that nobody listens at."""
    with socket.socket() as once:
        once.bind((HERE, 0))
        return int(once.getsockname()[1])


def resolving(monkeypatch: pytest.MonkeyPatch, *ports: int) -> None:
    """The name leads to these ports of loopback, in this order."""
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (HERE, port)) for port in ports]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_unused: found)


@pytest.mark.parametrize(("number", "kind"), [(socket.EAI_AGAIN, NoAnswer), (socket.EAI_NONAME, HostError)])
def test_a_name_that_is_not_told(monkeypatch: pytest.MonkeyPatch, number: int, kind: type[HostError]) -> None:
    """That no resolver answers says nothing of the name; that there is no such name does."""

    def fails(*_unused: object) -> None:
        raise socket.gaierror(number, "x")

    monkeypatch.setattr(socket, "getaddrinfo", fails)
    with pytest.raises(HostError) as raised:
        web.fetch(NAME, "/", 0, 2.0)
    assert type(raised.value) is kind
    assert NAME in str(raised.value)
    assert "looked up" in str(raised.value)


@pytest.mark.parametrize("silent_first", [True, False])
def test_a_silent_address_beside_one_that_refuses(
    monkeypatch: pytest.MonkeyPatch, silent_first: bool
) -> None:
    with silent() as port:
        both = (port, refusing())
        resolving(monkeypatch, *(both if silent_first else reversed(both)))
        with pytest.raises(NoAnswer):
            web.fetch(NAME, "/", 0, 0.5)


def test_two_that_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, refusing(), refusing())
    with pytest.raises(HostError) as raised:
        web.fetch(NAME, "/", 0, 2.0)
    assert type(raised.value) is HostError
    assert "refused" in str(raised.value)


@contextlib.contextmanager
def saying(reply: bytes) -> Iterator[int]:
    """A web server that says this to the first who asks, and hangs up."""
    with socket.create_server((HERE, 0)) as server:

        def serve() -> None:
            link, _unused = server.accept()
            with link:
                link.recv(4096)
                link.sendall(reply)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        thread.join(2.0)


@pytest.mark.parametrize(
    ("head", "whole"),
    [
        ("200 OK\r\nContent-Length: 4", True),
        ("200 OK\r\ncontent-length:3 ", True),
        ("200 OK\r\nContent-Length: 5", False),
        ("404 Not Found\r\nContent-Length: 500", False),
        ("200 OK", True),
        ("200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: x", True),
        ("304 Not Modified\r\nContent-Length: 500", True),
    ],
)
def test_an_answer_that_is_cut_short_is_none(monkeypatch: pytest.MonkeyPatch, head: str, whole: bool) -> None:
    """RFC 9112, 8: half a policy, or half a list, is not read as a whole one."""
    with saying(f"HTTP/1.1 {head}\r\n\r\npage".encode()) as port:
        resolving(monkeypatch, port)
        if whole:
            assert web.fetch(NAME, "/", 0, 2.0).body == b"page"
        else:
            with pytest.raises(HostError) as raised:
                web.fetch(NAME, "/", 0, 2.0)
            assert "closed the connection in the middle" in str(raised.value)
