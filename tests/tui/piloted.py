"""The wizard's screens without a terminal, on the demo machine."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.app import App
from textual.pilot import Pilot

from mailcow_wizard.engine.session import Session
from mailcow_wizard.host.files.state import StateDirectory
from mailcow_wizard.model import Settings
from mailcow_wizard.tui.app import WizardApp
from mailcow_wizard.tui.look import Look
from tests.demo_config import DIRECTORY
from tests.demo_machine import DemoMachine

PATIENCE_S = 30.0


@asynccontextmanager
async def piloted(
    state: Path, settings: Settings | None = None, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[tuple[WizardApp, Pilot[int]]]:
    """The wizard when all was looked at, and what presses its keys."""
    session = Session(
        DemoMachine(), settings or Settings(DIRECTORY), StateDirectory(str(state)), recorded=True
    )
    app = WizardApp(session, session.new_facts(), Look(ascii_only=False, colour=False))
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: app._complete and app.board.answered)
        yield app, pilot


async def until(pilot: Pilot[int], so: Callable[[], bool]) -> None:
    """Waits until it is so."""
    end = time.monotonic() + PATIENCE_S
    while not so():
        if time.monotonic() > end:
            pytest.fail(f"it never came to that:\n{shown(pilot.app)}")
        await pilot.pause(0.02)


def shown(app: App[int]) -> str:
    """What the screen on top shows."""
    return "\n".join("".join(one.text for one in strip) for strip in app.screen._compositor.render_strips())
