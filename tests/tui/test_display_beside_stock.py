"""The screen as our display layer draws it beside the same screen as Textual draws it, cell by cell."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from bench.measure import Command
from bench.terminal import Program, on_terminal
from tui.emulator import Emulator
from tui.tmux import PATIENCE, WIZARD

_PLAIN = {"MAILCOW_WIZARD_PLAIN_DISPLAY": "1"}
_DEPTHS = {
    "256": {},
    "truecolor": {"COLORTERM": "truecolor"},
    "16": {"TERM": "xterm"},
    "none": {"NO_COLOR": "1"},
    "linux": {"TERM": "linux"},
    "vt100": {"TERM": "vt100"},
}
_ENTER, _ESC, _DOWN, _END, _HOME, _PAGE = "\r", "\x1b", "\x1b[B", "\x1b[F", "\x1b[H", "\x1b[6~"
_PALETTE = "\x10"
_STEPS = (_ENTER, _DOWN, "n", _END, _HOME, "n", _PAGE, "n", "n", "n", "n", "n", "n", "n", "n", "n", "b")
_SCREENS = (
    *("n", "n", "n", _DOWN, _ENTER, _ESC, "?", _PAGE, _ESC, _PALETTE, "k", "e", _ESC),
    *("o", _DOWN, _ESC, "i", _ESC, "t", _DOWN, _ENTER, _ESC, _ESC, "s", _DOWN, _ENTER, _ESC, _ESC, "+", _ESC),
    *("U", _ESC, "a", _ESC, "f", _ESC, "q"),
)
_QUIET_S = 0.2


class Beside:
    """Two wizards that get the same keys."""

    def __init__(self, ours: Program, stock: Program) -> None:
        self.ours, self.stock = ours, stock

    def press(self, keys: str) -> None:
        """The same keys for both; then they have to show the same."""
        for one in (self.ours, self.stock):
            one.type(keys)
        self.compare(keys)

    def resize(self, columns: int, lines: int) -> None:
        """Another size for both, and what was there is lost."""
        for one in (self.ours, self.stock):
            one.screen.resize(columns, lines)
            one.resize(columns, lines)
        self.compare(f"{columns}x{lines}")

    def compare(self, after: str) -> None:
        """Waits until both are quiet and show the same."""
        end = time.monotonic() + PATIENCE
        while True:
            before = self.ours.bytes, self.stock.bytes
            self.stock.settle(_QUIET_S)
            self.ours.settle(_QUIET_S)
            quiet = before == (self.ours.bytes, self.stock.bytes)
            differences = [*self.ours.screen.unlike(self.stock.screen)]
            if quiet and not differences:
                return
            if time.monotonic() > end:
                shown = "\n".join([*self.ours.screen.lines, "-- stock:", *self.stock.screen.lines])
                pytest.fail(f"after {after!r}: {len(differences)} cells: {differences[:5]}\n{shown}")


@contextmanager
def beside(
    directory: Path, size: tuple[int, int] = (80, 24), argv: Command = WIZARD, **variables: str
) -> Iterator[Beside]:
    """Both, on the demo machine, once everything is on the screen; `argv` starts ours."""
    with ExitStack() as stack:
        started = []
        for name, program, more in (("ours", argv, {}), ("stock", WIZARD, _PLAIN)):
            state = directory / name
            state.mkdir()
            words = [*program, "--demo", "--state-dir", str(state)]
            made = on_terminal(words, {**variables, **more}, size, Emulator(*size))
            started.append(stack.enter_context(made))
        both = Beside(*started)
        for one in started:
            one.wait(lambda lines: "quit" in lines[-1])
        both.compare("start")
        yield both


@pytest.mark.parametrize(
    "depth", [pytest.param(one, marks=() if one == "linux" else pytest.mark.long) for one in _DEPTHS]
)
def test_every_step_looks_like_stock(tmp_path: Path, depth: str) -> None:
    with beside(tmp_path, **_DEPTHS[depth]) as both:
        for key in _STEPS:
            both.press(key)
        assert both.ours.bytes * 2 < both.stock.bytes


@pytest.mark.parametrize(
    "size", [(80, 24), pytest.param((120, 40), marks=pytest.mark.long)], ids=["80x24", "120x40"]
)
def test_every_screen_looks_like_stock(tmp_path: Path, size: tuple[int, int]) -> None:
    with beside(tmp_path, size) as both:
        both.press(_ENTER)
        for key in _SCREENS:
            both.press(key)
        assert both.ours.bytes * 2 < both.stock.bytes


def test_another_size_is_drawn_whole(tmp_path: Path) -> None:
    with beside(tmp_path) as both:
        both.press(_ENTER)
        for size in ((120, 40), (40, 10), (81, 25), (80, 24), (20, 5), (200, 50)):
            both.resize(*size)
            both.press(_DOWN)


def test_updates_are_begun_and_ended_where_the_terminal_can(tmp_path: Path) -> None:
    with beside(tmp_path) as both:
        assert both.ours.screen.updates == 0
        for one in (both.ours, both.stock):
            one.type("\x1b[?2026;2$y")
        both.press(_ENTER)
        both.press("n")
        assert 2 <= both.ours.screen.updates <= both.stock.screen.updates
