"""An app that is drawn by the layer of ours: drawn again, left for the shell, resumed."""

from typing import ClassVar

from textual.app import App
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.events import Resize

from mailcow_wizard.tui.display.driver import DisplayDriver


class Drawn(App[int]):
    """What is about the terminal, and nothing about what stands on it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+l", "redraw", "Draw the screen again", show=False, priority=True),
        Binding("ctrl+z", "suspend_process", "Back to the shell", show=False, priority=True),
    ]

    def __init__(self, driver: type[Driver] | None) -> None:
        """Without a driver Textual's own draws."""
        super().__init__(driver_class=driver, ansi_color=True)

    def on_resize(self, event: Resize) -> None:
        """The terminal may have moved what it shows, or thrown it away."""
        if isinstance(self._driver, DisplayDriver):
            self._driver.redraw()

    def action_redraw(self) -> None:
        """Draws everything, whatever other programs have left on the terminal."""
        if isinstance(self._driver, DisplayDriver):
            self._driver.redraw(whole=True)
        else:
            self.refresh(layout=True)

    def _fatal_error(self) -> None:
        # Textual's own traceback would print local variables, which may hold what must not be shown.
        self.panic("")
