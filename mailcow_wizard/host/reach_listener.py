"""Temporary listeners that answer nobody but who knows the token: the near side of `reach`.

One thread and one selector; a stranger gets nothing, not even a greeting, and is cut after five seconds.
Whoever tries wrong tokens is not listened to any more. The sockets end with this process.
"""

from __future__ import annotations

import errno
import hmac
import selectors
import socket
import time
from collections import Counter
from collections.abc import Callable

from mailcow_wizard.typed import NamedTuple

MAGIC = "MW1"
IN_USE = "in use"
_EVERY = {4: (socket.AF_INET, "0.0.0.0"), 6: (socket.AF_INET6, "::")}
_PATIENCE_S = 5.0
_LONGEST_LINE = 1024
_MOST_CLIENTS = 128
_MOST_ACCEPTED = 64
_MOST_MISTAKES = 10
_MOST_PEERS = 4096


class Knock(NamedTuple):
    """Somebody with the token was here: at which port, over which family, from where; `report` is what the
    far side tells of all ports, empty where it only knocked."""

    port: int
    family: int
    peer: str
    report: str = ""


class _Client:
    def __init__(self, connection: socket.socket, port: int, family: int, peer: str) -> None:
        self.connection, self.port, self.family, self.peer = connection, port, family, peer
        self.end = time.monotonic() + _PATIENCE_S
        self.said = b""


class ReachListener:
    """The listeners. Nobody is answered before `serve` has named the token."""

    def __init__(self) -> None:
        self._token = b""
        self._table: Callable[[Knock], str] = lambda knock: ""
        self._selector = selectors.DefaultSelector()
        self._listening: dict[tuple[int, int], socket.socket] = {}
        self._clients: dict[int, _Client] = {}
        self._mistakes: Counter[str] = Counter()

    def open(self, port: int, family: int) -> str:
        """Listens on a port; empty where it worked, `in use`, or the kernel's word for it."""
        kind, every = _EVERY[family]
        try:
            one = socket.socket(kind, socket.SOCK_STREAM)
        except OSError as error:
            return error.strerror or "refused"
        try:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == 6:
                one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            one.setblocking(False)
            one.bind((every, port))
            one.listen(_MOST_ACCEPTED)
        except OSError as error:
            one.close()
            return IN_USE if error.errno == errno.EADDRINUSE else error.strerror or "refused"
        self._listening[port, family] = one
        self._selector.register(one, selectors.EVENT_READ, (port, family))
        return ""

    def shut(self, port: int, family: int) -> None:
        """Listens there no more, if it did."""
        one = self._listening.pop((port, family), None)
        if one:
            self._selector.unregister(one)
            one.close()

    def serve(self, token: str, table: Callable[[Knock], str]) -> None:
        """From now on whoever knows the token is answered; `table` gives the text that answers a report."""
        self._token, self._table = token.encode(), table

    def wait(self, seconds: float) -> list[Knock]:
        """Who was here, as soon as somebody was, or after so many seconds."""
        end = time.monotonic() + seconds
        while True:
            left = end - time.monotonic()
            knocks = self._turn(max(0.0, min(left, 0.5)))
            if knocks or left <= 0:
                return knocks

    def close(self) -> None:
        """Ends all of it."""
        for one in self._listening.values():
            one.close()
        for client in self._clients.values():
            client.connection.close()
        self._listening, self._clients = {}, {}
        self._selector.close()

    def _turn(self, seconds: float) -> list[Knock]:
        knocks = []
        for key, _ in self._selector.select(seconds):
            if isinstance(key.data, _Client):
                knock = self._hear(key.data)
                if knock:
                    knocks.append(knock)
            else:
                self._accept(key.fileobj, *key.data)  # type: ignore[arg-type]
        now = time.monotonic()
        for client in [one for one in self._clients.values() if one.end < now]:
            self._drop(client)
        return knocks

    def _accept(self, listening: socket.socket, port: int, family: int) -> None:
        for _ in range(_MOST_ACCEPTED):
            try:
                connection, address = listening.accept()
            except OSError:
                return
            peer = str(address[0]).partition("%")[0]
            if len(self._clients) >= _MOST_CLIENTS or self._mistakes[peer] >= _MOST_MISTAKES:
                connection.close()
                continue
            connection.setblocking(False)
            client = _Client(connection, port, family, peer)
            self._clients[connection.fileno()] = client
            self._selector.register(connection, selectors.EVENT_READ, client)

    def _hear(self, client: _Client) -> Knock | None:
        try:
            data = client.connection.recv(_LONGEST_LINE)
        except BlockingIOError:
            return None
        except OSError:
            data = b""
        client.said += data
        line, ended, _ = client.said.partition(b"\n")
        if not ended and data and len(client.said) < _LONGEST_LINE:
            return None
        knock = self._read(client, line) if ended else None
        if knock:
            self._answer(client, knock)
        elif client.said:
            self._note_mistake(client.peer)
        self._drop(client)
        return knock

    def _read(self, client: _Client, line: bytes) -> Knock | None:
        words = line.strip().split(b" ", 3)
        if len(words) < 3 or words[0] != MAGIC.encode() or not hmac.compare_digest(words[1], self._token):
            return None
        report = words[3].decode("ascii", "replace") if words[2] == b"REPORT" and len(words) == 4 else ""
        return Knock(client.port, client.family, client.peer, report)

    def _answer(self, client: _Client, knock: Knock) -> None:
        text = self._table(knock) if knock.report else f"{MAGIC} OK {knock.peer} {knock.port}\n"
        try:
            client.connection.setblocking(True)
            client.connection.settimeout(0.1)  # it fits into the kernel's buffer
            client.connection.sendall(text.encode("ascii", "replace"))
            client.connection.shutdown(socket.SHUT_WR)
        except OSError:
            return

    def _note_mistake(self, peer: str) -> None:
        if len(self._mistakes) < _MOST_PEERS:
            self._mistakes[peer] += 1

    def _drop(self, client: _Client) -> None:
        number = client.connection.fileno()
        if number >= 0:
            self._selector.unregister(client.connection)
            self._clients.pop(number, None)
            client.connection.close()
