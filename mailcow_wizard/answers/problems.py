"""What is wrong with an answers file: every problem with its line and what would be right."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mailcow_wizard.harmless import harmless
from mailcow_wizard.language import _
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from mailcow_wizard.answers.lines import Path

_LONGEST = 400


class Problem(NamedTuple):
    """One of them; `line` counts from 1, None where it is no line's matter; `right` may be empty."""

    file: str
    line: int | None
    what: str
    right: str

    @property
    def words(self) -> str:
        """All of it in one line, as compilers say it."""
        place = harmless(self.file, 200) + (f":{self.line}" if self.line else "")
        words = _("{what}; right: {right}", what=self.what, right=self.right) if self.right else self.what
        return f"{place}: {harmless(words, _LONGEST)}"


class Unfit(Exception):
    """The file cannot be used; the text has a line for each problem."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        files = list(dict.fromkeys(one.file for one in problems))
        self.problems = tuple(sorted(problems, key=lambda one: (files.index(one.file), one.line or 0)))
        super().__init__("\n".join(one.words for one in self.problems))


class Place:
    """Where things stand in one file, and what is wrong there."""

    def __init__(self, file: str, lines: dict[Path, int], problems: list[Problem]) -> None:
        self.file = file
        self.lines = lines
        self._problems = problems

    def line(self, *path: str | int) -> int | None:
        """The line of the path, else of what it is a part of."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path)

    def wrong(self, path: Sequence[str | int], what: str, right: str = "") -> None:
        """Notes a problem."""
        self._problems.append(Problem(self.file, self.line(*path), what, right))


def name_of(path: Iterable[str | int]) -> str:
    """A path for people: `server.domains`; numbers are left out, the line tells which it is."""
    return harmless(".".join(one for one in path if isinstance(one, str)), 80)


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name that is most like this one; empty where none is."""
    from difflib import get_close_matches

    by_small = {one.lower(): one for one in known}
    found = get_close_matches(name.lower(), by_small, 1, 0.6)
    return by_small[found[0]] if found else ""
