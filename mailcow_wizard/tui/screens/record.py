"""One DNS record in full: its value on one line, which servers have it, and for how long they keep it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from textual.binding import Binding, BindingType

from mailcow_wizard.engine import watching
from mailcow_wizard.facts.dns.standing import standings
from mailcow_wizard.facts.dns.table import Row
from mailcow_wizard.language import _
from mailcow_wizard.tui import record_words as words
from mailcow_wizard.tui.look import Look
from mailcow_wizard.tui.screens.records import server_lines
from mailcow_wizard.tui.screens.sheet import Sheet
from mailcow_wizard.tui.widgets.lines import Part

if TYPE_CHECKING:
    from mailcow_wizard.tui.book import Book

_LABEL = 11
_MOST_SERVERS = 60
_SHIFT = 20
_TICK_S = 1.0


class RecordScreen(Sheet[None]):
    """Counts down what resolvers may keep; follows what is heard while it is waited for."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "copy", "copy the value", show=False),
        Binding("right", "shift(1)", "the rest of the value", show=False),
        Binding("left", "shift(-1)", "its beginning", show=False),
        Binding("escape,q,enter", "dismiss", "back", show=False),
    ]

    def __init__(self, look: Look, book: Book, row: Row, copy: Callable[[], bool]) -> None:
        super().__init__(look)
        self._book = book
        self._row = row
        self._copy = copy
        self._from = 0
        self._notice = ""

    def on_mount(self) -> None:
        """Draws everything."""
        super().on_mount()
        self.set_interval(_TICK_S, self._tick)

    def _tick(self) -> None:
        if self._left():
            self.draw()

    def draw(self) -> None:
        """Draws what is different now."""
        self._row = self._book.now_of(self._row)
        super().draw()

    def _left(self) -> int:
        row, book = self._row, self._book
        stand = standings(row.seen, row.right)
        return max((watching.left(one, book.heard(row), book.now()) for one in stand), default=0)

    def title_parts(self) -> Sequence[Part]:
        """Name and type."""
        return [(f" {self.look.text(words.what(self._row))}", self.look.bold)]

    def body(self, width: int) -> Sequence[Sequence[Part]]:
        """The value at the edge of a line of its own, then the rest."""
        look, row = self.look, self._row
        value = look.text(words.value_or_note(row))
        lines: list[list[Part]] = [[], [(value[self._from :], look.bold if row.value else look.dim)], []]
        lines += self._labelled(_("State"), words.sentence(row, self._left()), width)
        if row.state.kind != "wrong":
            lines += self._labelled(_("Published"), words.published(row), width)
        zone = row.seen.zone
        lines += self._labelled(_("Zone"), zone.name if not zone.problem else zone.problem, width)
        if row.ttl:
            lines += self._labelled(
                _("Kept"), _("{duration} by whoever asks for it now", duration=words.duration(row.ttl)), width
            )
        servers = server_lines(look, self._book, row, _MOST_SERVERS, width)
        return [*lines, *([[]] if servers else []), *servers]

    def _labelled(self, label: str, text: str, width: int) -> list[list[Part]]:
        look = self.look
        parts = wrap(look.text(text), max(10, width - _LABEL), break_on_hyphens=False)
        return [
            [(f" {'' if number else label:<{_LABEL - 1}}", look.dim), (part, look.plain)]
            for number, part in enumerate(parts)
        ]

    def foot(self, width: int) -> Sequence[Sequence[Part]]:
        """The keys."""
        if self._notice:
            return [[(f" {self._notice}", self.look.bold)]]
        long = cell_len(words.value(self._row)) > self.size.width
        rest = [(_("left right"), _("the whole value"))] if long else []
        copy = [("c", _("copy the value"))] if self._row.value else []
        scroll = [(_("arrows"), _("scroll"))] if self.scrolls() else []
        return [self.keys([*copy, *rest, *scroll, ("Esc", _("back"))])]

    def action_copy(self) -> None:
        """Copies the value."""
        if self._copy():
            self._notice = words.COPIED
            self.draw_foot()

    def action_shift(self, by: int) -> None:
        """Moves the value under its line, where it is longer than that."""
        longest = max(0, cell_len(words.value(self._row)) - self.size.width)
        self._from = max(0, min(self._from + by * _SHIFT, longest))
        self._notice = ""
        self.draw()
