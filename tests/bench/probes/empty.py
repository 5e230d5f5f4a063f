"""The smallest Textual application: one word."""

from textual.app import App, ComposeResult
from textual.widgets import Static


class Empty(App[None]):
    """Shows the word."""

    def compose(self) -> ComposeResult:
        """The word."""
        yield Static("ready")


Empty().run(mouse=False)
