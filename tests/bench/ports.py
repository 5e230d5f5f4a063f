"""Who holds the ports: in process and as a whole process, idle and under weight."""

import shutil
import subprocess
from collections.abc import Iterator

from lab.inside import CHECKOUT, Inside, LabError, in_network
from lab.netns import Namespace

from bench import load
from bench.measure import PROBES, PYTHON, WIZARD, Command, own_state, processes
from bench.table import Row, absent, at_most, below, faster

_CHECK = (WIZARD, "check", "ports", "--json")
_SS = ("ss", "-tlpn")
_NETSTAT = ("netstat", "-tulpn")
_MOST_MS = 1.0


def rows() -> Iterator[Row]:
    """All rows about ports."""
    with Namespace.create() as namespace, own_state() as state:
        place = in_network(namespace.name)
        check = (*_CHECK, *state)
        yield from _idle(place, check)
        with load.service(place, "0.0.0.0", "25"):
            yield below("holders, in process: idle", _in_process(place), "ms", _MOST_MS)
        yield from _tolerant("50 000 connections", _connected(place, check))
        yield from _tolerant("2 000 processes", _crowded(place))


def _tolerant(what: str, found: Iterator[Row]) -> Iterator[Row]:
    try:
        yield from found
    except LabError as error:
        yield absent(what, str(error))


def _idle(place: Inside, check: Command) -> Iterator[Row]:
    ours, ss = processes([place.command(check), place.command(_SS)], 40)
    nothing = _entering(place)
    yield at_most("check ports --json: idle", ours - nothing, "ss -tlpn", ss - nothing, 6)


def _connected(place: Inside, check: Command) -> Iterator[Row]:
    with load.service(place, "0.0.0.0", "25"), load.connections(place):
        yield below("holders, in process: 50 000 connections", _in_process(place), "ms", _MOST_MS)
        commands = [check, _SS, *([_NETSTAT] if shutil.which("netstat") else [])]
        nothing = _entering(place)
        taken = processes([place.command(argv) for argv in commands], 9)
        ours, ss, *netstat = (one - nothing for one in taken)
        yield faster("check ports --json: 50 000 connections", ours, "ss -tlpn", ss, 10)
        for other in netstat:
            yield faster("check ports --json: 50 000 connections", ours, "netstat -tulpn", other, 25)


def _crowded(place: Inside) -> Iterator[Row]:
    with load.service(place, "0.0.0.0", "25"), load.processes():
        (ss,) = processes([place.command(_SS)], 9)
        ours = _in_process(place)
        yield below("holders, in process: 2 000 processes of 50 descriptors", ours, "ms", _MOST_MS)
        yield faster("the same", ours, "ss -tlpn", ss, 500)


def _entering(place: Inside) -> float:
    """What entering the network namespace costs, which is no part of either side."""
    inside, outside = processes([place.command(["true"]), ["true"]], 40)
    return max(0.0, inside - outside)


def _in_process(place: Inside) -> float:
    """Median in ms of asking for listeners and holders in a process that runs already."""
    argv = [PYTHON, str(PROBES / "holders.py")]
    said = place.run(argv, env={"PYTHONPATH": str(CHECKOUT)}, check=True, timeout=120)
    try:
        return float(said.stdout)
    except ValueError:
        raise subprocess.SubprocessError(said.stdout + said.stderr) from None
