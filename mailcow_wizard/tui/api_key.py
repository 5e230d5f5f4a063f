"""A lasting key of mailcow's API: who may use it is asked for, then it is made, tried, and shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from mailcow_wizard.engine import api_key as engine
from mailcow_wizard.host.errors import HostError, NotRecorded
from mailcow_wizard.language import _
from mailcow_wizard.names import api_addresses
from mailcow_wizard.tui import mending
from mailcow_wizard.tui.background import waited_for, when_at_rest
from mailcow_wizard.tui.screens.naming import Asked, Naming
from mailcow_wizard.tui.screens.new_password import NewKey

if TYPE_CHECKING:
    from mailcow_wizard.model import Plan
    from mailcow_wizard.tui.wizard import Wizard

_Found = TypeVar("_Found")

_ASKED = Asked(_("Who may use the key"), _("addresses or networks, with commas between them"), _("plan"))


def show(app: Wizard) -> None:
    """`K`: asks who may use it, then shows what would be done."""

    def asked(alone: str) -> None:
        def read(text: str) -> tuple[str, ...]:
            found = api_addresses(text)
            if found == alone:
                words = _("this machine alone, as mailcow sees it; add others with commas")
            else:
                words = found
            return found, words

        def typed(said: tuple[str, ...] | None) -> None:
            if said:
                _in_background(
                    app,
                    lambda: engine.planned(app.session, said[0]),
                    lambda found: _open(app, said[0], found),
                )

        app.push_screen(Naming(app.look, _ASKED, read, alone), typed)

    _in_background(app, lambda: engine.this_machine(app.session), asked)


def _in_background(app: Wizard, ask: Callable[[], _Found], then: Callable[[_Found], None]) -> None:
    """Asks mailcow for something that may take a while."""

    def look() -> Callable[[], object]:
        try:
            found = ask()
        except NotRecorded:
            return lambda: app.show_keys(_("A recorded machine cannot make a key."))
        except HostError as error:
            said = app.look.text(_("This cannot be made: {error}.", error=str(error)))
            return lambda: app.show_keys(said)
        return lambda: then(found)

    waited_for(app, _("A key of mailcow's API"), _("Looking at what mailcow has of it…"), look)


def _open(app: Wizard, allowed: str, plan: Plan) -> None:
    def made() -> None:
        file = app.session.settings.within("mailcow.conf")
        name = engine.server(app.session)
        example = f"curl -H 'X-API-Key: …' https://{name}/api/v1/get/domain/all"
        screen = NewKey(app.look, engine.made(plan), file, example)
        when_at_rest(app, lambda: app.push_screen(screen))

    mending.ask(app, plan, f"verify --api-key {allowed}", lambda: None, made)
