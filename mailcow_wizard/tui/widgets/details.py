"""The pane about one finding."""

from rich.style import Style

from mailcow_wizard.model import STATUSES
from mailcow_wizard.tui.board import Row
from mailcow_wizard.tui.look import Look
from mailcow_wizard.tui.widgets.lines import Lines, Part
from mailcow_wizard.tui.writing import Line, brief, whole

_LABEL = 8
_WHOLE_FROM = 90


class Details(Lines):
    """Shows a row: whole on a wide screen, else in brief."""

    SCROLLS = False

    def __init__(self, look: Look, id: str | None = None) -> None:
        super().__init__(id=id)
        self._look = look
        self._row: Row | None = None

    def show(self, row: Row | None) -> None:
        """Draws the row."""
        self._row = row
        self._redraw()

    def on_resize(self) -> None:
        """Text wraps to the width."""
        self._redraw()

    def _redraw(self) -> None:
        width, height = self.size.width - 2, self.size.height
        if width <= 0 or height <= 0:
            return
        if self._row is None:
            self.put([])
            return
        if width >= _WHOLE_FROM:
            lines = whole(self._row, width, height)
        else:
            lines = brief(self._row, width, height, self._look.glyphs.ellipsis)
        self.put([styled(line, self._look) for line in lines])


def styled(line: Line, look: Look) -> list[Part]:
    """A line of text with its label, as parts."""
    style = {
        "": look.plain,
        "dim": look.dim,
        "link": look.plain,
        "remedy": look.bold,
    }.get(line.role)
    if style is None:
        style = look.state(line.role) + Style(bold=True)
    at_the_edge = not line.label and line.role in ("link", *STATUSES)
    label = " " if at_the_edge else f" {line.label:<{_LABEL}}"
    return [(label, look.dim), (look.text(line.text), style)]
