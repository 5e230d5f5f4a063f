"""Keys that follow each other at once do what they do one by one; what is said stays while more is heard."""

from pathlib import Path

import pytest
from textual import events
from tui.piloted import piloted, shown, until

from mailcow_wizard.model import Event
from mailcow_wizard.tui.app import Wizard
from mailcow_wizard.tui.screens.palette import Palette

SAID = "Something was said of this."


def _type_at_once(app: Wizard, *keys: str) -> None:
    for key in keys:
        app.post_message(events.Key(key, key if len(key) == 1 else None))


@pytest.mark.asyncio
async def test_a_letter_does_not_overtake_enter_in_the_palette(tmp_path: Path) -> None:
    async with piloted(tmp_path) as (app, pilot):
        app.go_to("system")
        await pilot.press("ctrl+p")
        await until(pilot, lambda: isinstance(app.screen, Palette))
        _type_at_once(app, *"go to kern", "enter", "z", "z")
        await until(pilot, lambda: app.current == "kernel")
        assert len(app.screen_stack) == 1


@pytest.mark.asyncio
async def test_what_is_said_stays_while_more_is_heard(tmp_path: Path) -> None:
    async with piloted(tmp_path) as (app, pilot):
        for step in ("welcome", "kernel"):
            app.go_to(step)
            await pilot.pause()
            app.show_keys(SAID)
            app._take([Event("started", "system.memory")])
            app._draw_heard()
            await pilot.pause()
            assert SAID in shown(app), step
        app.action_again()
        await until(pilot, lambda: SAID not in shown(app))
        app.show_keys(SAID)
        await until(pilot, lambda: SAID in shown(app))
        await pilot.press("down")
        await until(pilot, lambda: SAID not in shown(app))
