"""Screens over the wizard: a text to read, a question to answer."""

from collections.abc import Callable, Sequence
from textwrap import wrap
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.events import Key

from mailcow_wizard.host.terminal import streams
from mailcow_wizard.language import _
from mailcow_wizard.tui.look import Look
from mailcow_wizard.tui.screens.modal import Modal
from mailcow_wizard.tui.widgets.lines import Lines, Part
from mailcow_wizard.typed import NamedTuple

Text = Sequence[Sequence[Part]]


class Then(NamedTuple):
    """A key that closes the text for something of the list below it: its word, and what it does."""

    key: str
    word: str
    does: Callable[[], object]


class TextScreen(Modal[None]):
    """Lines to read, scrolled with the arrows; Esc, q or Enter closes. What is to be copied (`whole`) p shows
    on the bare terminal, which wraps and selects it by itself."""

    CSS_PATH = "text.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter,f1,question_mark", "dismiss", "close", show=False),
        Binding("up,k", "scroll(-1)", "up", show=False),
        Binding("down,j", "scroll(1)", "down", show=False),
        Binding("pageup", "scroll(-10)", "page up", show=False),
        Binding("pagedown,space", "scroll(10)", "page down", show=False),
        Binding("home", "scroll(-100000)", "beginning", show=False),
        Binding("end", "scroll(100000)", "end", show=False),
        Binding("p", "whole", "show it whole", show=False),
    ]

    def __init__(
        self,
        look: Look,
        title: str,
        lines: Text | Callable[[int], Text],
        whole: str = "",
        then: Then | None = None,
    ) -> None:
        """`lines` may depend on the width of the screen, in cells."""
        super().__init__()
        self._look = look
        self._title = title
        self._lines = lines
        self._whole = whole
        self._then = then

    def compose(self) -> ComposeResult:
        """Title, text, how to close."""
        yield Lines(id="title")
        yield Lines(id="text")
        yield Lines(id="close")

    def on_mount(self) -> None:
        """Fills in the text."""
        self.query_one("#title", Lines).put([[(f" {self._title}", self._look.bold)]])
        if not callable(self._lines):
            self.draw(self._lines)

    def draw(self, lines: Text) -> None:
        """Shows these lines, and the keys that there are now."""
        self.query_one("#text", Lines).put(lines)
        self._draw_keys()

    def on_resize(self) -> None:
        """What wraps to the width, and which part is in view, is known when the size is."""
        if callable(self._lines):
            self.draw(self._lines(self.size.width))
        self.call_after_refresh(self._draw_keys)

    def _draw_keys(self) -> None:
        for line in self.query("#close").results(Lines):
            line.put([self.keys()])

    def keys(self) -> Sequence[Part]:
        """What can be pressed; which part of a long text is in view."""
        look = self._look
        more = [("p", _("show it whole"))] if self._whole else []
        more += [(self._then.key, self._then.word)] if self._then else []
        parts = [part for key, word in more for part in ((key, look.bold), (f" {word}  ", look.plain))]
        return [(" Esc", look.bold), (" " + _("close") + "  ", look.plain), *parts, *self._scrolled()]

    def _scrolled(self) -> Sequence[Part]:
        look, text = self._look, self.query_one("#text", Lines)
        if not text.view:
            return []
        return [(_("arrows"), look.bold), (" " + _("scroll") + "  ", look.plain), (text.view, look.dim)]

    def action_scroll(self, by: int) -> None:
        """Scrolls by lines."""
        text = self.query_one("#text", Lines)
        text.scroll_to(y=max(0, text.scroll_offset.y + by), animate=False, force=True, immediate=True)
        self._draw_keys()

    def on_key(self, event: Key) -> None:
        """The key that goes on from here."""
        if self._then and event.key == self._then.key:
            event.stop()
            self.dismiss()
            self.app.call_after_refresh(self._then.does)

    def action_whole(self) -> None:
        """Leaves the full screen for what is to be copied, until a key closes it."""
        if self._whole:
            with self.app.suspend():
                streams.show_until_closed(self._whole)


class Question(Modal[bool]):
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

    def on_resize(self) -> None:
        """Fills in the question, in as many lines as it needs."""
        look = self._look
        lines = wrap(look.text(self._question), max(10, self.size.width - 2), break_on_hyphens=False)
        keys = [
            (" y", look.bold),
            (" " + _("yes") + "   ", look.plain),
            ("n", look.bold),
            (" " + _("no"), look.plain),
        ]
        question = self.query_one("#question", Lines)
        question.styles.height = len(lines) + 1
        question.put([*([(f" {line}", look.bold)] for line in lines), keys])
