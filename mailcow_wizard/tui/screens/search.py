"""Every key of mailcow.conf, found by typing a part of its name; below it what the file says of it."""

from collections.abc import Mapping
from textwrap import wrap
from typing import ClassVar

from textual import events
from textual.app import ComposeResult

from mailcow_wizard.engine.settings import Draft, field
from mailcow_wizard.language import _
from mailcow_wizard.tui.look import Look
from mailcow_wizard.tui.screens.narrowing import Narrowing
from mailcow_wizard.tui.typing_line import TypingLine
from mailcow_wizard.tui.widgets.chrome import KeyLine, Rule
from mailcow_wizard.tui.widgets.lines import Lines, Part

_KEY_WIDTH = 34
_ABOUT_LINES = 5


class Search(Narrowing):
    """Ends with the chosen key; with nothing on Esc."""

    CSS_PATH = "settings.tcss"
    MOVES: ClassVar[Mapping[str, int]] = {"up": -1, "down": 1, "pageup": -10, "pagedown": 10}

    def __init__(self, look: Look, draft: Draft) -> None:
        super().__init__()
        self._look = look
        self._draft = draft
        self._keys = draft.keys()
        self._typed = TypingLine.of("")

    def compose(self) -> ComposeResult:
        """What was typed, the keys that fit it, what the key under the cursor is for."""
        yield Lines(id="title")
        yield Lines(id="text")
        yield Rule(self._look)
        yield Lines(id="about")
        yield KeyLine(self._look)

    def on_mount(self) -> None:
        """Draws everything."""
        self.query_one(KeyLine).show(
            [("Enter", _("change this one")), (_("arrows"), _("move")), ("Esc", _("back"))]
        )
        self._draw()

    def on_resize(self) -> None:
        """What a key is for wraps to the width."""
        self._draw()

    def _fitting(self) -> list[str]:
        wanted = self._typed.text.upper()
        return [key for key in self._keys if wanted in key]

    def _draw(self) -> None:
        look = self._look
        title: list[Part] = [
            (" " + _("Type a part of a key:") + " ", look.dim),
            (f"{self._typed.text}_", look.bold),
        ]
        self.query_one("#title", Lines).put([title])
        keys = self._fitting()
        self._cursor = max(0, min(self._cursor, len(keys) - 1))
        text = self.query_one("#text", Lines)
        nothing: list[list[Part]] = [[(" " + _("Nothing found. Esc goes back."), look.plain)]]
        text.put([self._line(number, key) for number, key in enumerate(keys)] or nothing)
        text.keep_in_view(self._cursor)
        about = look.text(self._draft.about(keys[self._cursor])) if keys else ""
        lines = wrap(about, max(10, self.size.width - 2))[:_ABOUT_LINES]
        self.query_one("#about", Lines).put([[(f" {line}", look.plain)] for line in lines])

    def _line(self, number: int, key: str) -> list[Part]:
        look = self._look
        here = number == self._cursor
        value = self._draft.value(key)
        shown = ("••••••••" if value else "") if field(key).secret else value
        return [
            (f" {look.glyphs.cursor} " if here else "   ", look.bold),
            (key, look.selected if here else look.plain),
            (" " * max(1, _KEY_WIDTH - len(key)), look.plain),
            (look.text(shown), look.dim),
        ]

    def _take(self, text: str) -> None:
        self._typed = self._typed.typed(text)

    def _type(self, event: events.Key) -> bool:
        if event.is_printable and event.character:
            typed: TypingLine | None = self._typed.typed(event.character)
        else:
            typed = self._typed.key(event.key) if event.key not in ("left", "right") else None
        if typed is None:
            return False
        self._typed = typed
        return True

    def _choice(self) -> str | None:
        keys = self._fitting()
        return keys[self._cursor] if keys else None
