"""Which lines of two texts differ: Myers' algorithm (An O(ND) Difference Algorithm and Its Variations, 1986).

Not difflib: where lines repeat, as they do in configurations, it takes seconds for a thousand lines, or makes
mistakes about them.
"""

from __future__ import annotations

from collections.abc import Sequence

from mailcow_wizard.typed import NamedTuple

_MOST_DIFFERENCES = 1500
"""Beyond these the texts have little in common, and what lies between the common ends is one difference."""


class Difference(NamedTuple):
    """Lines `start` to `end` (without it) of one text, and in their place `begin` to `stop` of the other."""

    start: int
    end: int
    begin: int
    stop: int


def differences(one: Sequence[bytes], other: Sequence[bytes]) -> list[Difference]:
    """What differs, in order; there are equal lines between any two."""
    head = _common(one, other)
    tail = _common(one[head:][::-1], other[head:][::-1])
    left, right = one[head : len(one) - tail], other[head : len(other) - tail]
    # Lines that one of the two has alone are equal to none, and each would be a step more.
    mine, theirs = _known(left, right), _known(right, left)
    same = _same([left[place] for place in mine], [right[place] for place in theirs])
    found: list[Difference] = []
    x = y = 0
    for first, second in [*((mine[a], theirs[b]) for a, b in same), (len(left), len(right))]:
        if first > x or second > y:
            found.append(Difference(head + x, head + first, head + y, head + second))
        x, y = first + 1, second + 1
    return found


def hunks(found: Sequence[Difference], context: int) -> list[list[Difference]]:
    """The differences in groups between which there are more than twice `context` equal lines."""
    groups: list[list[Difference]] = []
    for one in found:
        if groups and one.start - groups[-1][-1].end <= 2 * context:
            groups[-1].append(one)
        else:
            groups.append([one])
    return groups


def _known(one: Sequence[bytes], other: Sequence[bytes]) -> list[int]:
    """The places of those lines that the other text has, too."""
    there = set(other)
    return [place for place, line in enumerate(one) if line in there]


def _common(one: Sequence[bytes], other: Sequence[bytes]) -> int:
    """How many lines from the beginning are the same."""
    number = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        number += 1
    return number


def _same(one: Sequence[bytes], other: Sequence[bytes]) -> list[tuple[int, int]]:
    """The pairs of equal lines on the shortest way from one text to the other, in order."""
    if not one or not other:
        return []
    reached = {1: 0}
    trail: list[dict[int, int]] = []
    for steps in range(min(len(one) + len(other), _MOST_DIFFERENCES) + 1):
        trail.append(reached.copy())
        for diagonal in range(-steps, steps + 1, 2):
            down = diagonal == -steps or (diagonal != steps and reached[diagonal - 1] < reached[diagonal + 1])
            x = reached[diagonal + 1] if down else reached[diagonal - 1] + 1
            y = x - diagonal
            while x < len(one) and y < len(other) and one[x] == other[y]:
                x, y = x + 1, y + 1
            reached[diagonal] = x
            if x >= len(one) and y >= len(other):
                return _walked(trail, len(one), len(other))
    return []


def _walked(trail: list[dict[int, int]], x: int, y: int) -> list[tuple[int, int]]:
    """The way back through what was reached with each number of steps."""
    pairs: list[tuple[int, int]] = []
    for steps in range(len(trail) - 1, -1, -1):
        reached = trail[steps]
        diagonal = x - y
        down = diagonal == -steps or (diagonal != steps and reached[diagonal - 1] < reached[diagonal + 1])
        before = diagonal + 1 if down else diagonal - 1
        start = reached[before]
        while x > max(start, 0) and y > max(start - before, 0):
            x, y = x - 1, y - 1
            pairs.append((x, y))
        x, y = start, start - before
    return pairs[::-1]
