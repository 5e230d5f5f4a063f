"""What the terminal should show: read from what Textual writes, cell by cell."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from mailcow_wizard.patterns import pattern
from mailcow_wizard.tui.display.pens import BLANK, PLAIN, Cell, NotUnderstood, Pen

_TOKEN = pattern(
    r"(?P<text>[^\x00-\x1f\x7f-\x9f]+)"
    r"|\x1b\[(?P<arguments>[0-9;]*)(?P<kind>[Hm])"
    r"|(?P<line>\n)"
    r"|(?P<sync>\x1b\[\?2026[hl])"
    r"|(?P<other>\x1b\[[?>=<][0-9;]*\$?[hlpu]|\x1b\][0-9]+;[^\x07\x1b]*(?:\x07|\x1b\\)|\x07)"
)
SYNC = BEGIN, END = "\x1b[?2026h", "\x1b[?2026l"
"""An update begins and ends: what is between them the terminal shows at once."""
_MODE = pattern(r"\x1b\[[?>=<][0-9;]*\$?[hlpu]")
# A link around text is a style that this layer does not keep.
_LINK = "\x1b]8;"
# Each of these takes one cell in every terminal that is not set up for Chinese, Japanese or Korean.
_NARROW = frozenset(
    {
        *map(chr, range(0x20, 0x7F)),
        *map(chr, range(0xA1, 0xAD)),
        *map(chr, range(0xAE, 0x180)),
        *map(chr, range(0x2500, 0x25A0)),
        *"–—‘’“”•…▸✓✗‼",
    }
).issuperset


class Screen:
    """Rows of cells, and where the next text goes."""

    def __init__(self, width: int, height: int) -> None:
        self.width = width
        self.height = height
        self.rows = [[BLANK] * width for _ in range(height)]
        self.cursor = (0, 0)
        """Column and row."""
        self.sync = False
        """Whether Textual knows that the terminal can be told where an update begins and ends."""
        self.drawn = False
        """Whether anything was drawn so far."""
        self._pen = PLAIN

    def of_size(self, width: int, height: int) -> Screen:
        """The same on a terminal of another size, as far as there is room."""
        other = Screen(width, height)
        other.sync, other.drawn = self.sync, self.drawn
        for row, now in zip(self.rows, other.rows, strict=False):
            _replace(now, 0, row[:width])
        return other

    def feed(self, data: str) -> list[str]:
        """Takes output; returns the sequences that draw nothing, which are for the terminal itself."""
        others: list[str] = []
        place = 0
        while place < len(data):
            found = _TOKEN.match(data, place)
            if not found:
                raise NotUnderstood(repr(data[place : place + 40]))
            place = found.end()
            kind = found.lastgroup
            if kind == "text":
                self._put(found[0])
            elif kind == "kind":
                self._control(found["kind"], found["arguments"])
            elif kind == "line":
                self._next_line()
            elif kind == "sync":
                self.sync = True
            elif found[0].startswith(_LINK):
                raise NotUnderstood("a link")
            else:
                others.append(found[0])
        return others

    def _control(self, kind: str, arguments: str) -> None:
        if kind == "m":
            self._pen = self._pen.after(arguments)
            return
        row, _, column = arguments.partition(";")
        self.cursor = (max(0, int(column or 1) - 1), max(0, int(row or 1) - 1))

    def _next_line(self) -> None:
        row = self.cursor[1] + 1
        if row >= self.height:
            raise NotUnderstood("the terminal would scroll")
        self.cursor = (0, row)

    def _put(self, text: str) -> None:
        self.drawn = True
        column, row = self.cursor
        cells = [*map(self._pen.cells.__getitem__, text)] if _NARROW(text) else cells_of(text, self._pen)
        self.cursor = (column + len(cells), row)
        if row < self.height and column < self.width:
            _replace(self.rows[row], column, cells[: self.width - column])


def sets_a_mode(data: str) -> bool:
    """Whether this is a single sequence that is for the terminal itself and draws nothing."""
    return bool(_MODE.fullmatch(data)) and data not in SYNC


def cells_of(text: str, pen: Pen) -> list[Cell]:
    """Text divided into cells as Textual counts them; what has no width belongs to the character before."""
    cells: list[Cell] = []
    for part, width in _divided(text):
        if width:
            cells += [pen.cells[part], *[Cell("", pen)] * (width - 1)]
        elif cells:
            last = len(cells) - 1 - (not cells[-1].text)
            cells[last] = Cell(cells[last].text + part, pen)
    return cells


def _divided(text: str) -> list[tuple[str, int]]:
    return [(text[start:end], width) for start, end, width in _spans()(text)]


def _spans() -> Callable[[str], list[tuple[int, int, int]]]:
    from rich import cells

    split = getattr(cells, "split_graphemes", None)
    if split:
        return lambda text: split(text)[0]
    return partial(_single_characters, cells.get_character_cell_size)


def _single_characters(size: Callable[[str], int], text: str) -> list[tuple[int, int, int]]:
    return [(place, place + 1, size(character)) for place, character in enumerate(text)]


def _replace(row: list[Cell], column: int, cells: list[Cell]) -> None:
    """Puts cells into a row; a wide character that loses one half is gone, as on the terminal."""
    end = column + len(cells)
    if cells and not row[column].text and column:
        row[column - 1] = BLANK
    if end < len(row) and not row[end].text:
        row[end] = BLANK
    row[column:end] = cells
    if cells and end == len(row) and _is_cut(cells):
        row[-1] = BLANK


def _is_cut(cells: list[Cell]) -> bool:
    """Whether the last cell is the first half of a wide character."""
    text = cells[-1].text
    return bool(text) and not _NARROW(text) and len(cells_of(text, PLAIN)) > 1
