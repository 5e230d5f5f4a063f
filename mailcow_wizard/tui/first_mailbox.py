"""The first mailbox: asked for in the step Verify, made through mailcow's API, tried; its password shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from mailcow_wizard.engine import first_mailbox as engine
from mailcow_wizard.host.errors import HostError, NotRecorded
from mailcow_wizard.language import _
from mailcow_wizard.names import mailbox
from mailcow_wizard.tui import api_key, mending
from mailcow_wizard.tui.background import waited_for, when_at_rest
from mailcow_wizard.tui.screens.naming import Asked, Naming
from mailcow_wizard.tui.screens.new_password import NewPassword

if TYPE_CHECKING:
    from mailcow_wizard.model import Plan
    from mailcow_wizard.tui.wizard import Wizard

_ASKED = Asked(_("First mailbox"), _("its whole address, such as me@example.org"), _("plan"))


def show(app: Wizard) -> None:
    """`+`: asks for the address, then shows what would be done."""

    def typed(said: tuple[str, ...] | None) -> None:
        if said:
            _look(app, said[0])

    app.push_screen(Naming(app.look, _ASKED, lambda text: (mailbox(text),)), typed)


def _look(app: Wizard, address: str) -> None:
    def look() -> Callable[[], object]:
        try:
            found: Plan | str = engine.planned(app.session, address)
        except NotRecorded:
            found = _("A recorded machine cannot make a mailbox.")
        except HostError as error:
            found = _("This cannot be made: {error}.", error=str(error))
        return lambda: _open(app, address, found)

    waited_for(app, _ASKED.label, _("Looking at what mailcow has of it…"), look)


def _open(app: Wizard, address: str, found: Plan | str) -> None:
    if isinstance(found, str):
        app.show_keys(app.look.text(found))
        return
    wanted: list[bool] = []

    def closed(_unused: None) -> None:
        if wanted:
            api_key.show(app)

    def made() -> None:
        record = engine.made(app.session, address)
        if record:
            app.events_log.append(_("To publish: {record}", record=record))
        screen = NewPassword(app.look, address, engine.password_file(app.session))
        when_at_rest(app, lambda: app.push_screen(screen, closed))

    mending.ask(
        app,
        found,
        f"verify --first-mailbox {address}",
        lambda: None,
        made,
        lambda: engine.tried(app.session, address),
        mending.Also(
            "k",
            _("Yes, and a key"),
            _(
                "Does a program of yours manage mailcow, such as a panel or a script? With k a lasting key "
                "of mailcow's API comes next, shown before it is made. Most servers need none."
            ),
            lambda: wanted.append(True),
        ),
    )
