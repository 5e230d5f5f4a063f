"""Three-way merge by lines: takes one change back and leaves what others edited since."""

from __future__ import annotations

from collections.abc import Iterator

from mailcow_wizard.engine.differing import differences
from mailcow_wizard.language import _
from mailcow_wizard.typed import NamedTuple


class Overlap(Exception):
    """The same lines were changed twice: `mine` is how they are now, `theirs` how they should become."""

    def __init__(self, mine: bytes, theirs: bytes) -> None:
        super().__init__(_("the same lines were changed twice"))
        self.mine = mine
        self.theirs = theirs


class Region(NamedTuple):
    """Lines `start` to `end` (without it) of the base, and what stands in their place."""

    start: int
    end: int
    lines: tuple[bytes, ...]


def merge(base: bytes, mine: bytes, theirs: bytes) -> bytes:
    """What `base` becomes where both changes are made to it. Raises Overlap.

    Lines that lie next to each other do not overlap. What both changed in the same way is taken once.
    """
    if mine in (base, theirs):
        return theirs
    if theirs == base:
        return mine
    # Where all end with a line end, nothing is behind it that could pass for a line. Else without line ends:
    # a line that is added behind the last one is then no change of the last one.
    end = b"\n" if all(text.endswith(b"\n") for text in (base, mine, theirs)) else b""
    lines, left, right = (text.removesuffix(end).split(b"\n") for text in (base, mine, theirs))
    ours = regions(lines, left)
    others = _beside(lines, ours, regions(lines, right))
    for one in ours:
        for other in others:
            if one != other and _overlap(one, other):
                raise _shown(lines, ours, others, one, other)
    for one in sorted({*ours, *others}, key=lambda region: (region.start, region.end), reverse=True):
        lines[one.start : one.end] = one.lines
    return b"\n".join(lines) + end


def regions(base: list[bytes], other: list[bytes]) -> list[Region]:
    """What differs, as replacements of the base's lines, in their order."""
    found = differences(base, other)
    return [Region(one.start, one.end, tuple(other[one.begin : one.stop])) for one in found]


def _beside(base: list[bytes], ours: list[Region], others: list[Region]) -> list[Region]:
    """`others`, each removal of which stands beside `ours` where that removes the same lines.

    Of `a`, empty, `b`, empty one may remove the first or the last three behind `a`, and both leave the same.
    """
    found = others[:]
    for place, one in enumerate(others):
        low = found[place - 1].end if place else 0
        high = others[place + 1].start if place + 1 < len(others) else len(base)
        places = _places(base, one, low, high)
        free = (each for each in places if not any(_overlap(each, our) for our in ours))
        found[place] = one if one in ours else next(free, one)
    return found


def _places(base: list[bytes], one: Region, low: int, high: int) -> Iterator[Region]:
    """The region, and where else between `low` and `high` it removes the same."""
    yield one
    if one.lines:
        return
    up = down = one
    while up.start > low and base[up.start - 1] == base[up.end - 1]:
        up = Region(up.start - 1, up.end - 1, ())
        yield up
    while down.end < high and base[down.start] == base[down.end]:
        down = Region(down.start + 1, down.end + 1, ())
        yield down


def _overlap(one: Region, other: Region) -> bool:
    if one.start == one.end and other.start == other.end:
        return one.start == other.start
    return max(one.start, other.start) < min(one.end, other.end) or (
        one.start < other.start == other.end < one.end or other.start < one.start == one.end < other.end
    )


def _shown(
    base: list[bytes], ours: list[Region], others: list[Region], one: Region, other: Region
) -> Overlap:
    """Both versions of the lines that the two regions span."""
    start, end = min(one.start, other.start), max(one.end, other.end)
    return Overlap(_version(base, ours, start, end), _version(base, others, start, end))


def _version(base: list[bytes], changes: list[Region], start: int, end: int) -> bytes:
    lines = base[:]
    for one in reversed(changes):
        if start <= one.start and one.end <= end:
            lines[one.start : one.end] = one.lines
    grown = len(lines) - len(base)
    return b"\n".join(lines[start : end + grown])
