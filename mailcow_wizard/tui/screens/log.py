"""A sheet whose text grows while it is read."""

from typing import Generic

from mailcow_wizard.tui.look import Look
from mailcow_wizard.tui.screens.sheet import Result, Sheet


class Log(Sheet[Result], Generic[Result]):
    """Its end stays in view, unless somebody scrolled up."""

    def __init__(self, look: Look) -> None:
        super().__init__(look)
        self._follows = True

    def on_mount(self) -> None:
        """Begins at its end: what was there before it was opened is read already."""
        super().on_mount()
        self.show()

    def show(self) -> None:
        """Draws what is new."""
        self.draw()
        if self._follows:
            self.call_after_refresh(self.action_edge, 1)

    def scroll_text(self, to: int) -> None:
        """Scrolls; at its end it is followed again."""
        super().scroll_text(to)
        self._follows = self.text.scroll_offset.y + self.text.size.height >= self.text.virtual_size.height
