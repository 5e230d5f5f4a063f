"""Three-way merge by lines: takes one change back and leaves what others edited since."""

from __future__ import annotations

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
    # Without line ends: a line that is added behind the last one is then no change of the last one.
    lines = base.split(b"\n")
    ours = regions(lines, mine.split(b"\n"))
    others = regions(lines, theirs.split(b"\n"))
    for one in ours:
        for other in others:
            if one != other and _overlap(one, other):
                raise _shown(lines, ours, others, one, other)
    for one in sorted({*ours, *others}, key=lambda region: (region.start, region.end), reverse=True):
        lines[one.start : one.end] = one.lines
    return b"\n".join(lines)


def regions(base: list[bytes], other: list[bytes]) -> list[Region]:
    """What differs, as replacements of the base's lines, in their order."""
    found = differences(base, other)
    return [Region(one.start, one.end, tuple(other[one.begin : one.stop])) for one in found]


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
