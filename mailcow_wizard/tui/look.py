"""Glyphs, words and styles: what the same state looks like on different terminals.

Only the terminal's own sixteen colours are used, so the administrator's palette decides; a state is always
a glyph and a word as well. Without colours bold and reverse remain.
"""

from rich.style import Style

from mailcow_wizard.host.terminal.streams import SPELLINGS
from mailcow_wizard.language import pgettext
from mailcow_wizard.model import Status
from mailcow_wizard.typed import NamedTuple

Shown = Status | str


class Glyphs(NamedTuple):
    """Single cells, and the marks between them."""

    passed: str
    warn: str
    fail: str
    unknown: str
    skipped: str
    crashed: str
    running: str
    cursor: str
    rule: str
    bar: str
    ellipsis: str
    noted: str


UNICODE = Glyphs("✓", "!", "✗", "?", "–", "‼", "·", "▸", "─", "│", "…", "•")
ASCII = Glyphs("+", "!", "x", "?", "-", "#", ".", ">", "-", "|", "~", "*")

WORDS = {
    "pass": pgettext("a state", "ok"),
    "warn": pgettext("a state", "warning"),
    "fail": pgettext("a state", "fails"),
    "blocks": pgettext("a state", "blocks"),
    "unknown": pgettext("a state", "unknown"),
    "skipped": pgettext("a state", "skipped"),
    "crashed": pgettext("a state", "crashed"),
    "running": pgettext("a state", "looking"),
    "noted": pgettext("a state", "noted"),
    "waiting": pgettext("a state", "waits"),
    "working": pgettext("a state", "works"),
}
"""`noted` is a finding that was acknowledged, `blocks` one that fails and stops an install; `waiting` and
`working` are stages of an install."""
WORD_WIDTH = 7

_COLOURS = {
    "pass": "green",
    "warn": "yellow",
    "fail": "red",
    "blocks": "red",
    "unknown": "cyan",
    "crashed": "magenta",
}


class Look:
    """Glyphs and styles for one terminal."""

    def __init__(self, ascii_only: bool, colour: bool) -> None:
        self.ascii_only = ascii_only
        self.glyphs = ASCII if ascii_only else UNICODE
        self._colour = colour
        self.plain = Style.null()
        self.bold = Style(bold=True)
        self.dim = Style(dim=True) if colour else Style.null()
        self.selected = Style(reverse=True)
        self.underlined = Style(underline=True)

    def state(self, status: str) -> Style:
        """The style of a state."""
        bold = status in ("fail", "blocks", "crashed")
        return Style(color=_COLOURS.get(status) if self._colour else None, bold=bold or None)

    def role(self, role: str) -> Style:
        """The style of a part of a text: a line of a diff, what is said aside, what stands out."""
        colour = {"added": "green", "removed": "red", "hunk": "cyan"}.get(role)
        if colour:
            return Style(color=colour if self._colour else None)
        return {"dim": self.dim, "bold": self.bold}.get(role, self.plain)

    def glyph(self, status: str) -> str:
        """One cell for a state."""
        glyphs = self.glyphs
        return {
            "pass": glyphs.passed,
            "warn": glyphs.warn,
            "fail": glyphs.fail,
            "blocks": glyphs.fail,
            "unknown": glyphs.unknown,
            "skipped": glyphs.skipped,
            "crashed": glyphs.crashed,
            "noted": glyphs.noted,
        }.get(status, glyphs.running)

    def text(self, text: str) -> str:
        """The text in what this terminal can show."""
        if not self.ascii_only or text.isascii():
            return text
        return text.translate(_TO_ASCII).encode("ascii", "replace").decode("ascii")


_TO_ASCII = str.maketrans(SPELLINGS)
