"""Bytes that the screen writes in 256 colours, and what it costs to stand idle."""

import tempfile
from collections.abc import Iterator
from statistics import median
from typing import NamedTuple

from lab.inside import in_network, running
from lab.netns import Namespace

from bench.measure import PROBES, PYTHON, WIZARD
from bench.paint import NAMES, answered, painted
from bench.table import Row, below
from bench.terminal import Program, on_terminal
from bench.walk import moves, walk

_IDLE_S = _RUNNING_S = 10.0
_PULLING_S = 10.0
_SILENT = """
import signal, socket
held = socket.socket(type=socket.SOCK_DGRAM)
held.bind(("127.0.0.1", 123))
print("ready", flush=True)
signal.pause()
"""


class Limits(NamedTuple):
    """The most bytes."""

    paint: int
    focus: int
    screen: int
    move: int = 160
    running: int = 2_000
    pulling: int = 500
    burst: int = 14_000
    whole: int = 40_000


LIMITS = {(80, 24): Limits(2_000, 800, 3_000), (120, 40): Limits(3_200, 1_000, 4_000)}


def rows() -> Iterator[Row]:
    """All rows about bytes."""
    for size, limits in LIMITS.items():
        yield from _walked(size, limits)
        yield below(f"10 s of running checks{_at(size)}", checked(size), "bytes", limits.running)
        yield below(f"pulling 18 images{_at(size)}", pulled(size), "B/s", limits.pulling)
    yield from _idle()


def _at(size: tuple[int, int]) -> str:
    return f", {size[0]}x{size[1]}"


def _walked(size: tuple[int, int], limits: Limits) -> Iterator[Row]:
    at, traffic, moved = _at(size), walk(size), moves(size)
    yield below(f"first paint{at}", traffic.paint, "bytes", limits.paint)
    yield below(f"a cursor move in a list{at}", max(moved.plain), "bytes", limits.move)
    yield below(f"a cursor move among findings, key held down{at}", moved.held, "bytes", limits.move)
    worst = f"worst {max(moved.findings)}"
    said = f"the same, one key and what is said of the row, median{at}"
    yield below(said, median(moved.findings), "bytes", limits.move, worst)
    yield below(f"change of focus, worst{at}", max(traffic.focus), "bytes", limits.focus)
    yield below(
        f"change of screen, worst of {len(traffic.screens)}{at}", max(traffic.screens), "bytes", limits.screen
    )
    yield below(f"longest burst{at}", traffic.burst, "bytes", limits.burst)
    yield below(f"a walk through all steps, all results{at}", traffic.steps, "bytes", limits.whole)
    yield below(f"the same, each screen besides opened and closed{at}", traffic.whole, "bytes", limits.whole)


def _idle() -> Iterator[Row]:
    with on_terminal([WIZARD, *NAMES, "--offline"]) as program:
        program.wait(answered)
        program.settle(1.0)
        before, used = program.bytes, program.processor
        program.settle(_IDLE_S)
        yield below("idle for 10 s: written", program.bytes - before, "bytes", 0)
        yield below("idle for 10 s: processor", (program.processor - used) / _IDLE_S * 100, "%", 0.3)


def checked(size: tuple[int, int]) -> int:
    """The bytes of the first ten seconds after the first paint: all checks run, a time server is silent."""
    with Namespace.create() as namespace:
        place = in_network(namespace.name)
        with running(place.start([PYTHON, "-c", _SILENT])) as server:
            assert server.stdout
            server.stdout.readline()
            argv = place.command([WIZARD, *NAMES, "--ntp", "127.0.0.1"])
            with on_terminal(argv, size=size) as program:
                program.wait(painted)
                return _written(program, _RUNNING_S)


def pulled(size: tuple[int, int]) -> float:
    """The bytes in a second of a pull of mailcow's images."""
    with tempfile.TemporaryDirectory() as state:
        argv = [PYTHON, str(PROBES / "pulling.py"), "--demo", "--state-dir", state]
        with on_terminal(argv, size=size) as program:
            program.wait(painted)
            program.settle(1.0)
            program.press("n")
            program.press("i", 0.05)
            program.wait(lambda lines: any("images" in line for line in lines))
            return _written(program, _PULLING_S) / _PULLING_S


def _written(program: Program, seconds: float) -> int:
    before = program.bytes
    program.read_for(seconds)
    return program.bytes - before
