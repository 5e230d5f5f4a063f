"""The settings of mailcow.conf: opens the form."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mailcow_wizard.tui.app import Wizard


def show(app: Wizard) -> None:
    """Opens the form."""
    app.show_keys("The form for mailcow.conf is not part of this version yet.")
