"""A walk through all screens of the wizard on the demo machine: the bytes that each key costs."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from bench.measure import WIZARD
from bench.terminal import Program, on_terminal

ENTER, ESC, TAB, PALETTE = "\r", "\x1b", "\t", "\x10"
UP, DOWN, HOME, END, PAGE_DOWN = "\x1b[A", "\x1b[B", "\x1b[H", "\x1b[F", "\x1b[6~"
# Each leads back to the list; the step that it is opened from comes before it.
SCREENS: Sequence[Sequence[str]] = (
    (ENTER, ESC),
    ("?", ESC),
    ("l", ESC),
    (PALETTE, ESC),
    ("f", ESC),
    ("a", ESC),
    ("U", ESC),
    ("o", ESC),
    ("i", ESC),
    ("t", ENTER, ESC, ESC),
    ("+", ESC),
    ("s", ESC),
)
_STEPS = 11
_MOST_ROWS = 60


class Traffic(NamedTuple):
    """Bytes: until the first paint was there, until all results were; of each cursor move within a list of
    findings and within another list, of each change of the focus and of the screen; of the longest burst; of
    everything."""

    paint: int
    results: int
    moves: list[int]
    plain_moves: list[int]
    focus: list[int]
    screens: list[int]
    burst: int
    whole: int


@contextmanager
def demo(size: tuple[int, int]) -> Iterator[Program]:
    """The wizard on the demo machine, from its first byte on."""
    with tempfile.TemporaryDirectory() as state:
        argv = [WIZARD, "--demo", "--state-dir", state]
        with on_terminal(argv, size=size) as program:
            yield program


def walk(size: tuple[int, int], quiet: float = 0.2) -> Traffic:
    """Once through everything: all steps, all rows of each, all screens besides."""
    with demo(size) as program:
        program.wait(lambda lines: "quit" in lines[-1])
        paint = program.bytes
        program.settle(1.0)
        results = program.bytes
        focus = [program.press(TAB, quiet) for _ in range(3)]
        program.press(ESC, quiet)
        screens, moves = [program.press("n", quiet)], []
        for _ in range(_STEPS):
            moves += down(program, quiet)
            screens += [program.press(HOME, quiet), program.press("n", quiet)]
        for keys in SCREENS:
            screens += [program.press(key, quiet + 0.2 * (key == ESC)) for key in keys]
        program.press(PALETTE, quiet)
        plain = [program.press(DOWN, quiet) for _ in range(8)]
        program.press(ESC, 0.4)
        program.press("s", quiet)
        focus += [program.press(DOWN, quiet) for _ in range(8)]
        program.press(ESC, 0.4)
        return Traffic(paint, results, moves, plain, focus, screens, program.burst, program.bytes)


def down(program: Program, quiet: float) -> list[int]:
    """Down through all rows of a list; the bytes of each move."""
    moves: list[int] = []
    while len(moves) < _MOST_ROWS and (written := program.press(DOWN, quiet)):
        moves.append(written)
    return moves
