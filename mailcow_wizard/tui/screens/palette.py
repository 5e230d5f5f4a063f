"""The palette: every command and step, found by typing a part of its name."""

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import ModalScreen

from mailcow_wizard.language import _
from mailcow_wizard.tui.look import Look
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


_MOVES = {"up": -1, "down": 1}


class Palette(ModalScreen[str]):
    """Ends with the chosen action; with nothing on Esc.

    No bindings: they are looked up later than keys are typed, and a letter would overtake Enter.
    """

    CSS_PATH = "text.tcss"
    BINDINGS: ClassVar[list[BindingType]] = []

    def __init__(self, look: Look, commands: Sequence[Command]) -> None:
        super().__init__()
        self._look = look
        self._commands = commands
        self._typed = ""
        self._cursor = 0

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

    def on_key(self, event: events.Key) -> None:
        """Typing narrows the list; Enter chooses, Esc ends it."""
        if event.key in ("escape", "ctrl+p"):
            self.dismiss(None)
        elif event.key == "enter":
            self._choose()
        elif event.key in _MOVES:
            self._cursor += _MOVES[event.key]
            self._draw()
        elif event.key == "backspace" or (event.is_printable and event.character):
            self._typed = self._typed[:-1] if event.key == "backspace" else f"{self._typed}{event.character}"
            self._draw()
        else:
            return
        event.stop()

    def _choose(self) -> None:
        rows = self._fitting()
        if rows:
            self.dismiss(rows[self._cursor].action)
