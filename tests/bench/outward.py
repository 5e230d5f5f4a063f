"""What gets out: how long all attempts take together, where all pass and where what is asked is blocked."""

import json
import time
from collections.abc import Iterator
from statistics import median
from typing import Any

from lab.outside import World, outside

from bench.measure import WIZARD, own_state
from bench.table import Row, below, ms, shown
from bench.well import everybody_answers

_SINGLE_MS = 4000.0  # the longest that a single attempt is waited for
_MORE_MS = 200.0
_ROUNDS = 5
_COMPLETE_ROUNDS = 11
_REST_MS = 100.0
_BLOCKED = {
    "port 25 is dropped": "tcp dport 25 drop",
    "every TCP port but 53 is dropped": "tcp dport != 53 drop",
    "everything is dropped": "drop",
}


def rows() -> Iterator[Row]:
    """A server, its provider's router with rules, and the hosts outside."""
    with outside() as world:
        yield shown("all that goes out, nothing is blocked", _whole(world), "ms")
        for name, rule in _BLOCKED.items():
            with world.rule(rule):
                yield below(f"the same, {name}", _whole(world), "ms", _SINGLE_MS + _MORE_MS)
        with everybody_answers(world):
            found = [_besides_the_slowest(world) for _ in range(_COMPLETE_ROUNDS)]
        rest, slowest = (median(one) for one in zip(*found, strict=True))
        beside = f"the slowest {ms(slowest)}"
        yield below("check --json, everything: besides its slowest check", rest, "ms", _REST_MS, beside)


def _whole(world: World) -> float:
    """All checks of the network, in ms."""
    return median(float(_document(world, "network.")["duration_ms"]) for _ in range(_ROUNDS))


def _besides_the_slowest(world: World) -> tuple[float, float]:
    """What the whole process takes besides the check that takes longest, and that check, in ms."""
    begun = time.perf_counter()
    document = _document(world)
    took = 1000 * (time.perf_counter() - begun)
    slowest = float(max(one["duration_ms"] for one in document["checks"]))
    return took - slowest, slowest


def _document(world: World, *selectors: str) -> dict[str, Any]:
    program = [WIZARD, "check", *selectors, "--json"]
    settings = ["--hostname", "mail.example.org", "--dir", "/"]
    with own_state() as state:
        argv = [*program, *settings, *state]
        document: dict[str, Any] = json.loads(world.server.run(argv, check=False).stdout)
    return document
