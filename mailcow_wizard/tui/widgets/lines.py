"""A widget that draws whole lines and redraws only those that changed: bytes on a slow line are time."""

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from mailcow_wizard.harmless import shown

Part = tuple[str, Style]


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

    def put(self, lines: Sequence[Sequence[Part]]) -> None:
        """Replaces all lines; only those that differ are drawn again, and only where they differ."""
        fine = [tuple((shown(text, lines=False), style) for text, style in line) for line in lines]
        before, self._lines = self._lines, fine
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
        end = max(_length(old), _length(new))
        if _length(old) == _length(new):
            end -= _same_start(old[::-1], new[::-1])
        row = number - self.scroll_offset.y
        if 0 <= row < self.size.height and end > start:
            self.refresh(Region(start, row, min(end, self.size.width) - start, 1))

    def render_line(self, y: int) -> Strip:
        """One line of the screen, cut to the widget's width; a mark tells where words were cut off."""
        number = y + self.scroll_offset.y
        parts = self._lines[number] if 0 <= number < len(self._lines) else ()
        strip = Strip([Segment(text, style) for text, style in parts if text])
        width = self.size.width
        if strip.cell_length > width > 1 and strip.crop(width).text.strip():
            return Strip([*strip.crop(0, width - 1), Segment(self._ellipsis, parts[-1][1])], width)
        return strip.adjust_cell_length(width)

    @property
    def _ellipsis(self) -> str:
        look = getattr(self.app, "look", None)
        return str(look.glyphs.ellipsis) if look else "…"


def cut(text: str, width: int, ellipsis: str) -> str:
    """The text in at most `width` cells."""
    from rich.cells import cell_len, set_cell_size

    if cell_len(text) <= width:
        return text
    return set_cell_size(text, max(0, width - 1)).rstrip() + ellipsis if width > 1 else ""


def _length(parts: Sequence[Part]) -> int:
    from rich.cells import cell_len

    return sum(cell_len(text) for text, _unused in parts)


def _same_start(old: Sequence[Part], new: Sequence[Part]) -> int:
    """How many cells at the beginning of a line stay as they are; at its end, of reversed parts."""
    same = 0
    for (old_text, old_style), (new_text, new_style) in zip(old, new, strict=False):
        if (old_text, old_style) != (new_text, new_style):
            break
        same += _length([(old_text, old_style)])
    return same
