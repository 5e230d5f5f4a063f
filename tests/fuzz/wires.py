"""Sockets whose far side says what a fuzzer wants."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from typing import Any
from unittest import mock


class Link:
    """A connected socket: what comes in is given, in parts of `size` bytes; what goes out is forgotten."""

    family = socket.AF_INET

    def __init__(self, data: bytes, size: int = 4096, at_end: Exception | None = None) -> None:
        self._data = data
        self._size = size
        self._at_end = at_end

    def recv(self, count: int, *more: int) -> bytes:
        """The next part; at the end nothing, or the error that was asked for."""
        if not self._data and self._at_end:
            raise self._at_end
        count = min(count, self._size)
        part, self._data = self._data[:count], self._data[count:]
        return part

    def recvmsg(self, count: int, *more: int) -> tuple[bytes, list[tuple[int, int, bytes]], int, None]:
        """The same for datagrams, of which all is one."""
        if not self._data:
            raise BlockingIOError
        data, self._data = self._data, b""
        return data[:count], [], 0, None

    def send(self, data: bytes, *more: Any) -> int:
        """Forgets it."""
        return len(data)

    def sendall(self, data: bytes) -> None:
        """Forgets it."""

    def settimeout(self, seconds: float | None) -> None:
        """It never waits."""

    def setblocking(self, flag: bool) -> None:
        """It never waits."""

    def shutdown(self, how: int) -> None:
        """It has no other side."""

    def getsockopt(self, *words: int) -> int:
        """No error."""
        return 0

    def fileno(self) -> int:
        """None that could be closed."""
        return -1

    def close(self) -> None:
        """Nothing is open."""


class Reports(Link):
    """A socket whose queue of errors holds one message with this ancillary data."""

    def __init__(self, level: int, kind: int, data: bytes) -> None:
        super().__init__(b"x")
        self._ancillary = [(level, kind, data)]

    def recvmsg(self, count: int, *more: int) -> tuple[bytes, list[tuple[int, int, bytes]], int, None]:
        if not self._ancillary:
            raise BlockingIOError
        found, self._ancillary = self._ancillary, []
        return b"x", found, 0, None


class Sockets:
    """A module of sockets, of which each new one is this link."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def __getattr__(self, name: str) -> Any:
        return getattr(socket, name)

    def socket(self, *words: int) -> Link:
        """The link."""
        return self._link


@contextlib.contextmanager
def instead(module: object, name: str, value: object) -> Iterator[None]:
    """A module's name means something else meanwhile."""
    with mock.patch.object(module, name, value, create=True):
        yield
