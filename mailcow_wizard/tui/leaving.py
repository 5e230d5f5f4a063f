"""Leaving the wizard: what is asked first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailcow_wizard.language import _

if TYPE_CHECKING:
    from mailcow_wizard.tui.wizard import Wizard


def leave(app: Wizard) -> None:
    """Leaves with exit code 0; asks first while something runs."""
    question = _question(app)
    if not question:
        app.exit(0)
        return
    from mailcow_wizard.tui.screens.text import Question

    def answered(yes: bool | None) -> None:
        if yes:
            app.exit(0)

    app.push_screen(Question(app.look, question), answered)


def suspend(app: Wizard) -> None:
    """Stops the wizard until the shell's `fg`. What changes the machine here would stop with it."""
    if app.work and app.work.running:
        app.show_keys(_("A change is under way, and would stand still. Wait for its end."))
    else:
        app.action_suspend_process()


def _question(app: Wizard) -> str:
    """What to ask; empty where nothing runs."""
    if app.work and app.work.running:
        return _("A change is under way, and goes on by itself. Leave the wizard?")
    if app.installing and app.installing.running:
        return _("The install goes on by itself. Leave the wizard?")
    running = app.board.running()
    if not running:
        return ""
    what = _("1 check still runs") if running == 1 else _("{running} checks still run", running=running)
    return _("{what}. Leave the wizard?", what=what)
