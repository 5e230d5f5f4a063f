"""An app and its terminal: what draws it, what draws it again, the terminal's signals, the way out."""

import signal
from functools import partial
from typing import ClassVar

from textual.app import App
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.events import Event, Key, Paste, Resize
from textual.timer import Timer

from mailcow_wizard.tui.display.driver import DisplayDriver

INTERRUPTED, TERMINATED, HUNG_UP = 130, 143, 129
_ALT = "alt+"
_LEAVE = ("tab", "shift+tab", "escape")
"""What follows these is for what has the focus when they have done their work."""
_LATEST_S = 0.5
"""A screen that another one covers, or that ends, may never say that it was drawn."""


class Drawn(App[int]):
    """What is about the terminal, and nothing about what stands on it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c", "interrupt", "Interrupt", show=False, priority=True),
        Binding("ctrl+l", "redraw", "Draw the screen again", show=False, priority=True),
        Binding("ctrl+z", "suspend", "Back to the shell", show=False, priority=True),
    ]

    def __init__(self, driver: type[Driver] | None) -> None:
        """Without a driver Textual's own draws."""
        super().__init__(driver_class=driver, ansi_color=True)
        self.leaving: int | None = None
        self._holding = True
        self._held: list[Event] = []
        self._turn = 0
        self._latest: Timer | None = None

    @property
    def message_queue_size(self) -> int:
        """What it has still to deal with; keys that are held as well."""
        return super().message_queue_size + len(self._held)

    async def on_event(self, event: Event) -> None:
        """What is typed before the screen is complete counts when it is; the way out is always open."""
        if isinstance(event, (Key, Paste)) and not self.screen_stack:
            return  # the wizard ends, and its screens have ended already
        if isinstance(event, Key) and event.key.startswith(_ALT) and not event.is_forwarded:
            # Esc and a key that come in one packet look like Alt and that key, which nothing is bound to.
            await self.on_event(Key("escape", None))
            await self.on_event(_without_alt(event))
            return
        typed = isinstance(event, Paste) or (isinstance(event, Key) and event.key != "ctrl+c")
        # A key that no screen wanted comes back, and was held already.
        if not typed or event.is_forwarded:
            await super().on_event(event)
        elif self._holding:
            self._held.append(event)
        else:
            self._holding = isinstance(event, Key) and event.key in _LEAVE
            await super().on_event(event)
            if self._holding:
                self._go_on_when_done()

    async def take_typed(self, turn: int | None = None) -> None:
        """Takes what was typed so far, each key when the one before has done its work, and a field's letters
        at once; then all others. Whose `turn` it is no more does nothing."""
        if turn not in (None, self._turn):
            return
        self._turn += 1
        if self._latest:
            self._latest.stop()
        if not self._held or not self.screen_stack:
            self._holding = False
            return
        event = self._held.pop(0)
        await super().on_event(event)
        while self._is_text(event) and self._held and self._is_text(self._held[0]):
            event = self._held.pop(0)
            await super().on_event(event)
        self._go_on_when_done()

    def _is_text(self, event: Event) -> bool:
        """Whether a field has the focus, and only writes this down."""
        return isinstance(event, Key) and event.is_printable and getattr(self.focused, "is_for_text", False)

    def _go_on_when_done(self) -> None:
        """Takes what is held when what has the focus has dealt with its keys, and the screen shows it."""
        take = partial(self.take_typed, self._turn)
        after = partial(self.call_after_refresh, take)
        if self.focused is None or not self.focused.call_later(after):
            after()
        self._latest = self.set_timer(_LATEST_S, take)

    def exit(self, result: int | None = None, return_code: int = 0, message: object = None) -> None:
        """Leaves with a code. What fails afterwards, on a screen half made, is no mistake to report."""
        self.leaving = result
        super().exit(result, return_code)

    def on_load(self) -> None:
        """Before the terminal is taken over: a signal that ends the wizard leaves it as it was."""
        import asyncio

        for number, code in (
            (signal.SIGTERM, TERMINATED),
            (signal.SIGHUP, HUNG_UP),
            (signal.SIGINT, INTERRUPTED),
        ):
            asyncio.get_running_loop().add_signal_handler(number, self.exit, code)

    def on_resize(self, event: Resize) -> None:
        """What the terminal shows now is the driver's concern."""
        if isinstance(self._driver, DisplayDriver):
            self._driver.resized(*event.size)

    def on_driver_signal_resume(self) -> None:
        """After Ctrl+Z and fg Textual would wait for the next change."""
        self.action_redraw()

    def action_redraw(self) -> None:
        """Draws everything, whatever other programs have left on the terminal."""
        if isinstance(self._driver, DisplayDriver):
            self._driver.redraw(whole=True)
        else:
            self.refresh(layout=True)

    def action_interrupt(self) -> None:
        """Ctrl+C ends at once."""
        self.exit(INTERRUPTED)

    def _fatal_error(self) -> None:
        # Textual's own traceback would print local variables, which may hold what must not be shown.
        self.panic("")


def _without_alt(event: Key) -> Key:
    letter = event.character if event.character and event.character.isalpha() else ""
    return Key(letter or event.key.removeprefix(_ALT), event.character)
