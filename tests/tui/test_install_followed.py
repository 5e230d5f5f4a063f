"""An install that was followed: come back to at the end of its log, and what is said of how it ended."""

from pathlib import Path

import pytest
from tui.piloted import piloted, shown, until

from mailcow_wizard.engine.given import Choices
from mailcow_wizard.install import standing
from mailcow_wizard.tui.board import INSTALL
from mailcow_wizard.tui.install_run import InstallRun

BEGUN = standing.fresh("1", "2026-01-01T00:00:00Z", "mail.example.org", {"directory": "/"}, Choices())


@pytest.mark.asyncio
@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_it_is_come_back_to_at_the_end_of_its_log(tmp_path: Path, size: tuple[int, int]) -> None:
    made = InstallRun(BEGUN)
    made.lines.extend(f"line {number} of the log" for number in range(200))
    async with piloted(tmp_path, size=size) as (app, pilot):
        app.installing = made
        app.go_to(INSTALL)
        await pilot.press("i")
        await until(pilot, lambda: "line 199 of the log" in shown(app))
        await pilot.press("home")
        await until(pilot, lambda: "line 0 of the log" in shown(app))
        await pilot.press("escape")
        assert len(app.screen_stack) == 1
        await pilot.press("i")
        await until(pilot, lambda: "line 199 of the log" in shown(app))
