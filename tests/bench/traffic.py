"""Bytes that the screen writes at 80x24 in 256 colours, and what it costs to stand idle."""

import time
from collections.abc import Iterator
from statistics import median

from lab.inside import in_network, running
from lab.netns import Namespace

from bench.measure import PYTHON, WIZARD
from bench.paint import NAMES, answered, painted
from bench.table import Row, below, shown
from bench.terminal import Program, on_terminal

_IDLE_S = 10.0
_STEPS = 5
_MOST_ROWS = 40
_DOWN, _PAGE_DOWN, _HOME = "\x1b[B", "\x1b[6~", "\x1b[H"
_SILENT = """
import signal, socket
held = socket.socket(type=socket.SOCK_DGRAM)
held.bind(("127.0.0.1", 123))
print("ready", flush=True)
signal.pause()
"""


def rows() -> Iterator[Row]:
    """All rows about bytes."""
    with on_terminal([WIZARD, *NAMES, "--offline"]) as program:
        program.wait(answered)
        program.settle(1.0)
        yield from _idle(program)
        steps = [program.press("n") for _ in range(1)]
        moves, pages = [], []
        for _ in range(_STEPS):
            pages.append(program.press(_PAGE_DOWN))
            program.press(_HOME)
            moves += _walk(program)
            steps.append(program.press("n"))
        yield below("one cursor move, worst of all rows of all steps", max(moves), "bytes", 600)
        yield shown("one cursor move, median", median(moves), "bytes", "with the details of the finding")
        yield shown("page down, worst", max(pages), "bytes")
        yield shown("step change, worst", max(steps), "bytes")
    yield from _running()


def _idle(program: Program) -> Iterator[Row]:
    before, used = program.bytes, program.processor
    program.settle(_IDLE_S)
    yield below("idle for 10 s: written", program.bytes - before, "bytes", 0)
    yield below("idle for 10 s: processor", (program.processor - used) / _IDLE_S * 100, "%", 0.3)


def _walk(program: Program) -> list[int]:
    """Down through all rows of a step; the bytes of each move."""
    moves: list[int] = []
    while len(moves) < _MOST_ROWS:
        written = program.press(_DOWN, 0.15)
        if not written:
            break
        moves.append(written)
    return moves


def _running() -> Iterator[Row]:
    """A step whose last check waits 3 s for a server that is silent; the other results are there."""
    with Namespace.create() as namespace:
        place = in_network(namespace.name)
        with running(place.start([PYTHON, "-c", _SILENT])) as server:
            assert server.stdout
            server.stdout.readline()
            with on_terminal(place.command([WIZARD, *NAMES, "--ntp", "127.0.0.1"])) as program:
                program.wait(painted)
                program.settle(0.8)
                before, start = program.bytes, time.perf_counter()
                program.settle(1.0)
                rate = (program.bytes - before) / (time.perf_counter() - start)
    yield below("a running step, besides its results", rate, "B/s", 300)
