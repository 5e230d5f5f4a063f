"""A terminal emulator for tests: what a terminal shows after some output, cell by cell with its style."""

import re
from collections.abc import Iterator
from typing import ClassVar

import pyte

# Of these pyte would show a part as text.
_IGNORED = re.compile(r"\x1b\[[<>=?][0-9;]*\$?[pu]")
_BEGIN, _END = "\x1b[?2026h", "\x1b[?2026l"

Cell = tuple[object, ...]


class _Screen(pyte.Screen):
    """Repeats the last character when it is told to, and keeps what it answers."""

    def __init__(self, columns: int, lines: int) -> None:
        super().__init__(columns, lines)
        self.answers = ""
        self._last = ""

    def draw(self, data: str) -> None:
        """Shows text."""
        super().draw(data)
        self._last = data[-1:]

    def repeat(self, count: int = 1) -> None:
        """REP, which pyte does not know."""
        super().draw(self._last * count)

    def write_process_input(self, data: str) -> None:
        """An answer to a question of the program's."""
        self.answers += data


class _Stream(pyte.Stream):
    csi: ClassVar[dict[str, str]] = {**pyte.Stream.csi, "b": "repeat"}
    events = pyte.Stream.events | {"repeat"}


class Emulator:
    """A screen of cells. A space looks the same whatever ink it would have been written with."""

    def __init__(self, columns: int, lines: int, repeats: bool = True) -> None:
        self._screen = _Screen(columns, lines)
        self._stream = (_Stream if repeats else pyte.Stream)(self._screen)
        self._rest = ""
        self.updates = 0
        """How many synchronized updates were begun and ended."""

    def feed(self, data: str) -> str:
        """Takes output; returns what the terminal answers."""
        data, self._rest = _whole(self._rest + data)
        self.updates += data.count(_END)
        self._stream.feed(_IGNORED.sub("", data))
        answers, self._screen.answers = self._screen.answers, ""
        return answers

    def resize(self, columns: int, lines: int) -> None:
        """Gives it another size; what it shows then nobody can rely on."""
        self._screen.resize(lines, columns)
        self.feed("\x1b[H\x1b[31mrubbish")

    @property
    def lines(self) -> list[str]:
        """The text."""
        return [line.rstrip() for line in self._screen.display]

    @property
    def cells(self) -> list[list[Cell]]:
        """The cells, so that two screens are equal when they look the same."""
        screen = self._screen
        return [[_seen(screen.buffer[y][x]) for x in range(screen.columns)] for y in range(screen.lines)]

    @property
    def cursor(self) -> tuple[int, int]:
        """Column and row of the cursor."""
        return self._screen.cursor.x, self._screen.cursor.y

    def unlike(self, other: "Emulator") -> Iterator[str]:
        """Where two screens differ."""
        for y, (mine, theirs) in enumerate(zip(self.cells, other.cells, strict=True)):
            for x, (one, two) in enumerate(zip(mine, theirs, strict=True)):
                if one != two:
                    yield f"column {x}, row {y}: {one} and {two}"
        if self.cursor != other.cursor and not self._screen.cursor.hidden:
            yield f"cursor {self.cursor} and {other.cursor}"


def _seen(cell: pyte.screens.Char) -> Cell:
    inked = cell.underscore or cell.reverse or cell.strikethrough or cell.blink
    return (" ", cell.bg) if cell.data == " " and not inked else tuple(cell)


def _whole(data: str) -> tuple[str, str]:
    """The output without a sequence at its end that is not complete."""
    cut = data.rfind("\x1b")
    return (data[:cut], data[cut:]) if cut >= 0 and not _IS_WHOLE.match(data, cut) else (data, "")


_IS_WHOLE = re.compile(r"\x1b(\[[0-9;?<>=$]*[@-~]|[^\[\]]|\][^\x07\x1b]*(\x07|\x1b\\))")
