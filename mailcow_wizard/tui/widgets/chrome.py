"""What frames a step: widgets for the lines of `frame`."""

from collections.abc import Sequence
from textwrap import wrap

from mailcow_wizard.tui import frame
from mailcow_wizard.tui.board import Board
from mailcow_wizard.tui.look import Look
from mailcow_wizard.tui.widgets.lines import Lines, Part

_NOTICE_LINES = 3


class Breadcrumb(Lines):
    """All steps in one line, for narrow screens."""

    def __init__(self, look: Look) -> None:
        super().__init__(id="breadcrumb")
        self._look = look
        self._shown: tuple[Board, str] | None = None

    def on_resize(self) -> None:
        """More steps have room on a wider screen."""
        if self._shown:
            self.show(*self._shown)

    def show(self, board: Board, current: str) -> None:
        """Draws the steps with their states; the current one stands out."""
        self._shown = (board, current)
        self.put([frame.breadcrumb(self._look, board, current, self.room.width)])


class Rail(Lines):
    """The steps below each other with state and count, for wide screens."""

    def __init__(self, look: Look) -> None:
        super().__init__(id="rail")
        self._look = look

    def show(self, board: Board, current: str) -> None:
        """Draws the steps; the current one stands out."""
        self.put(frame.rail(self._look, board, current))


class Heading(Lines):
    """One line: the step and what it is about."""

    def __init__(self, look: Look) -> None:
        super().__init__(id="heading")
        self._look = look

    def show(self, title: str, about: str) -> None:
        """Draws the line."""
        self.put([frame.heading(self._look, title, about)])


class Rule(Lines):
    """A line between list and details; where the list is longer than its place, which part of it is seen."""

    def __init__(self, look: Look) -> None:
        super().__init__(id="rule")
        self._look = look
        self._view = ""

    def show(self, view: str) -> None:
        """Draws the line with the words in it."""
        self._view = view
        self.on_resize()

    def on_resize(self) -> None:
        """The line is as long as the screen is wide."""
        words = f" {self._view} " if self._view else ""
        rule = self._look.glyphs.rule
        start = rule * 2 + words
        self.put([[(start + rule * (self.size.width - len(start)), self._look.dim)]])


class KeyLine(Lines):
    """The keys that matter here, or a notice."""

    def __init__(self, look: Look) -> None:
        super().__init__(id="keys")
        self._look = look
        self._keys: frame.Keys = ()
        self._notice = ""

    def show(self, keys: frame.Keys, notice: str = "") -> None:
        """Draws keys and what they do, as many as have room; a notice takes their place."""
        self._keys, self._notice = keys, notice
        self.on_resize()

    def on_resize(self) -> None:
        """More keys have room on a wider screen."""
        look = self._look
        if not self._notice:
            self._put([frame.key_line(look, self._keys, self.room.width)])
            return
        lines = wrap(look.text(self._notice), max(10, self.room.width - 2), break_on_hyphens=False)
        rest = " ".join(lines[_NOTICE_LINES - 1 :])
        lines = [*lines[: _NOTICE_LINES - 1], *([rest] if rest else [])]
        self._put([[(f" {line}", look.bold)] for line in lines])

    def _put(self, lines: Sequence[Sequence[Part]]) -> None:
        """A notice that is longer than a line takes some of what is above it."""
        height = self.styles.height
        if height is None or height.value != len(lines):
            self.styles.height = len(lines)
        self.put(lines)
