"""Lines for a terminal of so many columns, broken where they may be."""

import re

# A command in backticks stays in one piece: it is copied from the terminal.
_PIECES = re.compile(r"(?:`[^`]*`|[^\s`]|`)+")


def wrapped(line: str, columns: int, hanging: int = 0) -> list[str]:
    """The line in as many as it needs, each indented as the first, or by `hanging` blanks more.

    With no columns (0) it stays one; a piece that is longer than a line is left to the terminal.
    """
    if len(line) <= columns or not columns:
        return [line]
    margin = " " * (len(line) - len(line.lstrip(" ")))
    made: list[str] = []
    now = ""
    for piece in _PIECES.findall(line):
        longer = f"{now} {piece}" if now else margin + piece
        if now and len(longer) > columns:
            made.append(now)
            longer = margin + " " * hanging + piece
        now = longer
    return [*made, now]
