"""What gets out: how long all attempts take together, where all pass and where what is asked is blocked."""

import json
from collections.abc import Iterator
from statistics import median

from lab.inside import CHECKOUT
from lab.outside import World, outside

from bench.measure import PYTHON
from bench.table import Row, below, shown

_SINGLE_MS = 4000.0  # the longest that a single attempt is waited for
_MORE_MS = 200.0
_ROUNDS = 5
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


def _whole(world: World) -> float:
    """All checks of the network, in ms."""
    program = ["env", f"PYTHONPATH={CHECKOUT}", PYTHON, "-m", "mailcow_wizard", "check", "network.", "--json"]
    return median(_once(world, program) for _ in range(_ROUNDS))


def _once(world: World, program: list[str]) -> float:
    done = world.server.run([*program, "--hostname", "mail.example.org", "--dir", "/"], check=False)
    return float(json.loads(done.stdout)["duration_ms"])
