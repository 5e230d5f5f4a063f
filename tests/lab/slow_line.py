"""A line as slow as a mobile phone's: `slow_line.py HOST PORT MILLISECONDS KILOBITS`, for ssh's ProxyCommand.

Where the kernel has no netem: every byte waits for its turn at that rate, and then half the round trip.
"""

import os
import queue
import socket
import sys
import threading
import time
from collections.abc import Callable

_CHUNK = 1448


def carry(read: Callable[[], bytes], write: Callable[[bytes], object], delay: float, rate: float) -> None:
    """One direction: what is read is written later."""
    under_way: queue.Queue[tuple[float, bytes]] = queue.Queue(maxsize=100)

    def arrive() -> None:
        while True:
            due, data = under_way.get()
            time.sleep(max(0.0, due - time.monotonic()))
            if not data:
                os._exit(0)
            write(data)

    threading.Thread(target=arrive, daemon=True).start()
    free = time.monotonic()
    while True:
        data = read()
        free = max(free, time.monotonic()) + len(data) / rate
        time.sleep(max(0.0, free - time.monotonic()))
        under_way.put((free + delay, data))
        if not data:
            return


def main(host: str, port: str, milliseconds: str, kilobits: str) -> None:
    """Carries standard input and output to a port and back."""
    delay, rate = float(milliseconds) / 2000, float(kilobits) * 125
    time.sleep(2 * delay)  # the connection's own round trip
    line = socket.create_connection((host, int(port)))
    back = (lambda: line.recv(_CHUNK), lambda data: os.write(1, data), delay, rate)
    threading.Thread(target=carry, args=back, daemon=True).start()
    carry(lambda: os.read(0, _CHUNK), line.sendall, delay, rate)
    time.sleep(5)


if __name__ == "__main__":
    main(*sys.argv[1:])
