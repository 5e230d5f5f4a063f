"""NTP servers on these addresses, port 123, that answer after 40 ms: `server.py ADDRESS…`; prints `ready`."""

import heapq
import select
import socket
import struct
import sys
import time

DELAY_S = 0.040
_TO_1900 = 2_208_988_800


def stamp(seconds: float) -> bytes:
    """A time stamp of NTP."""
    whole = int(seconds)
    return struct.pack(">II", whole + _TO_1900, int((seconds - whole) * (1 << 32)))


def answer(question: bytes, at: float) -> bytes:
    """A server of stratum 1 that got the question half way."""
    return b"\x24\x01\x06\xec" + bytes(8) + b"GPS\0" + stamp(at) + question[40:48] + stamp(at) + stamp(at)


def serve(addresses: list[str]) -> None:
    """Half of the delay passes before the server's own time stamps, half after."""
    sockets = []
    for address in addresses:
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        one.bind((address, 123))
        sockets.append(one)
    print("ready", flush=True)
    waiting: list[tuple[float, int, bytes, tuple[str, int]]] = []
    while True:
        left = max(0.0, waiting[0][0] - time.monotonic()) if waiting else None
        for one in select.select(sockets, [], [], left)[0]:
            question, client = one.recvfrom(512)
            due = time.monotonic() + DELAY_S
            reply = answer(question, time.time() + DELAY_S / 2)
            heapq.heappush(waiting, (due, sockets.index(one), reply, client))
        while waiting and waiting[0][0] <= time.monotonic():
            _, number, reply, client = heapq.heappop(waiting)
            sockets[number].sendto(reply, client)


serve(sys.argv[1:])
