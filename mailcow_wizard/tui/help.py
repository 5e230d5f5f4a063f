"""The help text: keys and marks."""

from mailcow_wizard.tui.look import WORDS, Look
from mailcow_wizard.tui.places import PLACES
from mailcow_wizard.tui.widgets.lines import Part

_KEYS = (
    ("n", "next step"),
    ("b", "step before"),
    ("arrows, j k", "move"),
    ("Enter", "all about the finding"),
    ("f", "what can be done about it; asks before anything is changed"),
    ("u", "take back the newest change; U lists all of them"),
    *((one.key, one.about) for one in PLACES),
    ("a", "acknowledge a finding with a reason: it stays shown, and no longer counts"),
    ("e", "write a report to keep or to pass on"),
    ("r", "run this check again, after you mended it"),
    ("R", "run the whole step again"),
    ("c", "copy the commands of this finding"),
    ("l", "what was run, and how long it took"),
    ("Ctrl+P", "all commands, to search"),
    ("Ctrl+L", "draw the screen again, where other output disturbed it"),
    ("Ctrl+Z", "back to the shell; fg there goes on"),
    ("q", "quit"),
    ("Esc", "close what is open; never does harm"),
)
_MARKS = (
    ("pass", "as mailcow needs it"),
    ("warn", "works, but worse than it should; read why"),
    ("fail", "mailcow will not work like this"),
    ("unknown", "could not be found out: neither good nor bad"),
    ("noted", "not right, and acknowledged with a reason"),
    ("skipped", "makes no sense here, or was not wanted"),
    ("crashed", "a mistake of the wizard"),
)


def help_lines(look: Look) -> list[list[Part]]:
    """The text, as styled lines."""
    keys: list[list[Part]] = [[(f" {key:<13}", look.bold), (does, look.plain)] for key, does in _KEYS]
    marks: list[list[Part]] = [
        [(f" {look.glyph(status)} {WORDS[status]:<10} ", look.state(status)), (means, look.plain)]
        for status, means in _MARKS
    ]
    return [*keys, [], *marks]
