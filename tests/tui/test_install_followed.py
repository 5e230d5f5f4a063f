"""An install that was followed: come back to at the end of its log, and what is said of how it ended."""

from pathlib import Path

import pytest
from tui.piloted import piloted, shown, until

from mailcow_wizard.engine.findings import of_finding
from mailcow_wizard.engine.given import Choices
from mailcow_wizard.engine.runner import join
from mailcow_wizard.engine.selection import select
from mailcow_wizard.install import standing
from mailcow_wizard.model import Acknowledgement, Judgement
from mailcow_wizard.tui import installing
from mailcow_wizard.tui.board import INSTALL
from mailcow_wizard.tui.install_run import InstallRun
from mailcow_wizard.tui.install_words import sentences

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


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("done", "mailcow is installed; i shows what comes next."),
        ("failed", "The install has stopped: the step Install says why, and i goes on with it."),
    ],
)
async def test_how_it_ended_is_said_to_who_left_its_screen(tmp_path: Path, state: str, said: str) -> None:
    made = InstallRun(BEGUN._replace(state=state))
    made.running = False
    async with piloted(tmp_path, size=(120, 40)) as (app, pilot):
        installing._heard(app, made)
        await until(pilot, lambda: said in shown(app))


def test_what_was_accepted_is_not_worth_a_look() -> None:
    (check,) = select(("mail.certificate",))
    finding = join(check, Judgement("fail", "its authority is nobody's"))
    accepted = finding._replace(acknowledged=Acknowledgement("ours", "root", "2026-01-01T00:00:00Z", None))
    done = BEGUN._replace(state="done", findings=(of_finding(finding), of_finding(accepted)))
    assert sentences(done, False, False) == ["mailcow is installed. 1 finding is worth a look."]
    done = BEGUN._replace(state="done", findings=(of_finding(accepted),))
    assert sentences(done, False, False) == ["mailcow is installed."]
