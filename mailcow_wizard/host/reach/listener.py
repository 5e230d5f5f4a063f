"""Temporary listeners that answer nobody but who knows the token: the near side of `reach`.

One thread and one selector; a stranger gets nothing, not even a greeting, and is cut after five seconds.
Whoever tries wrong tokens is not listened to for the rest of a minute, and nobody, with as many connections
as he likes, keeps others out: each has a share, at a time and in a minute, and when all places are taken the
oldest makes room. The sockets end with this process. Besides it sees first packets that a firewall of this
machine drops (see `reach_packets`).
"""

from __future__ import annotations

import errno
import hmac
import selectors
import socket
import time
from collections import Counter
from collections.abc import Callable

from mailcow_wizard.host.reach import packets as reach_packets
from mailcow_wizard.host.reach.packets import Packet
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import TypeAlias

MAGIC = "MW1"
IN_USE = "in use"
NOT_ALLOWED = "not allowed"
_EVERY = {4: (socket.AF_INET, "0.0.0.0"), 6: (socket.AF_INET6, "::")}
_PATIENCE_S = 5.0
_MINUTE_S = 60.0
_LONGEST_LINE = 2048
_LONGEST_OF_STRANGERS = 96
_MOST_CLIENTS = 128
_MOST_OF_ONE = 48
_MOST_IN_A_MINUTE = 300
"""Of one origin; a far side has 22 connections for all ports of both families, each time it asks."""
_MOST_ACCEPTED = 64
_MOST_MISTAKES = 10
_MOST_PEERS = 4096
_TURN_S = 0.5
_TRIES = 5


class Knock(NamedTuple):
    """Somebody with the token was here: at which port, over which family, from where; `report` is what the
    far side tells of all ports, empty where it only knocked."""

    port: int
    family: int
    peer: str
    report: str = ""


if TYPE_CHECKING:
    Sign: TypeAlias = Knock | Packet


class _Client:
    def __init__(self, connection: socket.socket, port: int, family: int, peer: str) -> None:
        self.connection, self.port, self.family, self.peer = connection, port, family, peer
        self.origin = _origin(peer)
        self.end = time.monotonic() + _PATIENCE_S
        self.said = b""


