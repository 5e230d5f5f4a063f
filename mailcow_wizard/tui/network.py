"""The network's picture: opened, and looked at again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailcow_wizard.tui.board import Row
from mailcow_wizard.tui.screens.network import NetworkScreen

if TYPE_CHECKING:
    from mailcow_wizard.tui.wizard import Wizard

_TOPIC = "network."


def show(app: Wizard) -> None:
    """Opens it."""
    if any(isinstance(one, NetworkScreen) for one in app.screen_stack):
        return  # the key was pressed twice

    def rows() -> list[Row]:
        return [one for one in app.board.rows("network") if one.check.id.startswith(_TOPIC)]

    def again() -> None:
        app.look_again([one for one in app.board.checks_of("network") if one.id.startswith(_TOPIC)])

    app.push_screen(NetworkScreen(app.look, rows, again))
