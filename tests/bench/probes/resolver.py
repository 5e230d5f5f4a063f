"""A resolver far away: answers every question with one address, so many milliseconds later.

`python -I -S resolver.py ADDRESS MILLISECONDS`; prints `ready` when it listens on port 53.
"""

import heapq
import socket
import sys
import time

_ANSWER = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\x58\x63\x0a"


def main(address: str, delay: float) -> None:
    """Answers until it is ended."""
    link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    link.bind((address, 53))
    print("ready", flush=True)
    waiting: list[tuple[float, bytes, object]] = []
    while True:
        link.settimeout(max(0.0005, waiting[0][0] - time.monotonic()) if waiting else None)
        try:
            packet, peer = link.recvfrom(4096)
            heapq.heappush(waiting, (time.monotonic() + delay, packet, peer))
        except TimeoutError:
            pass
        while waiting and waiting[0][0] <= time.monotonic():
            _, packet, peer = heapq.heappop(waiting)
            end = 12
            while packet[end]:
                end += 1 + packet[end]
            head = packet[:2] + b"\x81\x80\0\1\0\1\0\0\0\0"
            link.sendto(head + packet[12 : end + 5] + _ANSWER, peer)  # type: ignore[arg-type]


main(sys.argv[1], float(sys.argv[2]) / 1e3)
