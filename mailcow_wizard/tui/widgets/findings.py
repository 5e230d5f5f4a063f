"""The list of findings of a step, with a cursor."""

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.timer import Timer

from mailcow_wizard.tui.board import Row, most_urgent
from mailcow_wizard.tui.look import WORD_WIDTH, WORDS, Look
from mailcow_wizard.tui.widgets.lines import Lines, Part, cut
from mailcow_wizard.typed import NamedTuple

_NARROW_TITLE = 20
_WIDE_TITLE = 30
_WIDE_FROM = 90
_REST_S = 0.1
"""Longer than a key that is held down takes to come again."""


class Spot(NamedTuple):
    """Where the cursor is in a step. `settled`: a person moved it, or it found a row that needs attention."""

    check: str = ""
    subject: str = ""
    number: int = 0
    settled: bool = False

    def place(self, rows: Sequence[Row]) -> int:
        """The number of its row: where rows came or went above, it has moved; where it is gone, its place."""
        of_check = [number for number, row in enumerate(rows) if row.check.id == self.check]
        same = (number for number in of_check if _subject(rows[number]) == self.subject)
        return next(same, of_check[0] if of_check else max(0, min(self.number, len(rows) - 1)))


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
        self._step = ""
        self._spots: dict[str, Spot] = {}
        self._resting: Timer | None = None
        self._moved = False
        self.cursor = 0

    @property
    def row(self) -> Row | None:
        """The row under the cursor."""
        return self._rows[self.cursor] if 0 <= self.cursor < len(self._rows) else None

    def show(self, step: str, rows: Sequence[Row]) -> None:
        """Shows the rows of a step. The cursor stays on its row; before a person moved it there, it goes to
        the first that needs attention, once."""
        self._step, self._rows = step, rows
        spot = self._spots.get(step, Spot())
        urgent = None if spot.settled else most_urgent(rows)
        self._settle(spot.place(rows) if urgent is None else urgent, spot.settled or urgent is not None)
        self._redraw()

    def _settle(self, number: int, settled: bool) -> None:
        self.cursor = number
        check, subject = self.row.check.id if self.row else "", _subject(self.row)
        before = self._spots.get(self._step, Spot())
        if check == before.check and self.row and self.row.finding is None:
            subject = before.subject  # what runs again will have the same subjects
        self._spots[self._step] = Spot(check, subject, number, settled)

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
        title = cut(look.text(row.check.title), self._title_width, look.glyphs.ellipsis)
        gap = self._title_width - cell_len(title) + 2
        room = self._room(row)
        return [
            (f"{look.glyphs.cursor} " if here else "  ", look.bold),
            (self._left(row), state),
            (title, look.selected if here else look.plain),
            (" " * gap, look.plain),
            (
                cut(look.text(row.finding.summary) if row.finding else "", room, look.glyphs.ellipsis),
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

    def hold_place(self) -> None:
        """The cursor stays at this place, also where its row moves away."""
        self._spots[self._step] = Spot(number=self.cursor, settled=True)

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
        moved = to != self.cursor
        self._settle(to, settled=True)
        if moved:
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
        # A terminal scrolls whole lines only: beside the rail the list is drawn anew, and so page by page.
        more = max(0, height - 2) if self.region.x else 0
        if self.cursor < top:
            self._scroll(max(0, self.cursor - more))
        elif self.cursor >= top + height:
            self._scroll(self.cursor - height + 1 + more)

    def _scroll(self, to: int) -> None:
        self.scroll_to(y=to, animate=False, force=True, immediate=True)


def _subject(row: Row | None) -> str:
    return (row.finding.subject or "") if row and row.finding else ""
