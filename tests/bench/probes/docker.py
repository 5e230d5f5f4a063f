"""Prints the median time in ms of one question to Docker's engine over its socket."""

import time
from statistics import median

from mailcow_wizard.facts import docker
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.real import RealHost
from mailcow_wizard.model import Settings

_TARGETS = (("/version", dict), ("/containers/json", list), ("/networks", list), ("/images/json", list))
_ROUNDS = 40


def main() -> None:
    """Each question is asked over a connection of its own, as a fact does."""
    facts = Facts(RealHost(), Settings())
    times = []
    for _ in range(_ROUNDS):
        for target, kind in _TARGETS:
            start = time.perf_counter()
            docker.ask(facts, target, kind)
            times.append((time.perf_counter() - start) * 1e3)
    print(median(times))


main()
