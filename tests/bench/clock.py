"""NTP: how long many servers take, and how right the offset is while the main thread is busy."""

from collections.abc import Iterator

from lab.inside import CHECKOUT, in_network, running
from lab.netns import Namespace

from bench.measure import PROBES, PYTHON
from bench.table import Row, at_most, below

_SERVERS = [f"127.0.0.{last}" for last in range(1, 9)]
_ROUND_TRIP_MS = 40.0


def rows() -> Iterator[Row]:
    """Eight servers 40 ms away, whose clock is this machine's own: the true offset is 0."""
    with Namespace.create() as namespace:
        place = in_network(namespace.name)
        with running(place.start([PYTHON, str(PROBES / "server.py"), *_SERVERS])) as server:
            assert server.stdout
            server.stdout.readline()
            argv = [PYTHON, str(PROBES / "asker.py"), *_SERVERS]
            said = place.run(argv, env={"PYTHONPATH": str(CHECKOUT)}, check=True, timeout=120)
    took, busy = map(float, said.stdout.split())
    yield at_most("NTP with 8 servers", took, "their round trip", _ROUND_TRIP_MS, 1.2)
    yield below("NTP offset error, main thread blocked 50 ms at a time", busy, "ms", 1)
