"""DNS: how long many look-ups take beside `dig`, what a dead server costs, what a whole run costs."""

import resource
import subprocess
import time
from collections.abc import Iterator

from lab.inside import CHECKOUT, Inside, in_network, needs, running
from lab.names import internet_of_names
from lab.netns import Namespace

from bench.measure import PROBES, PYTHON, WIZARD, own_state
from bench.table import Row, at_most, below, faster

_NEAR, _DEAD, _SILENT_TOO = "127.0.0.53", "127.0.0.99", "127.0.0.98"
_JOINED_MS = 100.0
_PATIENCE_MS, _MORE_MS = 3_000.0, 20.0
_ROUND_TRIP_MS = 30.0
_NAMES = [f"n{number}.example.org" for number in range(70)]


def rows() -> Iterator[Row]:
    """A resolver 30 ms away; then the small internet of names."""
    needs("dig", "xargs")
    with Namespace.create() as namespace:
        place = in_network(namespace.name)
        # A server that is there and says nothing: its packets are taken and dropped.
        namespace.run(["nft", "-f", "-"], text=_SILENT)
        argv = [PYTHON, "-I", "-S", str(PROBES / "resolver.py"), _NEAR, str(_ROUND_TRIP_MS)]
        with running(place.start(argv)) as resolver:
            assert resolver.stdout
            resolver.stdout.readline()
            yield from _look_ups(place)
    yield _whole_run()
    yield _round_trips()


_SILENT = (
    "table inet silent {\nchain in {\ntype filter hook input priority 0\n"
    f"ip daddr {{ {_DEAD}, {_SILENT_TOO} }} drop\n}}\n}}\n"
)


def _look_ups(place: Inside) -> Iterator[Row]:
    ours = _look_up(place, _NEAR)
    one_by_one = _dig(place, 1)
    yield at_most("70 look-ups, resolver 30 ms away", ours, "one round trip", _ROUND_TRIP_MS, 1.3)
    yield faster("the same", ours, "`dig` one after the other", one_by_one, 50)
    yield faster("the same", ours, "`dig`, 16 at once", _dig(place, 16), 3)
    chained = _look_up(place, "--chained", _NEAR)
    yield at_most("the same, 35 of them after the others", chained, "one round trip", _ROUND_TRIP_MS, 2.5)
    more = _look_up(place, _DEAD, _NEAR) - ours
    yield below("more where the first server is dead", more, "ms", _JOINED_MS + 2 * _ROUND_TRIP_MS)
    dead = _look_up(place, "--dead", _DEAD, _SILENT_TOO)
    yield below("70 look-ups, all servers dead", dead, "ms", _PATIENCE_MS + _MORE_MS)


def _look_up(place: Inside, *arguments: str) -> float:
    argv = [PYTHON, str(PROBES / "look_up.py"), *arguments]
    done = place.run(argv, env={"PYTHONPATH": str(CHECKOUT)}, check=True, timeout=60)
    return float(done.stdout)


def _dig(place: Inside, at_once: int) -> float:
    """In ms, for the same 70 names."""
    command = place.command(["xargs", "-P", str(at_once), "-n1", "dig", "+short", f"@{_NEAR}"])
    start = time.perf_counter()
    subprocess.run(command, input="\n".join(_NAMES), capture_output=True, check=True, text=True)
    return (time.perf_counter() - start) * 1e3


def _whole_run() -> Row:
    """The processor time of a whole process, in ms."""
    with internet_of_names() as names, own_state() as state:
        program = [WIZARD, "check", "dns", "--json", *state]
        taken = []
        for _ in range(5):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            names.run([*program, "--hostname", "mail.example.org"])
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            taken.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return below("`check dns --json`, one domain: processor", sorted(taken)[2] * 1e3, "ms", 250)


def _round_trips() -> Row:
    """All records of a domain, walks from the root, blocklists: round trips one after the other."""
    with internet_of_names() as names:
        argv = ["env", f"PYTHONPATH={CHECKOUT}", PYTHON, str(PROBES / "rounds.py"), "mail.example.org"]
        names.run(argv, check=True)  # the resolver then knows what a resolver knows
        taken = float(names.run(argv, check=True).stdout)
    return below("all records of a domain, in round trips", taken, "", 6)
