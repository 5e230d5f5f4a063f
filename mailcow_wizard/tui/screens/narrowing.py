"""A list that is narrowed by typing: what its keys do, whatever is listed."""

from collections.abc import Mapping
from typing import ClassVar

from textual import events
from textual.binding import BindingType

from mailcow_wizard.tui.screens.modal import Modal


class Narrowing(Modal[str]):
    """Ends with the choice; with nothing on Esc. Subclasses draw the list, and say what is chosen.

    No bindings: they are looked up later than keys are typed, and a letter would overtake Enter.
    """

    BINDINGS: ClassVar[list[BindingType]] = []
    CLOSES: ClassVar[tuple[str, ...]] = ("escape",)
    MOVES: ClassVar[Mapping[str, int]] = {"up": -1, "down": 1}

    def __init__(self) -> None:
        super().__init__()
        self._cursor = 0

    def on_key(self, event: events.Key) -> None:
        """Typing narrows the list; Enter chooses, Esc ends it."""
        if event.key in self.CLOSES:
            self.dismiss(None)
        elif event.key == "enter":
            choice = self._choice()
            if choice is not None:
                self.dismiss(choice)
        elif event.key in self.MOVES:
            self._cursor += self.MOVES[event.key]
            self._draw()
        elif self._type(event):
            self._draw()
        else:
            return
        event.stop()

    def on_paste(self, event: events.Paste) -> None:
        """What is pasted counts as typed."""
        event.stop()
        self._take(event.text.strip())
        self._draw()

    def _take(self, text: str) -> None:
        """Takes up what was pasted."""
        raise NotImplementedError

    def _type(self, event: events.Key) -> bool:
        """Takes up what was typed; whether the key is one that changes it."""
        raise NotImplementedError

    def _choice(self) -> str | None:
        """What is under the cursor; None where the list is empty."""
        raise NotImplementedError

    def _draw(self) -> None:
        """Draws what was typed, and what fits it."""
        raise NotImplementedError
