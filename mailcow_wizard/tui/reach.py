"""What the keys of the proof from outside do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailcow_wizard.host.terminal import streams
from mailcow_wizard.language import _
from mailcow_wizard.tui.reach_proof import ShownProof
from mailcow_wizard.tui.screens.naming import Asked, Naming
from mailcow_wizard.tui.screens.reach import PUT_ADDRESS, ReachScreen
from mailcow_wizard.tui.screens.text import Question

if TYPE_CHECKING:
    from mailcow_wizard.tui.wizard import Wizard

CHECK = "firewall.inbound"
_REPORT = Asked(
    _("What it shows:"),
    _("paste the line with --result, or type the part between the quotes"),
    _("take it"),
)


def show(app: Wizard) -> None:
    """Opens the screen, and listens while it is open."""
    if app.session.recorded:
        app.show_keys(_("A recorded machine cannot be reached: this proof is for the server itself."))
        return
    if app.session.settings.offline:
        app.show_keys(_("This proof needs the network, and the wizard was started with --offline."))
        return
    if any(isinstance(one, ReachScreen) for one in app.screen_stack):
        return  # the key was pressed twice
    shown = ShownProof(app.session, lambda: app.call_later(_draw, app))

    def closed(_result: None) -> None:
        shown.end()
        app.look_again(tuple(one for one in app.board.checks_of("network") if one.id == CHECK))

    app.push_screen(ReachScreen(app.look, shown, lambda what, line: _do(app, shown, what, line)), closed)
    shown.begin()


def _draw(app: Wizard) -> None:
    for one in app.screen_stack:
        if isinstance(one, ReachScreen):
            one.draw()


def _do(app: Wizard, shown: ShownProof, what: str, line: str) -> None:
    """What a key asks for."""
    if what == "copy":
        app.copy_to_clipboard(line)
    elif what == "whole":
        with app.suspend():
            streams.show_until_closed(line if shown.address_known else f"{PUT_ADDRESS}\n\n{line}")
    elif what == "typed":
        _type(app, shown)
    elif what == "leave":
        _leave(app, shown)


def _type(app: Wizard, shown: ShownProof) -> None:
    def typed(kept: tuple[str, ...] | None) -> None:
        if kept:
            shown.hear(kept[0])

    app.push_screen(Naming(app.look, _REPORT, shown.read), typed)


def _leave(app: Wizard, shown: ShownProof) -> None:
    """Asks first while somebody may still be about to knock."""

    def answered(yes: bool | None) -> None:
        if yes:
            _close(app)

    if shown.listening and not shown.all_arrived:
        app.push_screen(Question(app.look, _("Stop listening? What has arrived is kept.")), answered)
    else:
        _close(app)


def _close(app: Wizard) -> None:
    for one in app.screen_stack[::-1]:
        if isinstance(one, ReachScreen) and one.is_current:
            one.dismiss(None)
