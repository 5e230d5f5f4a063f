"""The common shape of screens that are read: a title, a text that scrolls, a rule, a foot that stays."""

from collections.abc import Sequence
from typing import ClassVar, Generic, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from mailcow_wizard.tui.frame import Keys, key_line
from mailcow_wizard.tui.look import Look
from mailcow_wizard.tui.screens.modal import Modal
from mailcow_wizard.tui.widgets.chrome import Rule
from mailcow_wizard.tui.widgets.lines import Lines, Part

Result = TypeVar("Result")

_WAY_OUT = "Esc"


class Sheet(Modal[Result], Generic[Result]):
    """Subclasses say what is shown: `title_parts`, `body` for a width in cells, `foot`."""

    CSS_PATH = "sheet.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll(-1)", "up", show=False),
        Binding("down,j", "scroll(1)", "down", show=False),
        Binding("pageup", "page(-1)", "page up", show=False),
        Binding("pagedown,space", "page(1)", "page down", show=False),
        Binding("home", "edge(0)", "to the beginning", show=False),
        Binding("end", "edge(1)", "to the end", show=False),
    ]

    def __init__(self, look: Look) -> None:
        super().__init__()
        self.look = look

    def compose(self) -> ComposeResult:
        """Title, text, rule, foot."""
        yield Lines(id="title")
        yield Lines(id="text")
        yield Rule(self.look)
        yield Lines(id="foot")

    def title_parts(self) -> Sequence[Part]:
        """The first line."""
        raise NotImplementedError

    def body(self, width: int) -> Sequence[Sequence[Part]]:
        """What scrolls."""
        raise NotImplementedError

    def foot(self, width: int) -> Sequence[Sequence[Part]]:
        """What stays below it."""
        raise NotImplementedError

    @property
    def text(self) -> Lines:
        """The part that scrolls."""
        return self.query_one("#text", Lines)

    @property
    def has_parts(self) -> bool:
        """Whether there is something to draw on: what comes from threads comes before the first paint, and
        after the screen was closed, too."""
        return self.is_mounted and bool(self.query("#text"))

    def on_mount(self) -> None:
        """Draws everything."""
        self.draw()

    def on_resize(self) -> None:
        """Text wraps to the width; the place of the rule follows the height."""
        self.draw()
        self.call_after_refresh(self.see_cursor)

    def see_cursor(self) -> None:
        """Keeps the line that keys are for in view, where there is one."""
        self.draw_rule()

    def draw(self) -> None:
        """Draws what is different now."""
        if not self.has_parts or not self.size.width:
            return
        width = self.size.width - 2
        self.query_one("#title", Lines).put([self.title_parts()])
        self.text.put(self.body(width))
        self.draw_foot()
        self.call_after_refresh(self.draw_rule)

    @property
    def most_below(self) -> int:
        """How many lines the foot may have."""
        return max(1, self.size.height // 2 - 1)

    def draw_foot(self) -> None:
        """Draws the foot, as high as it needs to be."""
        lines = self.foot(self.size.width - 2)
        # In little room the text keeps the most of it; of two lines or more the last, the keys, stays.
        most = self.most_below
        if len(lines) > most:
            lines = [*lines[: most - 1], lines[-1]] if most > 1 else lines[:1]
        foot = self.query_one("#foot", Lines)
        foot.styles.height = max(1, len(lines))
        foot.put(lines)

    def draw_rule(self) -> None:
        """Says which part of the text is in view, where it is longer than its place."""
        if not self.has_parts:
            return
        self.query_one(Rule).show(self.text.view)

    def keys(self, keys: Keys) -> list[Part]:
        """Keys and what they do, in one line, those that have room; the way out always has."""
        return key_line(self.look, keys, self.size.width, (_WAY_OUT,))

    def scrolls(self) -> bool:
        """Whether the text is longer than its place."""
        return self.text.virtual_size.height > self.text.size.height

    def scroll_text(self, to: int) -> None:
        """Brings this line to the top, as far as the text goes."""
        self.text.scroll_to(y=max(0, to), animate=False, force=True, immediate=True)
        self.draw_rule()

    def keep_in_view(self, line: int) -> None:
        """Scrolls as far as needed to see this line."""
        self.text.keep_in_view(line)
        self.draw_rule()

    def action_scroll(self, by: int) -> None:
        """Scrolls by lines."""
        self.scroll_text(self.text.scroll_offset.y + by)

    def action_page(self, by: int) -> None:
        """Scrolls by a screenful."""
        self.action_scroll(by * max(1, self.text.size.height - 1))

    def action_edge(self, last: int) -> None:
        """Scrolls to the beginning or the end."""
        if self.has_parts:
            self.scroll_text(self.text.virtual_size.height if last else 0)
