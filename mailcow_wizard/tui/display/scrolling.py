"""Whether rows that have to be drawn are there already, some lines further up or down."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from mailcow_wizard.tui.display.pens import BLANK, Cell
from mailcow_wizard.typed import NamedTuple

_FEWEST_ROWS = 3
_WORTH = 40
"""So many cells have to be saved: scrolling has a price of its own."""

Rows = Sequence[list[Cell]]


class Scroll(NamedTuple):
    """The rows from `top` to before `end` move up by `by` lines; down where that is negative."""

    top: int
    end: int
    by: int


def best_scroll(old: Rows, new: Rows) -> Scroll | None:
    """The scroll that leaves the least to draw, where it saves enough."""
    changed = [number for number, row in enumerate(new) if row != old[number]]
    if len(changed) < _FEWEST_ROWS:
        return None
    best, saved = None, _WORTH
    for by in _candidates(old, new, changed):
        scroll, saves = _band(old, new, by)
        if saves > saved:
            best, saved = scroll, saves
    return best


def scrolled(rows: Rows, scroll: Scroll, blank: list[Cell]) -> list[list[Cell]]:
    """The rows after it."""
    top, end, by = scroll
    band = list(rows[top:end])
    empty = [blank] * abs(by)
    band = [*band[by:], *empty] if by > 0 else [*empty, *band[:by]]
    return [*rows[:top], *band, *rows[end:]]


def _candidates(old: Rows, new: Rows, changed: Sequence[int]) -> list[int]:
    """By how much most rows moved. The first quarter is not compared: what is left of a list stays."""
    quarter = len(new[0]) // 4
    places: dict[tuple[Cell, ...], list[int]] = {}
    for number in changed:
        places.setdefault(tuple(old[number][quarter:]), []).append(number)
    votes: Counter[int] = Counter()
    for number in changed:
        right = tuple(new[number][quarter:])
        if any(cell is not BLANK for cell in right):
            votes.update(place - number for place in places.get(right, ()) if place != number)
    return [by for by, count in votes.most_common(2) if count >= _FEWEST_ROWS]


def _band(old: Rows, new: Rows, by: int) -> tuple[Scroll, int]:
    """The rows whose move saves most, and how many cells that is."""
    height = len(new)
    best, saved = Scroll(0, 0, by), 0
    first, sum_ = 0, 0
    for number in range(max(0, -by), min(height, height - by)):
        gain = _differing(old[number], new[number]) - _differing(old[number + by], new[number])
        if sum_ <= 0:
            first, sum_ = number, 0
        sum_ += gain
        if sum_ > saved:
            top, end = (first, number + 1 + by) if by > 0 else (first + by, number + 1)
            best, saved = Scroll(top, end, by), sum_
    return best, saved - _lost(old, new, best)


def _lost(old: Rows, new: Rows, scroll: Scroll) -> int:
    """What has to be drawn in the rows that come in empty and were right, or nearly, before."""
    top, end, by = scroll
    coming = range(end - by, end) if by > 0 else range(top, top - by)
    return sum(
        sum(cell is not BLANK for cell in new[number]) - _differing(old[number], new[number])
        for number in coming
        if end > top
    )


def _differing(old: list[Cell], new: list[Cell]) -> int:
    return 0 if old == new else sum(was != now for was, now in zip(old, new, strict=True))
