"""What is shown while a thread looks at something that the next screen needs."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from mailcow_wizard.language import _
from mailcow_wizard.tui.look import Look
from mailcow_wizard.tui.screens.sheet import Sheet
from mailcow_wizard.tui.widgets.lines import Part

Next = Callable[[], object]


class Waiting(Sheet[Next]):
    """Ends with what comes next, as `go_on` names it; with nothing on Esc: what is found later is dropped."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "dismiss", "back", show=False)]

    def __init__(self, look: Look, title: str, said: str) -> None:
        super().__init__(look)
        self._title = title
        self._said = said
        self._next: Next | None = None

    def go_on(self, what: Next) -> None:
        """What comes next; waits as long as another screen is above, does nothing once this one is left."""
        self._next = what
        self._end()

    def on_screen_resume(self) -> None:
        """What was above is closed."""
        self._end()

    def _end(self) -> None:
        if self._next and self.app.screen_stack[-1] is self:
            self.dismiss(self._next)

    def title_parts(self) -> Sequence[Part]:
        """What it is about."""
        return [(f" {self.look.text(self._title)}", self.look.bold)]

    def body(self, width: int) -> Sequence[Sequence[Part]]:
        """What is looked at."""
        return [[(f" {self.look.text(self._said)}", self.look.plain)]]

    def foot(self, width: int) -> Sequence[Sequence[Part]]:
        """The one key."""
        return [self.keys([("Esc", _("back"))])]
