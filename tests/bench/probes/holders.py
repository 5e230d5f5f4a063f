"""Prints the median time in ms of: who listens on mailcow's ports, and who holds what is in the way."""

import sys
import time
from statistics import median

from mailcow_wizard import requirements
from mailcow_wizard.host.real import RealHost

PORTS = tuple(sorted({port.number for port in requirements.PORTS}))


def main(rounds: int = 201) -> None:
    """Asks again and again; the holder must be found each time."""
    host = RealHost()
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        found = host.listeners(PORTS)
        held = host.holders(found.sockets)
        times.append((time.perf_counter() - start) * 1e3)
        if not held or not all(one.processes for one in held):
            sys.exit(f"no holder found: {found} {held}")
    print(median(times))


main()
