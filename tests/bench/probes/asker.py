"""Prints, in ms: the median time of asking the servers named; the worst offset error of the busy rounds.

The servers' clock is this machine's own, so every offset is an error.
"""

import ctypes
import struct
import sys
import threading
import time
from statistics import median

from mailcow_wizard.host.network.ntp import ask_time
from mailcow_wizard.host.replies import TimeAnswer

_TO_1900 = 2_208_988_800
_BUSY_S = 0.05


def offset(answer: TimeAnswer) -> float:
    """The offset in seconds by RFC 5905."""
    their = [_seconds(answer.packet[place : place + 8]) for place in (32, 40)]
    return (their[0] - answer.sent / 1e9 + their[1] - answer.received / 1e9) / 2


def _seconds(stamp: bytes) -> float:
    whole, fraction = struct.unpack(">II", stamp)
    return float(whole - _TO_1900) + fraction / (1 << 32)


def busy(servers: tuple[str, ...]) -> float:
    """The error of the median server while this thread keeps the interpreter for 50 ms at a time."""
    answers: list[TimeAnswer] = []
    thread = threading.Thread(target=lambda: answers.extend(ask_time(servers)))
    thread.start()
    block = ctypes.PyDLL(None).usleep  # holds the interpreter's lock
    while thread.is_alive():
        block(int(_BUSY_S * 1e6))
        time.sleep(0.0005)
    return abs(median(offset(one) for one in answers)) * 1e3


def main(servers: tuple[str, ...]) -> None:
    """Quiet rounds, then busy ones."""
    times = []
    for _ in range(15):
        start = time.perf_counter()
        answers = ask_time(servers)
        times.append((time.perf_counter() - start) * 1e3)
        if any(one.error for one in answers):
            sys.exit(str(answers))
    print(median(times), max(busy(servers) for _ in range(9)))


main(tuple(sys.argv[1:]))
