"""What frames a step: the breadcrumb or rail of steps, the heading, the line of keys."""

from collections.abc import Sequence

from mailcow_wizard.model import Step
from mailcow_wizard.tui.board import Board
from mailcow_wizard.tui.look import Look
from mailcow_wizard.tui.widgets.lines import Lines, Part

_MARK = 2
"""The cells of the mark where steps are left out."""


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
        names = [
            (step, self._look.glyph(state) if (state := board.state(step.id)) != "none" else "")
            for step in board.steps
        ]
        shown = _around(names, current, self.room.width)
        crumbs = [
            part for step, glyph in shown for part in self._crumb(step, glyph, board.state(step.id), current)
        ]
        mark = [(f" {self._look.glyphs.ellipsis}", self._look.dim)]
        before, after = shown[0] != names[0], shown[-1] != names[-1]
        self.put([[*(mark if before else []), *crumbs, *(mark if after else [])]])

    def _crumb(self, step: Step, glyph: str, state: str, current: str) -> list[Part]:
        look = self._look
        title = f" {step.title} "
        return [
            (f" {glyph}" if glyph else "", look.state(state)),
            (title, look.selected if step.id == current else look.plain),
        ]


def _around(names: Sequence[tuple[Step, str]], current: str, room: int) -> list[tuple[Step, str]]:
    """The current step and as many about it as there is room for, its neighbours at least."""
    here = next((number for number, (step, _unused) in enumerate(names) if step.id == current), 0)
    first, end = max(0, here - 1), here + 2
    while first > 0 or end < len(names):
        more = max(0, first - 1), end + 1
        marks = _MARK * ((more[0] > 0) + (more[1] < len(names)))
        if _width(names[slice(*more)]) + marks > room:
            break
        first, end = more
    return list(names[first:end])


def _width(names: Sequence[tuple[Step, str]]) -> int:
    return sum(len(step.title) + len(glyph) + 3 for step, glyph in names)


class Rail(Lines):
    """The steps below each other with state and count, for wide screens."""

    def __init__(self, look: Look) -> None:
        super().__init__(id="rail")
        self._look = look

    def show(self, board: Board, current: str) -> None:
        """Draws the steps; the current one stands out."""
        lines: list[list[Part]] = [[], [(" mailcow-wizard", self._look.bold)], []]
        for step in board.steps:
            state = board.state(step.id)
            glyph = " " if state == "none" else self._look.glyph(state)
            style = self._look.selected if step.id == current else self._look.plain
            counts = _counts(board, step.id)
            title = f" {step.title} "
            gap = " " * max(1, 22 - len(title) - len(counts) - 4)
            lines.append(
                [(f" {glyph} ", self._look.state(state)), (title, style), (gap + counts, self._look.dim)]
            )
            lines.append([])
        self.put(lines)


def _counts(board: Board, step: str) -> str:
    """`12/13`: how many of a step's rows are right."""
    if step in ("welcome", "summary"):
        return ""
    counts = board.counts(step)
    return f"{counts['pass']}/{sum(counts.values())}"


class Heading(Lines):
    """One line: the step and what it is about."""

    def __init__(self, look: Look) -> None:
        super().__init__(id="heading")
        self._look = look

    def show(self, title: str, about: str) -> None:
        """Draws the line."""
        look = self._look
        self.put([[(f" {title}", look.bold), (f"  {look.text(about)}", look.dim)]])


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


_ALWAYS, _ALWAYS_FROM = ("?", "q"), 60
"""Keys that are always named, on lines of so many columns or more."""


class KeyLine(Lines):
    """The keys that matter here, or a notice."""

    def __init__(self, look: Look) -> None:
        super().__init__(id="keys")
        self._look = look
        self._keys: Sequence[tuple[str, str]] = ()
        self._notice = ""

    def show(self, keys: Sequence[tuple[str, str]], notice: str = "") -> None:
        """Draws keys and what they do, as many as have room; a notice takes their place."""
        self._keys, self._notice = keys, notice
        self.on_resize()

    def on_resize(self) -> None:
        """More keys have room on a wider screen."""
        look = self._look
        if self._notice:
            self.put([[(f" {look.text(self._notice)}", look.bold)]])
            return
        parts: list[Part] = []
        for key, does in self._fitting():
            parts += [(f" {key}", look.bold), (f" {does} ", look.plain)]
        self.put([parts])

    def _fitting(self) -> Sequence[tuple[str, str]]:
        """As many as have room; the way to the others (help) and the way out are among them."""
        kept = [one for one in self._keys if one[0] in _ALWAYS and self.room.width >= _ALWAYS_FROM]
        left = self.room.width - sum(map(_taken, kept))
        for one in self._keys:
            if one in kept:
                continue
            left -= _taken(one)
            if left < 0:
                break
            kept.append(one)
        return sorted(kept, key=self._keys.index)


def _taken(key: tuple[str, str]) -> int:
    return len(key[0]) + len(key[1]) + 3
