"""Small time servers on loopback addresses that answer well, badly, falsely or not at all."""

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Sequence

from mailcow_wizard.host.replies import TimeAnswer

Respond = Callable[[bytes, int], Sequence[bytes]]
UNIX_TO_NTP = 2_208_988_800


def stamp(nanoseconds: int) -> bytes:
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    return struct.pack(">II", (seconds + UNIX_TO_NTP) & 0xFFFFFFFF, (rest << 32) // 1_000_000_000)


def reply(
    request: bytes,
    arrived: int,
    first: int = 0x24,
    stratum: int = 2,
    code: bytes = b"\xc0\x00\x02\x01",
    ahead: float = 0.0,
    origin: bytes | None = None,
) -> bytes:
    """A server's packet; `ahead` is by how many seconds its clock is ahead of ours."""
    shift = round(ahead * 1e9)
    return (
        struct.pack(">BBbbII", first, stratum, 6, -23, 1 << 8, 1 << 8)
        + code
        + stamp(arrived + shift - 10_000_000_000)
        + (request[40:48] if origin is None else origin)
        + stamp(arrived + shift)
        + stamp(time.time_ns() + shift)
    )


class Servers:
    """Small time servers on one port of different loopback addresses (127.0.0.0/8 and ::1)."""

    def __init__(self) -> None:
        self._sockets: list[socket.socket] = []
        self.port = 0
        self.requests: list[bytes] = []

    def add(self, address: str, respond: Respond, delay: float = 0.0) -> str:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_DGRAM)
        sock.bind((address, self.port))
        sock.setsockopt(socket.SOL_SOCKET, 35, 1)  # SO_TIMESTAMPNS
        self.port = sock.getsockname()[1]
        self._sockets.append(sock)
        threading.Thread(target=self._serve, args=(sock, respond, delay), daemon=True).start()
        return address

    def _serve(self, sock: socket.socket, respond: Respond, delay: float) -> None:
        with contextlib.suppress(OSError):
            while True:
                request, ancillary, _, client = sock.recvmsg(1024, 128)
                if not ancillary:
                    return  # shut down
                seconds, nanoseconds = struct.unpack("@ll", ancillary[0][2][:16])
                self.requests.append(request)
                time.sleep(delay)
                for packet in respond(request, seconds * 1_000_000_000 + nanoseconds):
                    sock.sendto(packet, client)

    def close(self) -> None:
        for sock in self._sockets:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()


def right(request: bytes, arrived: int) -> list[bytes]:
    return [reply(request, arrived)]


def silent(request: bytes, arrived: int) -> list[bytes]:
    return []


def shifted(ahead: float) -> Respond:
    return lambda request, arrived: [reply(request, arrived, ahead=ahead)]


def one(answers: tuple[TimeAnswer, ...]) -> TimeAnswer:
    assert len(answers) == 1, answers
    return answers[0]
