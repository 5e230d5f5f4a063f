"""The wizard as the screens besides its list have it: what it knows, and what they may ask of it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.driver import Driver

from mailcow_wizard.engine.session import Session
from mailcow_wizard.model import Listed
from mailcow_wizard.tui.board import WELCOME, Row, new_board
from mailcow_wizard.tui.drawn import Drawn
from mailcow_wizard.tui.look import Look

if TYPE_CHECKING:
    from mailcow_wizard.tui.book import Book
    from mailcow_wizard.tui.install_run import InstallRun
    from mailcow_wizard.tui.work import Work


class Wizard(Drawn):
    """State, and an interface: `app.WizardApp` draws it."""

    def __init__(self, session: Session, look: Look, driver: type[Driver] | None) -> None:
        super().__init__(driver)
        self.session = session
        self.look = look
        self.board = new_board(session.settings.offline)
        self.current = WELCOME.id
        """The step in view."""
        self.events_log: list[str] = []
        self.work: Work | None = None
        """The change that is under way, or the last one."""
        self.installing: InstallRun | None = None
        self.unsaved: dict[str, str] = {}
        """Settings of mailcow.conf that were typed, and not written."""
        self.book: Book | None = None

    def row(self) -> Row | None:
        """The row under the cursor, where there is a list of checks."""
        raise NotImplementedError

    def show_step(self, step: str) -> None:
        """Fills the screen with a step; the cursor is where it was, or on what needs attention."""
        raise NotImplementedError

    def show_keys(self, notice: str = "") -> None:
        """Draws the line of keys, or a notice in its place."""
        raise NotImplementedError

    def look_again(self, some: Sequence[Listed]) -> None:
        """Runs checks once more, beside the screen."""
        raise NotImplementedError
