"""What gets out of this machine: the ways, one a line, and where those end that do not arrive."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.cells import set_cell_size
from textual.binding import Binding, BindingType

from mailcow_wizard.language import _, pgettext
from mailcow_wizard.tui import network_words as words
from mailcow_wizard.tui.board import Row
from mailcow_wizard.tui.look import Look
from mailcow_wizard.tui.screens.sheet import Sheet
from mailcow_wizard.tui.widgets.lines import Part, cut

_NAME = 38
_LINE = 34


class NetworkScreen(Sheet[None]):
    """`rows` gives the checks of the network as they are now, `again` looks at them once more."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r,R", "again", "look again", show=False),
        Binding("escape,q,o,enter", "dismiss", "back", show=False),
    ]

    def __init__(self, look: Look, rows: Callable[[], list[Row]], again: Callable[[], None]) -> None:
        super().__init__(look)
        self._rows = rows
        self._again = again

    def draw_found(self) -> None:
        """Draws what is found while it is open."""
        self.draw()

    def title_parts(self) -> Sequence[Part]:
        """How many ways end too early."""
        rows = self._rows()
        said = words.counted([one.finding for one in rows if one.finding])
        if any(one.finding is None for one in rows):
            said = _("looking") + self.look.glyphs.ellipsis
        return [(" " + _("What gets out"), self.look.bold), (f"  {said}", self.look.plain)]

    def body(self, width: int) -> Sequence[Sequence[Part]]:
        """The ways by group, below where their lines lead."""
        look = self.look
        here, way, there = pgettext("a column", "here"), _("on the way"), pgettext("a column", "there")
        head = f"{'':{_NAME}}{here:<{_LINE // 2 - 3}}{way:<{_LINE // 2 - 1}}{there}"
        lines: list[Sequence[Part]] = [[(head, look.dim)]]
        for name, ways in words.groups(self._rows()):
            lines.append([(f" {name}", look.bold)])
            for one in ways:
                lines += self._way(one, width)
        return lines

    def _way(self, one: words.Way, width: int) -> list[Sequence[Part]]:
        look = self.look
        style = look.state(one.status)
        name = set_cell_size(cut(look.text(one.name), _NAME - 5, look.glyphs.ellipsis), _NAME - 4)
        stop = look.glyphs.unknown if one.status == "unknown" else look.glyphs.fail
        marks = (look.glyphs.noted, look.glyphs.cursor, stop)
        line = words.drawn(one, _LINE, look.glyphs.rule, marks)
        first: list[Part] = [(f" {look.glyph(one.status)} ", style), (f" {name}", look.plain), (line, style)]
        well = one.status in ("pass", "skipped", "running")
        room = width - _NAME - _LINE - 2
        if well and not line:
            room, said = width - _NAME, one.summary
            first.append((cut(look.text(said), room, look.glyphs.ellipsis), look.dim))
        elif room > 20 and one.summary and well:
            first.append((f"  {cut(look.text(one.summary), room, look.glyphs.ellipsis)}", look.dim))
        if well:
            return [first]
        if not line:
            first.append((words.ends(one), style))
        return [first, *self._said(one, width)]

    def _said(self, one: words.Way, width: int) -> list[Sequence[Part]]:
        """Why, and what to do."""
        look = self.look
        told = [(one.summary, look.plain), (one.remedy, look.dim)]
        return [
            [(f"     {look.text(part)}", style)]
            for text, style in told
            if text
            for part in textwrap.wrap(text, max(20, width - 6), break_on_hyphens=False)
        ]

    def foot(self, width: int) -> Sequence[Sequence[Part]]:
        """The keys."""
        scroll = [(_("arrows"), _("scroll"))] if self.scrolls() else []
        return [self.keys([*scroll, ("r", _("look again")), ("Esc", _("back"))])]

    def action_again(self) -> None:
        """Looks once more."""
        self._again()
        self.draw()