class ReachListener:
    """The listeners. Nobody is answered before `serve` has named the token."""

    def __init__(self) -> None:
        self._token = b""
        self._table: Callable[[Knock], str] = lambda knock: ""
        self._selector = selectors.DefaultSelector()
        self._listening: dict[tuple[int, int], socket.socket] = {}
        self._watching: dict[int, socket.socket] = {}
        self._clients: dict[int, _Client] = {}
        self._places: Counter[bytes] = Counter()
        self._mistakes: Counter[bytes] = Counter()
        self._lately: Counter[bytes] = Counter()
        """Connections in this minute, by origin."""
        self._minute = time.monotonic()

    def listen(self, port: int, family: int, address: str = "") -> str:
        """Listens on a port, of every address or of one; empty where it worked, `in use`, `not allowed`, or
        the kernel's word for it."""
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
            one.bind((address or every, port))
            one.listen(_MOST_ACCEPTED)
        except OSError as error:
            one.close()
            if error.errno in (errno.EACCES, errno.EPERM):
                return NOT_ALLOWED
            return IN_USE if error.errno == errno.EADDRINUSE else error.strerror or "refused"
        self._listening[port, family] = one
        self._selector.register(one, selectors.EVENT_READ, (port, family))
        return ""

    def listen_anywhere(self, families: tuple[int, ...]) -> int:
        """Listens on a free port of the kernel's choice, the same for all families; 0 where there is none."""
        for _ in range(_TRIES):
            with socket.socket(_EVERY[families[0]][0], socket.SOCK_STREAM) as probe:
                probe.bind((_EVERY[families[0]][1], 0))
                port = int(probe.getsockname()[1])
            if not any(self.listen(port, family) for family in families):
                return port
            for family in families:
                self.shut(port, family)
        return 0

    def shut(self, port: int, family: int) -> None:
        """Listens there no more, if it did."""
        one = self._listening.pop((port, family), None)
        if one:
            self._selector.unregister(one)
            one.close()

    def watch(self, ports: tuple[int, ...], family: int) -> bool:
        """Sees first packets to these ports from now on, where this user may; whether it does."""
        one = reach_packets.watch(ports, family)
        if one is None:
            return False
        self._watching[family] = one
        self._selector.register(one, selectors.EVENT_READ, family)
        return True

    def serve(self, token: str, table: Callable[[Knock], str]) -> None:
        """From now on whoever knows the token is answered; `table` gives the text that answers a report."""
        self._token, self._table = token.encode(), table

    def wait(self, seconds: float) -> list[Sign]:
        """Who was here, as soon as somebody was, or after so many seconds."""
        end = time.monotonic() + seconds
        while True:
            left = end - time.monotonic()
            signs = self._turn(max(0.0, min(left, _TURN_S)))
            if signs or left <= 0:
                return signs

    def close(self) -> None:
        """Ends all of it."""
        clients = [one.connection for one in self._clients.values()]
        for one in (*self._listening.values(), *self._watching.values(), *clients):
            one.close()
        self._listening, self._watching, self._clients = {}, {}, {}
        self._selector.close()

    def _turn(self, seconds: float) -> list[Sign]:
        signs: list[Sign] = []
        # What was seen first comes first: the packet of a knock is seen before the knock is heard.
        ready = [key for key, _ in self._selector.select(seconds)]
        for key in sorted(ready, key=lambda one: not isinstance(one.data, int)):
            if isinstance(key.data, _Client):
                # Another may have its number by now: the oldest makes room.
                here = self._clients.get(key.fd) is key.data
                if here and (knock := self._hear(key.data)):
                    signs.append(knock)
            elif isinstance(key.data, int):
                signs += reach_packets.read(key.fileobj, key.data)  # type: ignore[arg-type]
            else:
                self._accept(key.fileobj, *key.data)  # type: ignore[arg-type]
        now = time.monotonic()
        for client in [one for one in self._clients.values() if one.end < now]:
            self._drop(client)
        return signs

    def _accept(self, listening: socket.socket, port: int, family: int) -> None:
        for _ in range(_MOST_ACCEPTED):
            try:
                connection, address = listening.accept()
            except OSError:
                return
            client = _Client(connection, port, family, str(address[0]).partition("%")[0])
            if not self._may_stay(client.origin):
                connection.close()
                continue
            if len(self._clients) >= _MOST_CLIENTS:
                self._drop(next(iter(self._clients.values())))
            connection.setblocking(False)
            self._clients[connection.fileno()] = client
            self._places[client.origin] += 1
            self._selector.register(connection, selectors.EVENT_READ, client)

    def _may_stay(self, origin: bytes) -> bool:
        """Whether one more connection of this origin is listened to."""
        now = time.monotonic()
        if now - self._minute >= _MINUTE_S:
            # Mistakes, too: it may have been the line of an earlier proof.
            self._lately, self._mistakes, self._minute = Counter(), Counter(), now
        if origin in self._lately or len(self._lately) < _MOST_PEERS:
            self._lately[origin] += 1
        return (
            self._mistakes[origin] < _MOST_MISTAKES
            and self._places[origin] < _MOST_OF_ONE
            and self._lately[origin] <= _MOST_IN_A_MINUTE
        )

    def _hear(self, client: _Client) -> Knock | None:
        try:
            data = client.connection.recv(_LONGEST_LINE)
        except BlockingIOError:
            return None
        except OSError:
            data = b""
        client.said += data
        line, ended, _ = client.said.partition(b"\n")
        if not ended and data and len(client.said) < self._longest(client):
            return None
        knock = self._read(client, line) if ended else None
        if knock:
            self._answer(client, knock)
        elif client.said:
            self._note_mistake(client.origin)
        self._drop(client)
        return knock

    def _longest(self, client: _Client) -> int:
        """How much is listened to without an end of the line: of strangers hardly more than a token."""
        words = client.said.split(b" ", 2)
        known = len(words) == 3 and words[0] == MAGIC.encode() and hmac.compare_digest(words[1], self._token)
        return _LONGEST_LINE if known else len(self._token) + _LONGEST_OF_STRANGERS

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

    def _note_mistake(self, origin: bytes) -> None:
        if len(self._mistakes) < _MOST_PEERS:
            self._mistakes[origin] += 1

    def _drop(self, client: _Client) -> None:
        number = client.connection.fileno()
        if number >= 0:
            self._selector.unregister(client.connection)
            self._clients.pop(number, None)
            self._places[client.origin] -= 1
            if not self._places[client.origin]:
                del self._places[client.origin]
            client.connection.close()


def _origin(peer: str) -> bytes:
    """Whose connection it is: an IPv4 address, or the network of an IPv6 address, of which everybody has as
    many as he likes."""
    if ":" not in peer:
        return peer.encode()
    return socket.inet_pton(socket.AF_INET6, peer)[:8]
