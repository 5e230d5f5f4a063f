"""A field whose keys do what they do one by one: over a bad line they come in bursts."""

from textual import events
from textual.binding import Binding
from textual.widgets import Input

_EDITS = {key: one.action for one in Input.BINDINGS if isinstance(one, Binding) for key in one.key.split(",")}
_MOVES = {"tab": "focus_next", "shift+tab": "focus_previous"}


class Field(Input):
    """No key of it is a binding: those are looked up later than letters are typed, so that a letter would
    come before the backspace that was typed before it."""

    is_for_text = True
    sent = False
    """Whether Enter was pressed, and what is typed since is for what comes next."""

    def on_paste(self, event: events.Paste) -> None:
        """What is pasted takes a guess's place, or goes on with it."""
        self._go_on_with_guess(event.text.lstrip())

    def _go_on_with_guess(self, text: str) -> None:
        """A dot behind a machine's short name makes it a full one: all else takes its place."""
        selected = abs(self.selection.end - self.selection.start)
        if self.select_on_focus and selected == len(self.value) and text.startswith("."):
            self.cursor_position = len(self.value)

    async def on_key(self, event: events.Key) -> None:
        """Takes the keys that edit, and those that leave it."""
        self._go_on_with_guess(event.character or "")
        if self.sent:
            taken = True
        elif event.key in _EDITS:
            taken = True
            self.sent = event.key == "enter"
            await self.run_action(_EDITS[event.key])
        elif event.key in _MOVES:
            taken = True
            getattr(self.screen, _MOVES[event.key])()
        else:
            taken = event.key == "escape"
            if taken:
                await self.app.run_action("calm")
        if taken:
            event.stop()
            event.prevent_default()

    def on_blur(self) -> None:
        """What is typed here later is for it again."""
        self.sent = False
