"""A terminal emulator for tests: what a terminal shows after some output, cell by cell with its style."""

import re
from collections.abc import Iterator

import pyte

# Of these pyte would show a part as text.
_IGNORED = re.compile(r"\x1b\[[<>=?][0-9;]*\$?[pu]")
_BEGIN, _END = "\x1b[?2026h", "\x1b[?2026l"

Cell = tuple[object, ...]


class Emulator:
    """A screen of cells. A space looks the same whatever ink it would have been written with."""

    def __init__(self, columns: int, lines: int) -> None:
        self._screen = pyte.Screen(columns, lines)
        self._stream = pyte.Stream(self._screen)
        self._rest = ""
        self.updates = 0
        """How many synchronized updates were begun and ended."""

    def feed(self, data: str) -> None:
        """Takes output."""
        data, self._rest = _whole(self._rest + data)
        self.updates += data.count(_END)
        self._stream.feed(_IGNORED.sub("", data))

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
        if self.cursor != other.cursor:
            yield f"cursor {self.cursor} and {other.cursor}"


def _seen(cell: pyte.screens.Char) -> Cell:
    inked = cell.underscore or cell.reverse or cell.strikethrough or cell.blink
    return (" ", cell.bg) if cell.data == " " and not inked else tuple(cell)


def _whole(data: str) -> tuple[str, str]:
    """The output without a sequence at its end that is not complete."""
    cut = data.rfind("\x1b")
    return (data[:cut], data[cut:]) if cut >= 0 and not _IS_WHOLE.match(data, cut) else (data, "")


_IS_WHOLE = re.compile(r"\x1b(\[[0-9;?<>=$]*[@-~]|[^\[\]]|\][^\x07\x1b]*(\x07|\x1b\\))")
