"""The help text: keys and marks."""

from textwrap import wrap

from mailcow_wizard.language import _
from mailcow_wizard.model import STEPS
from mailcow_wizard.tui.look import WORDS, Look
from mailcow_wizard.tui.places import PLACES, Place
from mailcow_wizard.tui.widgets.lines import Part


def _about(place: Place) -> str:
    """What the key of a place does; where other steps have the same key, in which step."""
    if sum(one.key == place.key for one in PLACES) == 1:
        return place.about
    step = next(one.title for one in STEPS if one.id == place.step)
    return _("{step}: {about}", step=step, about=place.about)


_KEYS = (
    ("n", _("next step")),
    ("b", _("step before")),
    (_("arrows, j k"), _("move")),
    ("Enter", _("all about the finding")),
    ("f", _("what can be done about it; asks before anything is changed")),
    ("u", _("take back the newest change; U lists all of them")),
    *((one.key, _about(one)) for one in PLACES),
    ("a", _("acknowledge a finding: it stays shown, and no longer counts")),
    ("e", _("write a report to keep or to pass on")),
    ("r", _("run this check again, after you mended it")),
    ("R", _("run the whole step again")),
    ("c", _("copy the command that mends this, or shows it")),
    ("l", _("what was run, and how long it took")),
    ("Ctrl+P", _("all commands, to search")),
    ("Ctrl+L", _("draw the screen again, where other output disturbed it")),
    ("Ctrl+Z", _("back to the shell; fg there goes on")),
    ("q", _("quit")),
    ("Esc", _("close what is open; never does harm")),
)
_MARKS = (
    ("pass", _("as mailcow needs it")),
    ("warn", _("works, but worse than it should; read why")),
    ("blocks", _("mailcow cannot be installed like this; mend it first")),
    ("fail", _("mailcow will not work like this")),
    ("unknown", _("could not be found out: neither good nor bad")),
    ("noted", _("not right, and acknowledged with a reason")),
    ("skipped", _("makes no sense here, or was not wanted")),
    ("crashed", _("a mistake of the wizard")),
)


_RECORD_KEYS = (
    (_("arrows, j k"), _("move")),
    ("Enter", _("the record in full: what each name server has")),
    ("c", _("copy the value")),
    ("w", _("ask again and again until all is right; w stops that")),
    ("f", _("publish the record; asks before anything is changed")),
    ("+", _("add a mail domain")),
    ("-", _("leave the mail domain out; what is published stays")),
    ("v", _("the names on the certificate")),
    ("r", _("ask all name servers again")),
    ("Esc", _("back to the list; what is waited for is not lost")),
)
_RECORD_MARKS = (
    ("pass", _("right")),
    ("fail", _("missing or wrong: mend this first")),
    ("warn", _("not as it should be: mend this, too")),
    ("unknown", _("no answer: neither good nor bad")),
    ("skipped", _("not there, and need not be")),
)


def help_lines(look: Look, width: int) -> list[list[Part]]:
    """The text, as styled lines of so many cells."""
    keys = _keys(_KEYS, look, width)
    marks = [
        line
        for status, means in _MARKS
        for line in _wrapped(
            (f" {look.glyph(status)} {WORDS[status]:<10} ", look.state(status)), means, look, width
        )
    ]
    return [*keys, [], *marks]


def record_lines(look: Look, width: int) -> list[list[Part]]:
    """The same for the list of DNS records."""
    marks = [(look.glyph(status), look.state(status), means) for status, means in _RECORD_MARKS]
    marks.append((look.glyphs.ellipsis, look.state("warn"), _("right, but not everywhere yet")))
    lines = [
        line for glyph, style, means in marks for line in _wrapped((f" {glyph} ", style), means, look, width)
    ]
    return [*_keys(_RECORD_KEYS, look, width), [], *lines]


def _keys(keys: tuple[tuple[str, str], ...], look: Look, width: int) -> list[list[Part]]:
    return [line for key, does in keys for line in _wrapped((f" {key:<13}", look.bold), does, look, width)]


def _wrapped(first: Part, text: str, look: Look, width: int) -> list[list[Part]]:
    """The text beside its label; what follows is set in as far."""
    label: Part = (" " * len(first[0]), look.plain)
    parts = wrap(text, max(10, width - len(first[0])), break_on_hyphens=False)
    return [[label if number else first, (part, look.plain)] for number, part in enumerate(parts)]
