"""The list of findings of a step, with a cursor."""

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.timer import Timer

from mailcow_wizard.tui.board import Row
from mailcow_wizard.tui.look import WORD_WIDTH, WORDS, Look
from mailcow_wizard.tui.widgets.lines import Lines, Part

_NARROW_TITLE = 20
_WIDE_TITLE = 30
_WIDE_FROM = 90
_REST_S = 0.1
"""Longer than a key that is held down takes to come again."""


class FindingList(Lines, can_focus=True):
    """One line a finding: cursor, glyph, word, title, what was found."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "up", show=False),
        Binding("down,j", "move(1)", "down", show=False),
        Binding("pageup", "page(-1)", "page up", show=False),
        Binding("pagedown", "page(1)", "page down", show=False),
        Binding("home", "edge(0)", "first", show=False),
        Binding("end", "edge(1)", "last", show=False),
        Binding("enter", "open", "details", show=False),
    ]

    class Moved(Message):
        """The cursor is on another row, or its row has changed. While a key is held down that is said once,
        when the cursor rests: what is about the row costs more than the cursor."""

    class Opened(Message):
        """The row under the cursor is asked for in full."""

    def __init__(self, look: Look, id: str | None = None) -> None:
        super().__init__(id=id)
        self._look = look
        self._rows: Sequence[Row] = ()
        self._resting: Timer | None = None
        self._moved = False
        self.cursor = 0

    @property
    def row(self) -> Row | None:
        """The row under the cursor."""
        return self._rows[self.cursor] if 0 <= self.cursor < len(self._rows) else None

    def show(self, rows: Sequence[Row], cursor: int | None = None) -> None:
        """Shows rows; the cursor stays where it is unless another place is named."""
        self._rows = rows
        wanted = self.cursor if cursor is None else cursor
        self.cursor = max(0, min(wanted, len(rows) - 1))
        self._redraw()

    def _redraw(self) -> None:
        if self.size.width:
            self.put([self._line(number, row) for number, row in enumerate(self._rows)])
            self._keep_in_view()

    def on_resize(self, event: events.Resize) -> None:
        """Titles take more room on a wide screen."""
        self._redraw()
        self.post_message(self.Moved())

    def _line(self, number: int, row: Row) -> list[Part]:
        look = self._look
        here = number == self.cursor
        state = look.state(row.status)
        title = _cut(look.text(row.check.title), self._title_width, look.glyphs.ellipsis)
        gap = self._title_width - cell_len(title) + 2
        room = self._room(row)
        return [
            (f"{look.glyphs.cursor} " if here else "  ", look.bold),
            (self._left(row), state),
            (title, look.selected if here else look.plain),
            (" " * gap, look.plain),
            (
                _cut(look.text(row.finding.summary) if row.finding else "", room, look.glyphs.ellipsis),
                look.plain,
            ),
        ]

    @property
    def _title_width(self) -> int:
        return _WIDE_TITLE if self.size.width >= _WIDE_FROM else _NARROW_TITLE

    def _left(self, row: Row) -> str:
        return f"{self._look.glyph(row.status)} {WORDS[row.shown]:<{WORD_WIDTH}} "

    def _room(self, row: Row) -> int:
        """The cells that a row's line has for what was found."""
        return max(0, self.size.width - self._title_width - len(self._left(row)) - 4)

    def go_to(self, check: str) -> None:
        """Moves the cursor to the first row of a check, where it is in the list."""
        self._go(next((n for n, row in enumerate(self._rows) if row.check.id == check), self.cursor))

    def action_move(self, by: int) -> None:
        """Moves the cursor by rows."""
        self._go(self.cursor + by)

    def action_page(self, by: int) -> None:
        """Moves the cursor by a screenful."""
        self._go(self.cursor + by * max(1, self.size.height - 1))

    def action_edge(self, last: int) -> None:
        """Moves the cursor to the first or the last row."""
        self._go(len(self._rows) - 1 if last else 0)

    def action_open(self) -> None:
        """Asks for the row in full."""
        self.post_message(self.Opened())

    def _go(self, to: int) -> None:
        to = max(0, min(to, len(self._rows) - 1))
        if to != self.cursor:
            self.cursor = to
            self._redraw()
            self._tell()

    def _tell(self) -> None:
        if self._resting:
            self._moved = True
            self._resting.reset()
            return
        self.post_message(self.Moved())
        self._resting = self.set_timer(_REST_S, self._rest)

    def _rest(self) -> None:
        self._resting = None
        if self._moved:
            self._moved = False
            self.post_message(self.Moved())

    def _keep_in_view(self) -> None:
        top, height = self.scroll_offset.y, max(1, self.size.height)
        # A terminal scrolls whole lines only: beside the rail the list is drawn anew, and so less often.
        more = height // 2 if self.region.x else 0
        if self.cursor < top:
            self._scroll(max(0, self.cursor - more))
        elif self.cursor >= top + height:
            self._scroll(self.cursor - height + 1 + more)

    def _scroll(self, to: int) -> None:
        self.scroll_to(y=to, animate=False, force=True, immediate=True)


def _cut(text: str, width: int, ellipsis: str) -> str:
    """The text in at most `width` cells."""
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, max(0, width - 1)).rstrip() + ellipsis if width > 1 else ""
