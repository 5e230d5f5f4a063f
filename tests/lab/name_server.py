"""A name server that misbehaves on purpose, on a loopback address of its own: silent, refusing, lying, slow.

Right answers come from real servers; this is for what those never do.
"""

import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType

Answer = Callable[[bytes, str], "list[bytes]"]
"""From a question, and `udp` or `tcp`, to the packets to send back."""

TRUNCATED, SERVFAIL, FORMERR, REFUSED, NXDOMAIN = 0x0200, 2, 1, 5, 3


def question_end(packet: bytes) -> int:
    """Where the question section of a message with one question ends."""
    place = 12
    while packet[place]:
        place += 1 + packet[place]
    return place + 5


def reply(packet: bytes, addresses: tuple[str, ...] = (), flags: int = 0) -> bytes:
    """An answer with these IPv4 addresses; `flags` holds the response code and TC."""
    end = question_end(packet)
    records = b"".join(b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + socket.inet_aton(address) for address in addresses)
    return (
        packet[:2] + struct.pack("!HHHHH", 0x8180 | flags, 1, len(addresses), 0, 0) + packet[12:end] + records
    )


class NameServer:
    """Listens on UDP and TCP of one address; what it was asked is in `asked`. Over TCP it lets `backlog`
    connections wait, of which one is served at a time; `each` is how many questions it reads of one, and
    `holds` that it then keeps it open."""

    def __init__(
        self,
        address: str,
        port: int,
        answer: Answer,
        delay: float = 0.0,
        tcp: bool = True,
        backlog: int = 128,
        each: int = 1,
        holds: bool = False,
    ) -> None:
        self.connections = 0
        self._each, self._holds = each, holds
        self._held: list[socket.socket] = []
        self.asked: list[bytes] = []
        self._answer = answer
        self._delay = delay
        self._ended = threading.Event()
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind((address, port))
        self._sockets = [self._udp]
        threading.Thread(target=self._serve_udp, daemon=True).start()
        if tcp:
            listener = socket.create_server((address, port), backlog=backlog)
            self._sockets.append(listener)
            threading.Thread(target=self._serve_tcp, args=(listener,), daemon=True).start()

    def __enter__(self) -> "NameServer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        for one in (*self._sockets, *self._held):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)  # closing it alone would not end the waiting thread
            one.close()

    def _serve_udp(self) -> None:
        self._udp.settimeout(0.05)
        while not self._ended.is_set():
            try:
                packet, peer = self._udp.recvfrom(65535)
            except TimeoutError:
                continue
            except OSError:
                return
            self.asked.append(packet)
            threading.Thread(target=self._send, args=(packet, peer), daemon=True).start()

    def _send(self, packet: bytes, peer: object) -> None:
        time.sleep(self._delay)
        for part in self._answer(packet, "udp"):
            try:
                self._udp.sendto(part, peer)  # type: ignore[call-overload]
            except OSError:
                return

    def _serve_tcp(self, listener: socket.socket) -> None:
        while not self._ended.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            self.connections += 1
            with suppress(OSError):
                for _ in range(self._each):
                    self._serve_one(connection)
            if self._holds:
                self._held.append(connection)
            else:
                connection.close()

    def _serve_one(self, connection: socket.socket) -> None:
        head = connection.recv(2)
        packet = connection.recv(int.from_bytes(head, "big"))
        if not packet:
            raise OSError
        self.asked.append(packet)
        time.sleep(self._delay)
        for part in self._answer(packet, "tcp"):
            # In two pieces, as a network may bring it.
            whole = len(part).to_bytes(2, "big") + part
            connection.sendall(whole[:3])
            time.sleep(0.01)
            connection.sendall(whole[3:])
