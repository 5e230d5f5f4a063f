"""At the start: what the last sitting, or a kill, left half made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailcow_wizard.tui.background import when_at_rest

if TYPE_CHECKING:
    from mailcow_wizard.tui.wizard import Wizard


def look(app: Wizard) -> None:
    """Looks, in a thread; what there is to ask or to tell is done in the app's own."""
    from mailcow_wizard.engine.leftover import left_over
    from mailcow_wizard.install import leftover

    unfinished = leftover.left_over(app.session)
    if unfinished:
        from mailcow_wizard.tui import installing

        app.call_later(when_at_rest, app, lambda: installing.greet(app))
    elif app.session.state.has("install") and not app.session.recorded:
        from mailcow_wizard.tui import installing

        app.call_later(installing.mark, app)
    # A change that the install itself makes is its own concern: it goes on with it.
    if not (unfinished and leftover.changes(app.session)) and left_over(app.session):
        from mailcow_wizard.engine import way_back
        from mailcow_wizard.tui import mending

        said = way_back.take_back(app.session)
        if said:
            app.call_later(app.show_keys, said[0])
        else:
            app.call_later(when_at_rest, app, lambda: mending.greet(app))
