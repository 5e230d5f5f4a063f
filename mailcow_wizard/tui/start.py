"""Starts the wizard: the checks beside, the first screen, then the import that takes long, then the rest."""

from __future__ import annotations

import sys

from mailcow_wizard.engine import limits
from mailcow_wizard.engine.defect import described
from mailcow_wizard.engine.session import Session
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.terminal import abilities as terminal
from mailcow_wizard.host.terminal import streams
from mailcow_wizard.language import _
from mailcow_wizard.tui import lean
from mailcow_wizard.tui.looking import Looking
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from mailcow_wizard.tui.first_paint import Painted
    from mailcow_wizard.tui.look import Look

DEFECT = 70
IMPOSSIBLE = 64
"""As on a terminal that cannot show it."""


def start(session: Session, ascii_only: bool, colour: bool, mouse: bool) -> int:
    """Runs the wizard until it is left; returns the exit code."""
    facts = session.new_facts()
    looking = Looking(session, facts)
    try:
        return _show(session, facts, looking, ascii_only, colour, mouse)
    finally:
        looking.end()


def _show(
    session: Session, facts: Facts, looking: Looking, ascii_only: bool, colour: bool, mouse: bool
) -> int:
    from mailcow_wizard.tui import first_paint
    from mailcow_wizard.tui.look import Look

    terminal.prepare(slow_line=terminal.over_ssh())
    look = Look(ascii_only, colour)
    painted = first_paint.paint(session, facts, look, terminal.drawing())
    try:
        return _draw(session, facts, looking, look, painted, mouse)
    finally:
        if painted:
            painted.terminal.close()


def _draw(
    session: Session, facts: Facts, looking: Looking, look: Look, painted: Painted | None, mouse: bool
) -> int:
    lean.import_asyncio()
    lean.import_textual()

    from mailcow_wizard.tui.app import WizardApp
    from mailcow_wizard.tui.display.driver import driver_for

    driver = driver_for(terminal.drawing(), painted)
    if driver is None and painted:
        painted.terminal.close()
    app = WizardApp(session, facts, look, looking, driver)
    try:
        code = app.run(mouse=mouse)
    except RuntimeError as error:
        # Where there is no thread at all, putting the driver away fails as well, with other words.
        if not limits.lacks_threads(app._exception or error):
            raise
        return _too_few(painted)
    if app.leaving is not None:
        return app.leaving
    if app.return_code:
        if app._exception is not None and limits.lacks_threads(app._exception):
            return _too_few(painted)
        if app._exception is not None:
            streams.say(described(app._exception))
        print(
            _("mailcow-wizard: this was a mistake of the wizard. What it changed: ./wizard undo --list"),
            file=sys.stderr,
        )
        return DEFECT
    return code or 0


def _too_few(painted: Painted | None) -> int:
    """Says that there are too few threads for the screens, on the terminal as it was before."""
    if painted:
        painted.terminal.close()
    said = _("{limit}, and the screens need some", limit=limits.NO_MORE)
    streams.say(f"{said}\n{_('Run this instead: {line}', line=terminal.instead())}")
    return IMPOSSIBLE
