"""A widget that draws whole lines and redraws only those that changed: bytes on a slow line are time."""

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from mailcow_wizard.language import _
from mailcow_wizard.tui.parts import Part as Part
from mailcow_wizard.tui.parts import cut as cut
from mailcow_wizard.tui.parts import fitted, harmless_parts, length


class Lines(ScrollView, can_focus=False):
    """Shows lines made of styled parts. Subclasses say what the lines are by calling `put`."""

    DEFAULT_CSS = """
    Lines { background: transparent; scrollbar-size: 0 0; overflow-x: hidden; }
    """

    SCROLLS: ClassVar[bool] = True
    """Whether there may be more lines than room; a change of their number then draws all of them again."""

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._lines: list[tuple[Part, ...]] = []

    @property
    def room(self) -> Size:
        """Its size; before its first layout the terminal's, so that the first paint is complete."""
        return self.size or self.app.size

    @property
    def view(self) -> str:
        """Which lines are in view, `3 to 12 of 20`; nothing when all are."""
        first, height, whole = self.scroll_offset.y, self.size.height, len(self._lines)
        if height <= 0 or whole <= height:
            return ""
        return _(
            "{first} to {last} of {whole}", first=first + 1, last=min(first + height, whole), whole=whole
        )

    def keep_in_view(self, line: int) -> None:
        """Scrolls as far as needed to see this line."""
        top, height = self.scroll_offset.y, max(1, self.size.height)
        if not top <= line < top + height:
            to = line if line < top else line - height + 1
            self.scroll_to(y=to, animate=False, force=True, immediate=True)

    def put(self, lines: Sequence[Sequence[Part]]) -> None:
        """Replaces all lines; only those that differ are drawn again, and only where they differ."""
        look = getattr(self.app, "look", None)
        before, self._lines = self._lines, [harmless_parts(line, look) for line in lines]
        size = Size(self.room.width, len(self._lines))
        if self.SCROLLS and size != self.virtual_size:
            self.virtual_size = size
        for number in range(max(len(before), len(self._lines))):
            old = before[number] if number < len(before) else ()
            new = self._lines[number] if number < len(self._lines) else ()
            if old != new:
                self._draw(number, old, new)

    def _draw(self, number: int, old: tuple[Part, ...], new: tuple[Part, ...]) -> None:
        start = _same_start(old, new)
        end = max(length(old), length(new))
        if length(old) == length(new):
            end -= _same_start(old[::-1], new[::-1])
        row = number - self.scroll_offset.y
        if 0 <= row < self.size.height and end > start:
            self.refresh(Region(start, row, min(end, self.size.width) - start, 1))

    def render_line(self, y: int) -> Strip:
        """One line of the screen, cut to the widget's width; a mark tells where words were cut off."""
        number = y + self.scroll_offset.y
        parts = self._lines[number] if 0 <= number < len(self._lines) else ()
        width = self.size.width
        segments = [Segment(*part) for part in fitted(parts, width, self._ellipsis) if part[0]]
        return Strip(segments).adjust_cell_length(width)

    @property
    def _ellipsis(self) -> str:
        look = getattr(self.app, "look", None)
        return str(look.glyphs.ellipsis) if look else "…"


def _same_start(old: Sequence[Part], new: Sequence[Part]) -> int:
    """How many cells at the beginning of a line stay as they are; at its end, of reversed parts."""
    same = 0
    for (old_text, old_style), (new_text, new_style) in zip(old, new, strict=False):
        if (old_text, old_style) != (new_text, new_style):
            break
        same += length([(old_text, old_style)])
    return same
