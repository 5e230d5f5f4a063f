"""The list of findings of a step, with a cursor."""

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import set_cell_size
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from mailcow_wizard.language import _
from mailcow_wizard.tui.board import Row
from mailcow_wizard.tui.look import WORD_WIDTH, WORDS, Look
from mailcow_wizard.tui.widgets.lines import Lines, Part

_NARROW_TITLE = 20
_WIDE_TITLE = 30
_WIDE_FROM = 90


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
        """The cursor is on another row, or its row has changed."""

    class Opened(Message):
        """The row under the cursor is asked for in full."""

    def __init__(self, look: Look, id: str | None = None) -> None:
        super().__init__(id=id)
        self._look = look
        self._rows: Sequence[Row] = ()
        self.cursor = 0

    @property
    def row(self) -> Row | None:
        """The row under the cursor."""
        return self._rows[self.cursor] if 0 <= self.cursor < len(self._rows) else None

    @property
    def view(self) -> str:
        """Which rows are in view, `3 to 12 of 20`; nothing when all are."""
        first, height = self.scroll_offset.y, self.size.height
        if height <= 0 or len(self._rows) <= height:
            return ""
        return _(
            "{first} to {last} of {whole}",
            first=first + 1,
            last=min(first + height, len(self._rows)),
            whole=len(self._rows),
        )

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
        title_width = _WIDE_TITLE if self.size.width >= _WIDE_FROM else _NARROW_TITLE
        state = look.state(row.status)
        title = set_cell_size(look.text(row.check.title), title_width)
        left = f"{look.glyph(row.status)} {WORDS[row.status]:<{WORD_WIDTH}} "
        room = max(0, self.size.width - title_width - len(left) - 4)
        return [
            (f"{look.glyphs.cursor} " if here else "  ", look.bold),
            (left, state),
            (title, look.selected if here else look.plain),
            ("  ", look.plain),
            (
                _cut(look.text(row.finding.summary) if row.finding else "", room, look.glyphs.ellipsis),
                look.plain,
            ),
        ]

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
            self.post_message(self.Moved())

    def _keep_in_view(self) -> None:
        top, height = self.scroll_offset.y, max(1, self.size.height)
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False, force=True, immediate=True)
        elif self.cursor >= top + height:
            self.scroll_to(y=self.cursor - height + 1, animate=False, force=True, immediate=True)


def _cut(text: str, width: int, ellipsis: str) -> str:
    """The text in at most `width` cells."""
    from rich.cells import cell_len

    if cell_len(text) <= width:
        return text
    return set_cell_size(text, max(0, width - 1)).rstrip() + ellipsis if width > 1 else ""
