"""In which line each key and each element of a TOML document stands, which TOML's own readers do not tell.

They have to have read the document first: of one that is wrong this says nothing sensible.
"""

from __future__ import annotations

from bisect import bisect_right

from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TypeAlias

    Path: TypeAlias = tuple[str | int, ...]

_BLANK = " \t"
_BETWEEN = " \t\r\n"
_ENDS_VALUE = ",]}#\r\n"


def lines_of(text: str) -> dict[Path, int]:
    """The line, counted from 1, by path: keys by name, elements of arrays by number."""
    return _Scan(text).run()


class _Scan:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._breaks = [place for place, one in enumerate(text) if one == "\n"]
        self._lines: dict[Path, int] = {}
        # How many tables an array of tables has so far.
        self._tables: dict[Path, int] = {}

    def run(self) -> dict[Path, int]:
        """All of it."""
        here: Path = ()
        while True:
            self._skip(_BETWEEN)
            if self._at >= len(self._text):
                return self._lines
            if self._text[self._at] == "#":
                self._comment()
            elif self._text.startswith("[[", self._at):
                here = self._header(2)
            elif self._text[self._at] == "[":
                here = self._header(1)
            else:
                self._pair(here)

    # --- parts of a document -----------------------------------------------------------------------------

    def _header(self, brackets: int) -> Path:
        """A table's name; `brackets` is 2 where it is one of an array of tables."""
        line = self._line()
        self._at += brackets
        *above, last = self._key()
        self._at = self._text.index("]" * brackets, self._at) + brackets
        path: Path = (*self._below((), above, line), last)
        if brackets == 2:
            self._lines.setdefault(path, line)
            number = self._tables.get(path, 0)
            self._tables[path] = number + 1
            path = (*path, number)
        self._lines.setdefault(path, line)
        return path

    def _pair(self, here: Path) -> None:
        """`key = value`, of a table that stands at `here`."""
        line = self._line()
        *above, last = self._key()
        path = (*self._below(here, above, line), last)
        self._lines[path] = line
        self._at = self._text.index("=", self._at) + 1
        self._skip(_BLANK)
        self._value(path)

    def _below(self, here: Path, keys: list[str], line: int) -> Path:
        """The table that these keys lead to; in an array of tables it is the last one so far."""
        for key in keys:
            here = (*here, key)
            self._lines.setdefault(here, line)
            if here in self._tables:
                here = (*here, self._tables[here] - 1)
        return here

    def _value(self, path: Path) -> None:
        first = self._text[self._at]
        if first in "\"'":
            self._string()
        elif first == "[":
            self._array(path)
        elif first == "{":
            self._inline(path)
        else:
            while self._at < len(self._text) and self._text[self._at] not in _ENDS_VALUE:
                self._at += 1

    def _array(self, path: Path) -> None:
        self._at += 1
        number = 0
        while self._to_next("]"):
            element: Path = (*path, number)
            self._lines[element] = self._line()
            self._value(element)
            number += 1

    def _inline(self, path: Path) -> None:
        self._at += 1
        while self._to_next("}"):
            self._pair(path)

    def _to_next(self, end: str) -> bool:
        """Goes to what stands next between brackets; False at their end, which is passed."""
        while True:
            self._skip(_BETWEEN + ",")
            if self._text[self._at] != "#":
                break
            self._comment()
        if self._text[self._at] != end:
            return True
        self._at += 1
        return False

    # --- words -------------------------------------------------------------------------------------------

    def _key(self) -> list[str]:
        """A key with its dots, as a list of names."""
        names = []
        while True:
            self._skip(_BLANK)
            begin = self._at
            if self._text[begin] in "\"'":
                self._string()
                names.append(_plain(self._text[begin : self._at]))
            else:
                while self._text[self._at].isalnum() or self._text[self._at] in "_-":
                    self._at += 1
                names.append(self._text[begin : self._at])
            self._skip(_BLANK)
            if self._text[self._at] != ".":
                return names
            self._at += 1

    def _string(self) -> None:
        """Goes behind a string of any of the four kinds."""
        mark = self._text[self._at]
        whole = mark * 3 if self._text.startswith(mark * 3, self._at) else mark
        self._at += len(whole)
        while not self._text.startswith(whole, self._at):
            self._at += 2 if mark == '"' and self._text[self._at] == "\\" else 1
        self._at += len(whole)
        # Two quotes may stand directly before the three that end it.
        while len(whole) == 3 and self._text.startswith(mark, self._at):
            self._at += 1

    def _comment(self) -> None:
        end = self._text.find("\n", self._at)
        self._at = len(self._text) if end < 0 else end

    def _skip(self, what: str) -> None:
        while self._at < len(self._text) and self._text[self._at] in what:
            self._at += 1

    def _line(self) -> int:
        return bisect_right(self._breaks, self._at - 1) + 1


def _plain(quoted: str) -> str:
    """The name in a quoted key."""
    from mailcow_wizard.answers.toml import loads

    name: str = next(iter(loads(f"{quoted} = 1")))
    return name
