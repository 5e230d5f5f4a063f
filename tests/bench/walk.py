"""A walk through all screens of the wizard on the demo machine: the bytes that each key costs."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from bench.measure import WIZARD
from bench.terminal import Program, on_terminal

ENTER, ESC, TAB, PALETTE = "\r", "\x1b", "\t", "\x10"
UP, DOWN, HOME, END, PAGE_DOWN = "\x1b[A", "\x1b[B", "\x1b[H", "\x1b[F", "\x1b[6~"
# What is opened from each step, in their order, and closed again; `n` goes on to the next.
SCREENS: Sequence[Sequence[str]] = (
    ("?", ESC),
    (ENTER, ESC),
    ("l", ESC),
    ("f", ESC),
    ("o", ESC, "i", ESC),
    ("t", ENTER, ESC, ESC, "+", ESC, ESC),
    (PALETTE, ESC),
    ("U", ESC),
    ("s", ESC),
    ("i", ESC),
    ("a", ESC),
    (ENTER, ESC),
)
_MOST_ROWS = 60
_LONGEST = 4  # the step Network has most rows
_REPEAT_S = 1 / 30
_PATIENCE_S = 1.5


class Traffic(NamedTuple):
    """Bytes: of the first paint; of each change of the screen and of the focus; of the longest burst; of a
    walk from the first byte on, through all steps and through all screens that they lead to besides."""

    paint: int
    screens: list[int]
    focus: list[int]
    burst: int
    steps: int
    whole: int


class Moves(NamedTuple):
    """Bytes of each cursor move: in lists of findings, with what is said about the row; in the longest of
    them while the key is held down, on the average; in another list."""

    findings: list[int]
    held: float
    plain: list[int]


@contextmanager
def demo(size: tuple[int, int]) -> Iterator[Program]:
    """The wizard on the demo machine, from its first byte on."""
    with tempfile.TemporaryDirectory() as state:
        argv = [WIZARD, "--demo", "--state-dir", state]
        with on_terminal(argv, size=size) as program:
            yield program


def walk(size: tuple[int, int], quiet: float = 0.2) -> Traffic:
    """Through all steps, and all screens that they lead to."""
    with demo(size) as program:
        paint = begun(program)
        screens = []
        for keys in SCREENS:
            # Esc and a letter that follow each other at once are Alt and the letter.
            screens += [program.press(key, max(quiet, 0.4 * (key == ESC)), _PATIENCE_S) for key in keys]
            screens.append(program.press("n", quiet, _PATIENCE_S))
        whole = program.bytes
    with demo(size) as program:
        begun(program)
        for _ in SCREENS:
            program.press("n", quiet, _PATIENCE_S)
        steps = program.bytes
    with demo(size) as program:
        begun(program)
        focus = [program.press(TAB, quiet, _PATIENCE_S) for _ in range(3)]
        program.press(ESC, 0.4)
        program.press("n", quiet, _PATIENCE_S)
        program.press("s", quiet, _PATIENCE_S)
        focus += [program.press(DOWN, quiet, _PATIENCE_S) for _ in range(8)]
        return Traffic(paint, screens, focus, program.burst, steps, whole)


def moves(size: tuple[int, int], steps: int = len(SCREENS), quiet: float = 0.2) -> Moves:
    """Down through all rows of the first steps, and through the palette."""
    with demo(size) as program:
        begun(program)
        findings: list[int] = []
        for _ in range(steps):
            program.press("n", quiet, _PATIENCE_S)
            program.press(HOME, quiet, _PATIENCE_S)
            findings += down(program, quiet)
    with demo(size) as program:
        begun(program)
        for _ in range(_LONGEST):
            program.press("n", quiet, _PATIENCE_S)
        by_hold = held(program)
        program.press(PALETTE, quiet, _PATIENCE_S)
        return Moves(findings, by_hold, [program.press(DOWN, quiet, _PATIENCE_S) for _ in range(8)])


def held(program: Program, moves: int = 40) -> float:
    """Down as a keyboard repeats it; the bytes of a move on the average, all told."""
    before = program.bytes
    for _ in range(moves):
        program.type(DOWN)
        program.read_for(_REPEAT_S)
    program.settle(0.5)
    return (program.bytes - before) / moves


def begun(program: Program) -> int:
    """Waits until everything is on the screen; the bytes of the first paint."""
    program.wait(lambda lines: "quit" in lines[-1])
    paint = program.bytes
    program.wait(lambda lines: "✗" in "".join(lines))  # of what was found on the demo machine
    program.settle(1.0)
    return paint


def down(program: Program, quiet: float) -> list[int]:
    """Down through all rows of a list; the bytes of each move."""
    taken: list[int] = []
    while len(taken) < _MOST_ROWS and (written := program.press(DOWN, quiet, 0.5)):
        taken.append(written)
    return taken
