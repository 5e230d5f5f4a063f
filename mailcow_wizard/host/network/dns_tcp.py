"""Questions over TCP (RFC 7766): a length of two bytes before each message, several on one connection."""

import os
import socket
import time

MOST_TO_ONE_SERVER = 4
"""Connections to one server at once: of many a server leaves those beyond its backlog, ten or so, waiting for
a second or longer."""
_BEFORE = 2
_STALLED_S = 0.4


class Stream:
    """A connection that sends questions one behind the other, and reads answers in whichever order they come,
    without ever blocking. `waiting` are the places of the questions, by the id that the answer repeats;
    `heard` is how many were answered."""

    def __init__(self, server: str, port: int) -> None:
        family = socket.AF_INET6 if ":" in server else socket.AF_INET
        self.server = server
        self.waiting: dict[bytes, int] = {}
        self.heard = 0
        self._last = 0.0
        self._out = b""
        self._in = b""
        self._is_open = False
        self.socket = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        try:
            self.socket.connect((server, port))
        except BlockingIOError:
            pass
        except BaseException:
            self.socket.close()
            raise

    def ask(self, place: int, wire: bytes) -> None:
        """Takes a question, to be sent when that can be."""
        self.waiting[wire[:2]] = place
        self._out += len(wire).to_bytes(_BEFORE, "big") + wire

    @property
    def sending(self) -> bool:
        """Whether a part of the questions is not sent yet."""
        return bool(self._out)

    def is_stalled(self, now: float) -> bool:
        """Whether a server has answered once and then no more: some read one question of a connection."""
        return bool(self.waiting and self.heard) and now - self._last > _STALLED_S

    def advance(self, readable: bool, writable: bool) -> list[tuple[int, bytes]]:
        """Sends and reads what can be: the answers that are complete, each with the place of its question.
        What answers none of them is left out. Raises OSError."""
        if writable and self._out:
            self._connected()
            self._out = self._out[self.socket.send(self._out) :]
        if readable:
            self._read()
        return self._complete()

    def _connected(self) -> None:
        error = 0 if self._is_open else self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            raise OSError(error, os.strerror(error))
        self._is_open = True

    def _read(self) -> None:
        try:
            part = self.socket.recv(65537)
        except BlockingIOError:
            return
        if not part:
            raise ConnectionError(None, "closed before the answer was complete")
        self._in += part

    def _complete(self) -> list[tuple[int, bytes]]:
        found = []
        while len(self._in) >= _BEFORE:
            end = _BEFORE + int.from_bytes(self._in[:_BEFORE], "big")
            if len(self._in) < end:
                break
            packet, self._in = self._in[_BEFORE:end], self._in[end:]
            place = self.waiting.pop(packet[:2], None)
            if place is not None:
                found.append((place, packet))
                self.heard += 1
                self._last = time.monotonic()
        return found
