"""Prints the median time in ms of 70 look-ups at the servers named, all at once, in rounds of their own."""

import sys
import time
from statistics import median

from mailcow_wizard.host.dns import Round, Silence
from mailcow_wizard.host.door import DnsQuestion

_ROUNDS = 9


def main(servers: tuple[str, ...]) -> None:
    """Each round knows nothing of the one before."""
    times = []
    for turn in range(_ROUNDS):
        questions = tuple(DnsQuestion(f"n{turn}-{number}.example.org", "A", servers) for number in range(70))
        start = time.perf_counter()
        replies = Round(questions, 3.0, Silence()).replies()
        times.append((time.perf_counter() - start) * 1e3)
        if not all(one.packet for one in replies):
            sys.exit("some were not answered")
    print(median(times))


main(tuple(sys.argv[1:]))
