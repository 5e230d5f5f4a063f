"""Screens over the wizard: a text to read, a question to answer."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from mailcow_wizard.language import _
from mailcow_wizard.tui.look import Look
from mailcow_wizard.tui.widgets.lines import Lines, Part


class TextScreen(ModalScreen[None]):
    """Lines to read, scrolled with the arrows; Esc, q or Enter closes."""

    CSS_PATH = "text.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter,f1,question_mark", "dismiss", "close", show=False),
        Binding("up,k", "scroll(-1)", "up", show=False),
        Binding("down,j", "scroll(1)", "down", show=False),
        Binding("pageup", "scroll(-10)", "page up", show=False),
        Binding("pagedown,space", "scroll(10)", "page down", show=False),
    ]

    def __init__(self, look: Look, title: str, lines: Sequence[Sequence[Part]]) -> None:
        super().__init__()
        self._look = look
        self._title = title
        self._lines = lines

    def compose(self) -> ComposeResult:
        """Title, text, how to close."""
        yield Lines(id="title")
        yield Lines(id="text")
        yield Lines(id="close")

    def on_mount(self) -> None:
        """Fills in the text."""
        self.query_one("#title", Lines).put([[(f" {self._title}", self._look.bold)]])
        self.draw(self._lines)

    def draw(self, lines: Sequence[Sequence[Part]]) -> None:
        """Shows these lines, and the keys that there are now."""
        self.query_one("#text", Lines).put(lines)
        self.query_one("#close", Lines).put([self.keys()])

    def keys(self) -> Sequence[Part]:
        """What can be pressed."""
        return [
            (" Esc", self._look.bold),
            (" " + _("close") + "  ", self._look.plain),
            (_("arrows"), self._look.bold),
            (" " + _("scroll"), self._look.plain),
        ]

    def action_scroll(self, by: int) -> None:
        """Scrolls by lines."""
        self.query_one("#text", Lines).scroll_relative(y=by, animate=False, force=True)


class Question(ModalScreen[bool]):
    """A yes-or-no question; no is the answer of Esc and of Enter."""

    CSS_PATH = "text.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "dismiss(True)", "yes", show=False),
        Binding("n,escape,enter", "dismiss(False)", "no", show=False),
    ]

    def __init__(self, look: Look, question: str) -> None:
        super().__init__()
        self._look = look
        self._question = question

    def compose(self) -> ComposeResult:
        """The question and its keys."""
        yield Lines(id="question")

    def on_mount(self) -> None:
        """Fills in the question."""
        look = self._look
        keys = [
            (" y", look.bold),
            (" " + _("yes") + "   ", look.plain),
            ("n", look.bold),
            (" " + _("no"), look.plain),
        ]
        self.query_one("#question", Lines).put([[(f" {self._question}", look.bold)], keys])
