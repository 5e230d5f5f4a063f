"""What a reader of mailcow.conf sees, a statement or where it stops, and what both readers share."""

from mailcow_wizard.patterns import pattern
from mailcow_wizard.typed import NamedTuple

BOM = "\ufeff"

MOST_EXPANDED = 1 << 20
"""Characters that variables may bring into one value: some lines that double each other fill any memory."""

# Lines that both read alike: comments, empty ones, and KEY=value of characters that mean nothing to either.
# A comment behind a value needs a space before its # (a tab is enough for bash alone), and is a value itself
# where there is none.
ALIKE = pattern(
    r"(?m)^(?:([A-Za-z_][A-Za-z0-9_]*)=([A-Za-z0-9._,:/@*+=\[\]-]*)(?:(?<!=)[ \t]* #[^\n]*|[ \t]*)"
    r"|[ \t]*(?:#[^\n]*)?)$"
)


class Seen(NamedTuple):
    """What one reader makes of one statement that sets a key, or seems to.

    `start` and `end` are places in the text, `end` behind the value or the statement; `line` counts
    from 1. `value` is None where the key gets none that can be told, and then `does` says what happens
    instead, as words behind "bash" or "compose".
    """

    key: str
    line: int
    start: int
    end: int
    value: str | None
    does: str = ""


class Stop(NamedTuple):
    """The line at which a reader gives up, and why: bash reads nothing from there on, compose nothing.

    `certain` is False where bash runs a program there, and what comes of it cannot be told.
    """

    line: int
    why: str
    certain: bool = True
