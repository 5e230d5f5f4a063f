"""The palette: every command and step, found by typing a part of its name."""

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult

from mailcow_wizard.language import _
from mailcow_wizard.tui.look import Look
from mailcow_wizard.tui.screens.narrowing import Narrowing
from mailcow_wizard.tui.widgets.lines import Lines
from mailcow_wizard.typed import NamedTuple


class Command(NamedTuple):
    """Words, the key that does the same (or nothing), the action's name, the id that finds it as well.
    `only_typed`: not shown before something is typed."""

    words: str
    key: str
    action: str
    id: str = ""
    only_typed: bool = False

    def fits(self, typed: str) -> bool:
        """Whether what was typed is a part of its name or its id."""
        if not typed:
            return not self.only_typed
        return any(typed.lower() in one.lower() for one in (self.words, self.id))


class Palette(Narrowing):
    """Ends with the chosen action; with nothing on Esc."""

    CSS_PATH = "text.tcss"
    CLOSES: ClassVar[tuple[str, ...]] = ("escape", "ctrl+p")

    def __init__(self, look: Look, commands: Sequence[Command]) -> None:
        super().__init__()
        self._look = look
        self._commands = commands
        self._typed = ""

    def compose(self) -> ComposeResult:
        """What was typed, what fits it."""
        yield Lines(id="title")
        yield Lines(id="text")

    def on_mount(self) -> None:
        """Draws everything that there is."""
        self._draw()

    def _fitting(self) -> list[Command]:
        return [one for one in self._commands if one.fits(self._typed)]

    def _draw(self) -> None:
        look = self._look
        self.query_one("#title", Lines).put(
            [[(" " + _("Type a part of a name:") + " ", look.dim), (f"{self._typed}_", look.bold)]]
        )
        rows = self._fitting()
        self._cursor = max(0, min(self._cursor, len(rows) - 1))
        text = self.query_one("#text", Lines)
        text.put(
            [
                [
                    (f" {look.glyphs.cursor} " if number == self._cursor else "   ", look.bold),
                    (words, look.selected if number == self._cursor else look.plain),
                    (f"  {key}", look.dim),
                ]
                for number, (words, key, *_unused) in enumerate(rows)
            ]
            or [[(" " + _("Nothing found. Esc goes back."), look.plain)]]
        )
        text.scroll_to(y=max(0, self._cursor - max(1, text.size.height) + 1), animate=False, force=True)

    def _take(self, text: str) -> None:
        self._typed += "".join(one for one in text if one.isprintable())

    def _type(self, event: events.Key) -> bool:
        if event.key == "backspace":
            self._typed = self._typed[:-1]
        elif event.is_printable and event.character:
            self._typed += event.character
        else:
            return False
        return True

    def _choice(self) -> str | None:
        rows = self._fitting()
        return rows[self._cursor].action if rows else None
