"""Starts the wizard: questions that travel first, then the import that takes long, then the screen."""

import sys
import threading

from mailcow_wizard.engine.session import Session
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host import terminal
from mailcow_wizard.host.door import HostError

DEFECT = 70


def start(session: Session, ascii_only: bool, colour: bool, mouse: bool) -> int:
    """Runs the wizard until it is left; returns the exit code."""
    _import_asyncio()
    facts = session.new_facts()
    if not session.settings.offline:
        threading.Thread(target=_ask_ahead, args=(facts,), daemon=True, name="ask ahead").start()
    terminal.prepare(slow_line=terminal.over_ssh())

    from mailcow_wizard.tui.app import Wizard
    from mailcow_wizard.tui.look import Look

    app = Wizard(session, facts, Look(ascii_only, colour))
    code = app.run(mouse=mouse)
    if app.leaving is not None:
        return app.leaving
    if app.return_code:
        print(
            "mailcow-wizard: this was a mistake of the wizard. What it changed: mailcow-wizard undo --list",
            file=sys.stderr,
        )
        return DEFECT
    return code or 0


def _import_asyncio() -> None:
    """Without TLS, as where Python was built without it: ssl takes 6 ms and 2 MiB, and no screen needs it."""
    if "ssl" in sys.modules:
        return
    sys.modules["ssl"] = None  # type: ignore[assignment]
    try:
        import asyncio  # noqa: F401
    finally:
        del sys.modules["ssl"]


def _ask_ahead(facts: Facts) -> None:
    """Asks what must cross the network, so that the answers wait when the screen is there."""
    from mailcow_wizard.facts import time

    try:
        facts.get(time.offset)
    except HostError:
        return
