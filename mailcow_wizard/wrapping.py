"""Lines for a terminal of so many columns, broken where they may be."""

from mailcow_wizard.language import own_names
from mailcow_wizard.patterns import pattern

# A command in backticks stays in one piece: it is copied from the terminal.
_PIECES = pattern(r"(?:`[^`]*`|[^\s`]|`)+")

# So does what follows a colon where it is several commands in one, or one of ours.
_CHAINED = " && "
_NARROWEST = 24
"""Cells that words need behind something: fewer are hard to read."""
_BELOW = 6


def wrapped(line: str, columns: int, hanging: int = 0) -> list[str]:
    """The line in as many as it needs, each indented as the first, or by `hanging` blanks more.

    With no columns (0) it stays one; a piece that is longer than a line is left to the terminal.
    """
    if len(line) <= columns or not columns:
        return [line]
    margin = " " * (len(line) - len(line.lstrip(" ")))
    made: list[str] = []
    now = ""
    for piece in _pieces(line):
        longer = f"{now} {piece}" if now else margin + piece
        if now and len(longer) > columns:
            made.append(now)
            longer = margin + " " * hanging + piece
        now = longer
    return [*made, now]


def behind(head: str, words: str, columns: int) -> list[str]:
    """Words behind a head that stays as it is, in as many lines as they need: below each other where there is
    room for that, else in lines of their own."""
    if len(head) + len(words) + 1 <= columns or not columns:
        return [f"{head} {words}"]
    place = len(head) + 1
    if place <= columns - _NARROWEST:
        first, *more = wrapped(words, columns - place)
        return [f"{head} {first}", *(f"{' ' * place}{one}" for one in more)]
    return [head.rstrip(), *(" " * _BELOW + one for one in wrapped(words, columns - _BELOW))]


def _pieces(line: str) -> list[str]:
    """What is not broken: words, and commands."""
    words, colon, command = line.rpartition(": ")
    if colon and (_CHAINED in command or command.startswith(tuple(f"{one} " for one in own_names()))):
        return [*_PIECES.findall(f"{words}:"), command]
    return _PIECES.findall(line)
