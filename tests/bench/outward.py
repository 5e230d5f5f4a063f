"""What gets out: how long all attempts take together, where all pass and where what is asked is blocked."""

import json
import time
from collections.abc import Iterator
from statistics import median
from typing import Any

from lab.inside import CHECKOUT
from lab.outside import World, outside

from bench.measure import PYTHON
from bench.table import Row, below, shown

_SINGLE_MS = 4000.0  # the longest that a single attempt is waited for
_MORE_MS = 200.0
_ROUNDS = 5
# Of a complete run, whose servers of names are silent here: each waits for its whole deadline.
_SLOW_ROUNDS = 3
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
        found = [_besides_the_slowest(world) for _ in range(_SLOW_ROUNDS)]
        yield below("check --json, everything: besides its slowest check", median(found), "ms", _REST_MS)


def _whole(world: World) -> float:
    """All checks of the network, in ms."""
    return median(float(_document(world, "network.")["duration_ms"]) for _ in range(_ROUNDS))


def _besides_the_slowest(world: World) -> float:
    """What the whole process takes besides the check that takes longest, in ms."""
    begun = time.perf_counter()
    document = _document(world)
    took = 1000 * (time.perf_counter() - begun)
    return took - max(one["duration_ms"] for one in document["checks"])


def _document(world: World, *selectors: str) -> dict[str, Any]:
    program = ["env", f"PYTHONPATH={CHECKOUT}", PYTHON, "-m", "mailcow_wizard", "check", *selectors, "--json"]
    done = world.server.run([*program, "--hostname", "mail.example.org", "--dir", "/"], check=False)
    document: dict[str, Any] = json.loads(done.stdout)
    return document
