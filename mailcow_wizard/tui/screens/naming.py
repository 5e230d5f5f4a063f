"""A line that is typed, with the reason below it where it cannot be taken."""

from collections.abc import Callable
from typing import ClassVar, NamedTuple

from rich.cells import cell_len
from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType

from mailcow_wizard.language import _
from mailcow_wizard.tui.look import Look
from mailcow_wizard.tui.screens.modal import Modal
from mailcow_wizard.tui.typing_line import TypingLine
from mailcow_wizard.tui.widgets.lines import Lines, Part


class Asked(NamedTuple):
    """What is asked for: its label, what may be typed, what `Enter` does with it."""

    label: str
    hint: str
    verb: str


class Naming(Modal[tuple[str, ...]]):
    """Ends with what `read` makes of the text, or with nothing on Esc; `read` raises ValueError. The last of
    it is shown meanwhile.

    No bindings: they are looked up later than keys are typed, and some would overtake others.
    """

    CSS_PATH = "naming.tcss"
    BINDINGS: ClassVar[list[BindingType]] = []

    def __init__(
        self, look: Look, asked: Asked, read: Callable[[str], tuple[str, ...]], text: str = ""
    ) -> None:
        """`text` stands there to begin with."""
        super().__init__()
        self._look = look
        self._asked = asked
        self._read = read
        self._typing = TypingLine.of(text)
        self._refused = False

    def compose(self) -> ComposeResult:
        """The field, the remark, the keys."""
        yield Lines(id="naming")

    def on_mount(self) -> None:
        """Draws the field."""
        self._draw()

    def on_resize(self) -> None:
        """A long text is shown around the cursor."""
        self._draw()

    def _draw(self) -> None:
        look, typing = self._look, self._typing
        label = f" {self._asked.label}  "
        before, here, behind = typing.view(max(8, self.size.width - cell_len(label) - 1))
        parts: list[Part] = [
            (label, look.bold),
            (before, look.underlined),
            (here, look.selected),
            (behind, look.underlined),
        ]
        keys = [
            (" Enter", look.bold),
            (f" {self._asked.verb}  ", look.plain),
            ("Esc", look.bold),
            (" " + _("back"), look.plain),
        ]
        self.query_one("#naming", Lines).put([parts, self._remark(), keys])

    def _remark(self) -> list[Part]:
        look = self._look
        if not self._typing.text and not self._refused:
            return [(f" {self._asked.hint}", look.dim)]
        try:
            name = self._read(self._typing.text)[-1]
        except ValueError as error:
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
        except ValueError:
            self._refused = True
            self._draw()
        else:
            self.dismiss(kept)
