"""A name that is typed, with the reason below it where it cannot be one."""

from collections.abc import Callable
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import ModalScreen

from mailcow_wizard.names import NotAName
from mailcow_wizard.tui.look import Look
from mailcow_wizard.tui.typing_line import TypingLine
from mailcow_wizard.tui.widgets.lines import Lines, Part

_LABEL = " New mail domain  "


class Naming(ModalScreen[tuple[str, ...]]):
    """Ends with what `read` makes of the text, or with nothing on Esc; `read` raises NotAName.

    No bindings: they are looked up later than keys are typed, and some would overtake others.
    """

    CSS_PATH = "naming.tcss"
    BINDINGS: ClassVar[list[BindingType]] = []

    def __init__(self, look: Look, read: Callable[[str], tuple[str, ...]]) -> None:
        super().__init__()
        self._look = look
        self._read = read
        self._typing = TypingLine("", 0)
        self._refused = False

    def compose(self) -> ComposeResult:
        """The field, the remark, the keys."""
        yield Lines(id="naming")

    def on_mount(self) -> None:
        """Draws the field."""
        self._draw()

    def _draw(self) -> None:
        look, typing = self._look, self._typing
        text = typing.text + " "
        parts: list[Part] = [
            (_LABEL, look.bold),
            (text[: typing.place], look.underlined),
            (text[typing.place : typing.place + 1], look.selected),
            (text[typing.place + 1 :], look.underlined),
        ]
        keys = [(" Enter", look.bold), (" add  ", look.plain), ("Esc", look.bold), (" back", look.plain)]
        self.query_one("#naming", Lines).put([parts, self._remark(), keys])

    def _remark(self) -> list[Part]:
        look = self._look
        if not self._typing.text and not self._refused:
            return [(" what stands behind the @, such as example.org", look.dim)]
        try:
            name = self._read(self._typing.text)[-1]
        except NotAName as error:
            return [(f" {look.glyph('warn')} {look.text(str(error))}", look.state("warn"))]
        return [(f" {look.glyph('pass')} {name}", look.state("pass"))]

    def on_key(self, event: events.Key) -> None:
        """Takes all keys."""
        event.stop()
        if event.key == "escape":
            self.dismiss(None)
        elif event.key == "enter":
            self._end()
        elif event.is_printable and event.character:
            self._type(self._typing.typed(event.character))
        else:
            self._type(self._typing.key(event.key) or self._typing)

    def on_paste(self, event: events.Paste) -> None:
        """Takes pasted text."""
        event.stop()
        self._type(self._typing.typed(event.text.strip()))

    def _type(self, typing: TypingLine) -> None:
        self._typing = typing
        self._draw()

    def _end(self) -> None:
        try:
            kept = self._read(self._typing.text)
        except NotAName:
            self._refused = True
            self._draw()
        else:
            self.dismiss(kept)
