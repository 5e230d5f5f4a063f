"""The settings of mailcow.conf: from the form to the plan that saves them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailcow_wizard.engine.obstacles import is_root
from mailcow_wizard.engine.settings import Draft, open_draft, remember
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.install.standing import Record
from mailcow_wizard.language import _, ngettext
from mailcow_wizard.model import Plan
from mailcow_wizard.tui import mending
from mailcow_wizard.tui.background import in_background, is_at_rest
from mailcow_wizard.tui.screens.settings import SettingsScreen

if TYPE_CHECKING:
    from mailcow_wizard.tui.wizard import Wizard


def show(app: Wizard) -> None:
    """Opens the form; what was changed in it before and not saved is still there."""

    def read() -> None:
        try:
            draft = open_draft(app.session)
        except HostError as error:
            why = str(error).replace(f"{app.session.settings.directory}/", "")
            app.call_later(app.show_keys, _("No settings to change: {why}", why=why))
            return
        for key, value in app.unsaved.items():
            draft.put(key, value)
        app.call_later(_open, app, draft)

    in_background(app, "settings", read)


def _open(app: Wizard, draft: Draft) -> None:
    def closed(_result: None) -> None:
        app.unsaved = draft.unsaved()
        if app.unsaved and not (app.work and app.work.running):
            app.show_keys(_("Your changes of mailcow.conf are kept, but not saved; s goes on with them."))

    if not is_at_rest(app) or any(isinstance(one, SettingsScreen) for one in app.screen_stack):
        return  # the key was pressed twice, or another since
    screen = SettingsScreen(app.look, draft, lambda: _save(app, draft, screen))
    app.push_screen(screen, closed)


def _save(app: Wizard, draft: Draft, screen: SettingsScreen) -> None:
    """Plans beside the screen: the machine is asked once more, and may take its time."""
    if draft.for_install:
        _remember(app, draft, screen)
        return
    screen.say(_("Looking at what it would do…"))

    def plan() -> None:
        try:
            planned = draft.plan()
        except HostError as error:
            app.call_later(screen.say, _("This cannot be saved: {error}", error=error))
        else:
            app.call_later(ask, planned)

    def ask(planned: Plan) -> None:
        if screen.is_current:
            screen.say("")
            mending.ask(app, planned, draft.by_hand(), screen.dismiss, lambda: app.unsaved.clear())

    in_background(app, "plan", plan, screen.say)


def _remember(app: Wizard, draft: Draft, screen: SettingsScreen) -> None:
    """There is no file yet: an install makes it of what is chosen here."""
    if not app.session.recorded and Record(app.session.state).alive():
        screen.say(_("An install is under way: it makes mailcow.conf of what was chosen before."))
        return
    try:
        number = remember(app.session, draft)
    except HostError as error:
        screen.say(_("This cannot be saved: {error}", error=error))
        return
    screen.dismiss()
    # There is no configuration yet that the checks of its step could judge.
    app.look_again([one for one in app.board.checks() if one.step != "config"])
    said = ngettext("{n} setting is kept for the install.", "{n} settings are kept for the install.", number)
    if not is_root(app.session):
        said = _(
            "Kept for this user. Root, who installs, takes them from a file of answers (w in the Summary)."
        )
    app.show_keys(said)
