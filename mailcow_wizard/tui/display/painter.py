"""What the terminal shows, and the fewest bytes that make it show something else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mailcow_wizard.tui.display.moves import NOWHERE, Moves, Place
from mailcow_wizard.tui.display.pens import BLANK, CLEAR, PLAIN, RESET, Cell, Pen
from mailcow_wizard.tui.display.scrolling import Scroll, best_scroll, scrolled

REPEATED = (3, 1)
"""Where the cursor is after `can_repeat` when the terminal can."""

_ERASE_REST = "\x1b[K"
_BRIDGED = 12  # the longest move is not worth more cells
_FEWEST_ERASED = 4

Rows = Sequence[list[Cell]]


def can_repeat(line: str = "─") -> str:
    """Draws a character of a line, repeats it, and asks the terminal where its cursor is; the first paint
    clears it away at once."""
    return f"\x1b[2H{line}\x1b[2b\x1b[6n"


class Painter:
    """Keeps the terminal's cells, its pen and its cursor."""

    def __init__(self, width: int, height: int, modern: bool = True, line_feed: str = "\r\n") -> None:
        """`modern`: the terminal erases characters and moves by column, as all since the VT220.
        `line_feed`: what reaches the terminal as a carriage return and a line feed."""
        self._blank = [BLANK] * width
        self._rows: list[list[Cell]] = [self._blank] * height
        self._known = False
        self._moves = Moves(modern, line_feed)
        self._modern = modern
        self.repeats = False
        """Whether the terminal has shown that it repeats characters."""
        self._pen = PLAIN
        self._at = NOWHERE
        self._left_at: tuple[int, int] | None = None
        self._out: list[str] = []

    def forget(self) -> None:
        """The terminal may show anything now."""
        self._known = False

    def paint(self, rows: Rows, cursor: tuple[int, int]) -> str:
        """What has to be written so that the terminal shows these rows.

        The terminal's cursor is hidden. It goes to this column and row when these are others than before: an
        input method opens its window there.
        """
        if not self._known:
            self._left_at = None
            self._begin_anew()
            self._draw(rows)
        elif self._many_differ(rows):
            self._draw_or_clear(rows)
        else:
            self._draw(rows)
        if cursor != self._left_at:
            self._left_at = cursor
            self._move(*cursor)
        out, self._out = "".join(self._out), []
        return out

    def leave(self) -> str:
        """Puts the pen away, and the cursor where Textual thinks it is: what is written next is not ours."""
        out = "" if self._pen is PLAIN else RESET
        self._pen = PLAIN
        if self._left_at and self._at[:2] != self._left_at[::-1]:
            out += self._moves.shortest(NOWHERE, *self._left_at)
        self._at = NOWHERE
        return out

    def _begin_anew(self) -> None:
        self._out.append(RESET + CLEAR)
        self._pen, self._at = PLAIN, NOWHERE
        self._rows = [self._blank] * len(self._rows)
        self._known = True

    def _many_differ(self, rows: Rows) -> bool:
        return 2 * sum(new != old for new, old in zip(rows, self._rows, strict=True)) > len(rows)

    def _draw_or_clear(self, rows: Rows) -> None:
        """Where most is new, an empty screen may be the better start."""
        before = (self._rows, self._pen, self._at)
        self._draw(rows)
        changing = self._out, self._rows, self._pen, self._at
        self._out = []
        self._rows, self._pen, self._at = before
        self._begin_anew()
        self._draw(rows)
        if _size(changing[0]) <= _size(self._out):
            self._out, self._rows, self._pen, self._at = changing

    def _draw(self, rows: Rows) -> None:
        scroll = best_scroll(self._rows, rows) if self._modern else None
        if scroll:
            self._scroll(scroll)
        shown = list(self._rows)
        for number, (old, new) in enumerate(zip(shown, rows, strict=True)):
            if old != new:
                self._draw_row(number, old, new)
                shown[number] = list(new)
        self._rows = shown

    def _scroll(self, scroll: Scroll) -> None:
        """Moves some rows up or down; the rows that come in are empty."""
        top, end, by = scroll
        self._take(self._erasing_pen())
        self._out.append(f"\x1b[{top + 1};{end}r\x1b[{top + 1}H\x1b[{abs(by)}{'M' if by > 0 else 'L'}\x1b[r")
        self._at = NOWHERE
        self._rows = scrolled(self._rows, scroll, self._blank)

    def _draw_row(self, number: int, old: list[Cell], new: list[Cell]) -> None:
        changed = _changed(old, new)
        end = len(new)
        while end and new[end - 1] is BLANK:
            end -= 1
        erased = len(new) - end
        if sum(place >= end for place in changed) >= _FEWEST_ERASED:
            changed = [place for place in changed if place < end]
        else:
            erased = 0
        self._draw_cells(number, changed, new)
        if erased:
            self._go(number, end, new)
            self._take(self._erasing_pen())
            self._out.append(_ERASE_REST)

    def _draw_cells(self, number: int, changed: list[int], new: list[Cell]) -> None:
        index = 0
        while index < len(changed):
            place = changed[index]
            if not new[place].text:
                index += 1
                continue
            self._go(number, place, new)
            done = place + self._draw_from(place, _stretch(place, changed, index, new), new)
            while index < len(changed) and changed[index] < done:
                index += 1

    def _draw_from(self, place: int, same: int, new: list[Cell]) -> int:
        """Draws the cells from here on, of which some are the same: all of these in one, or one; how many."""
        cell = new[place]
        if cell is BLANK and self._modern and same > len(f"\x1b[{same}X\x1b[{same}C"):
            self._take(self._erasing_pen())
            self._out.append(f"\x1b[{same}X")
            return same
        self._write(new, place)
        again = f"\x1b[{same - 1}b"
        if not self.repeats or len(cell.text) > 1 or (same - 1) * len(cell.text.encode()) <= len(again):
            return 1
        self._out.append(again)
        end = place + same
        self._at = Place(self._at.row, end if end < len(new) else None, self._at.counted)
        return same

    def _erasing_pen(self) -> Pen:
        return self._pen if self._pen.erases else PLAIN

    def _go(self, row: int, column: int, new: list[Cell]) -> None:
        """Moves the cursor; over a few cells that are right already by writing them again."""
        start = self._at
        if start.row == row and start.column is not None and 0 < column - start.column < _BRIDGED:
            cells = new[start.column : column]
            there = new[column : column + 1]
            written, _ = _drawn([*cells, *there], self._pen)
            moved = self._moves.shortest(start, column, row)
            alone, _ = _drawn(there, self._pen)
            if _sure(cells) and _size((written,)) <= len(moved) + _size((alone,)):
                for place in range(start.column, column):
                    self._write(new, place)
                return
        if (start.row, start.column) != (row, column):
            self._move(column, row)

    def _move(self, column: int, row: int) -> None:
        self._out.append(self._moves.shortest(self._at, column, row))
        self._at = Place(row, column)

    def _write(self, row: list[Cell], column: int) -> None:
        """One cell; the second half of a wide character is written with the first."""
        cell = row[column]
        text, pen = _drawn((cell,), self._pen)
        self._out.append(text)
        self._pen = pen
        wide = column + 1 < len(row) and not row[column + 1].text
        after: int | None = column + 1
        if wide or len(cell.text) > 1 or column + 1 == len(row):
            after = None
        self._at = Place(self._at.row, after, self._at.counted and cell.text.isascii())

    def _take(self, pen: Pen) -> None:
        if pen is not self._pen:
            self._out.append(self._pen.to(pen))
            self._pen = pen


