"""The bytes that the screen costs, of which the benchmark measures all."""

from statistics import median

import pytest
from bench.terminal import Program
from bench.traffic import LIMITS
from bench.walk import DOWN, ENTER, ESC, HOME, TAB, begun, demo, down, moves, walk

_QUIET_S, _PATIENCE_S = 0.2, 10.0
_TIMES = 30
_SAID_TOO = {80: 500, 120: 1000}
"""A cursor move with what is then said about the row, by width; the goal of 160 is reached while the key is
held."""
_WHOLE = {80: 56_000, 120: 80_000}
"""A walk through all screens and back, by width; its letters alone are 37 and 54 thousand, the goal is
40 000."""
_SIZES = pytest.mark.parametrize("size", LIMITS, ids=lambda size: f"{size[0]}x{size[1]}")


def _press(program: Program, keys: str, quiet: float = _QUIET_S) -> int:
    written = program.press(keys, quiet, _PATIENCE_S)
    assert written, f"{keys!r} showed nothing"
    return written


@_SIZES
def test_first_paint_moves_focus_and_screens(size: tuple[int, int]) -> None:
    limits = LIMITS[size]
    with demo(size) as program:
        assert begun(program) <= limits.paint
        assert _press(program, TAB) <= limits.focus
        _press(program, ESC, 0.5)
        assert _press(program, "n") <= limits.screen
        assert _press(program, HOME) <= limits.screen
        taken = down(program, _QUIET_S)
        assert len(taken) > 10
        assert median(taken) <= _SAID_TOO[size[0]]
        assert _press(program, ENTER) <= limits.screen
        assert _press(program, ESC, 0.5) <= limits.screen
        assert program.burst <= limits.burst


@_SIZES
def test_a_key_that_is_held_down(size: tuple[int, int]) -> None:
    with demo(size) as program:
        begun(program)
        for _ in range(4):
            _press(program, "n")
        shown = program.screen.lines
        assert _press(program, DOWN * _TIMES, 1.0) <= LIMITS[size].move * _TIMES
        here = [line for line in program.screen.lines if "▸" in line]
        assert here != [line for line in shown if "▸" in line]
        # What is said is of the row where it rests.
        assert _press(program, ENTER)
        assert program.screen.lines[0].strip() in here[0]


@pytest.mark.long
@_SIZES
def test_a_walk_through_all_screens(size: tuple[int, int]) -> None:
    limits, traffic, moved = LIMITS[size], walk(size), moves(size, 4)
    assert max(traffic.screens) <= limits.screen
    assert max(traffic.focus) <= limits.focus
    assert traffic.burst <= limits.burst
    assert traffic.steps <= limits.whole
    assert traffic.whole <= _WHOLE[size[0]]
    assert max(moved.plain) <= limits.move
