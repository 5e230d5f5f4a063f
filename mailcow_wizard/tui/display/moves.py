"""The shortest way of the cursor from one cell to another."""

from __future__ import annotations

from collections.abc import Iterator

from mailcow_wizard.typed import NamedTuple


class Place(NamedTuple):
    """Where the cursor is. `column` is None where a character's width, or the right edge, leaves it in
    doubt; `counted` says whether only characters of sure width were written since it was last set."""

    row: int | None
    column: int | None
    counted: bool = True


NOWHERE = Place(None, None)


class Moves:
    """The moves that a terminal knows."""

    def __init__(self, by_column: bool, line_feed: str = "\r\n") -> None:
        """`by_column`: it can be told the column alone, or the row alone (VT220 and what came after).
        `line_feed`: what takes it to the start of the next line."""
        self._by_column = by_column
        self._line_feed = line_feed

    def shortest(self, start: Place, column: int, row: int) -> str:
        """The way from a place to a cell; nothing where the cursor is there."""
        if start.row == row and start.column == column and start.counted:
            return ""
        return min(self._ways(start, column, row), key=len)

    def _ways(self, start: Place, column: int, row: int) -> Iterator[str]:
        yield _absolute(column, row)
        if start.row is None:
            return
        if start.row <= row:
            lines = self._line_feed * (row - start.row) if row > start.row else "\r"
            yield lines + _right(column)
        if row == start.row and self._by_column:
            yield f"\x1b[{column + 1}G"
        if start.column is None or not start.counted:
            return
        if row == start.row:
            by = column - start.column
            yield _right(by) if by >= 0 else "\b" * -by
            if by < 0:
                yield f"\x1b[{-by}D"
        elif column == start.column and self._by_column:
            yield f"\x1b[{row + 1}d"
            kind = "A" if row < start.row else "B"
            yield f"\x1b[{_count(abs(row - start.row))}{kind}"


def _absolute(column: int, row: int) -> str:
    if column:
        return f"\x1b[{row + 1};{column + 1}H"
    return f"\x1b[{row + 1}H" if row else "\x1b[H"


def _right(by: int) -> str:
    return f"\x1b[{_count(by)}C" if by else ""


def _count(number: int) -> str:
    return "" if number == 1 else str(number)