def _drawn(cells: Iterable[Cell], pen: Pen) -> tuple[str, Pen]:
    """The cells as they are written with this pen in hand, and the pen afterwards."""
    out = []
    for text, wanted in cells:
        if wanted is not pen and not (text == " " and pen.covers(wanted)):
            out.append(pen.to(wanted))
            pen = wanted
        out.append(text)
    return "".join(out), pen


def _changed(old: list[Cell], new: list[Cell]) -> list[int]:
    """The places that differ; of a wide character, there before or now, both halves."""
    places = [place for place, (was, now) in enumerate(zip(old, new, strict=True)) if was != now]
    if all(cell.text for cell in old) and all(cell.text for cell in new):
        return places
    halves = set(places)
    for place in places:
        if not (old[place].text and new[place].text):
            halves.add(place - 1)
        if place + 1 < len(new) and not (old[place + 1].text and new[place + 1].text):
            halves.add(place + 1)
    return sorted(halves)


def _stretch(place: int, changed: list[int], index: int, new: list[Cell]) -> int:
    """How many cells from here on, to the last one that changed, are the same."""
    end = place + 1
    while end < len(new) and new[end] == new[place]:
        end += 1
    if end < len(new) and not new[end].text:
        return 1
    while index + 1 < len(changed) and changed[index + 1] < end:
        index += 1
    return changed[index] + 1 - place


def _sure(cells: Iterable[Cell]) -> bool:
    """Whether every terminal gives each of these one cell."""
    return all(len(text) == 1 and text.isascii() for text, _ in cells)


def _size(parts: Iterable[str]) -> int:
    return sum(len(part.encode("utf-8", "replace")) for part in parts)
