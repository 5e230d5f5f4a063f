"""What comes before the question whether to install: looking, which can be left, and the name."""

import threading
from pathlib import Path

import pytest
from tui.piloted import piloted, shown, until

from mailcow_wizard.engine.given import Choices
from mailcow_wizard.install import outlook, standing
from mailcow_wizard.model import Settings
from mailcow_wizard.tui import returning
from mailcow_wizard.tui.board import INSTALL, Board
from mailcow_wizard.tui.screens.decision import Decision
from tests.demo_config import DIRECTORY

LOOKING = "Looking at what it would do…"


def no_mailcow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of mailcow is on the machine."""
    monkeypatch.setattr(outlook, "present", lambda session, standing: "")


@pytest.mark.asyncio
async def test_a_plan_that_was_left_is_not_asked_about(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on, looked, plan = threading.Event(), threading.Event(), outlook.outlook

    def slow(*given: object) -> tuple[outlook.Outlook, ...]:
        goes_on.wait(60)
        try:
            return plan(*given)  # type: ignore[arg-type]
        finally:
            looked.set()

    no_mailcow(monkeypatch)
    monkeypatch.setattr(outlook, "outlook", slow)
    async with piloted(tmp_path, Settings(DIRECTORY, hostname="mail.example.org")) as (app, pilot):
        app.go_to(INSTALL)
        await pilot.press("i", "i")
        await until(pilot, lambda: LOOKING in shown(app))
        await pilot.press("y")  # nothing is asked yet
        assert LOOKING in shown(app)
        await pilot.press("escape")
        assert len(app.screen_stack) == 1
        goes_on.set()
        await until(pilot, looked.is_set)
        await pilot.pause(0.3)
        assert len(app.screen_stack) == 1
        await pilot.press("i")
        await until(pilot, lambda: "mail.example.org" in shown(app) and LOOKING not in shown(app))
        assert isinstance(app.screen, Decision)
        assert len(app.screen_stack) == 2


@pytest.mark.asyncio
@pytest.mark.parametrize("name", ["vm", "example.org"])
async def test_a_full_name_is_asked_for_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    no_mailcow(monkeypatch)
    async with piloted(tmp_path, Settings(DIRECTORY, hostname=name)) as (app, pilot):
        app.go_to(INSTALL)
        await pilot.press("i")
        await until(pilot, lambda: "First a full name, such as mail.example.org" in shown(app))
        assert len(app.screen_stack) == 1


@pytest.mark.asyncio
async def test_the_step_is_marked_before_it_is_visited(tmp_path: Path) -> None:
    async with piloted(tmp_path, size=(120, 40)) as (app, pilot):
        assert "·  Install" in shown(app)
        begun = standing.fresh("1", "2026-01-01T00:00:00Z", "mail.example.org", {"directory": "/"}, Choices())
        stages = tuple(one._replace(state="done") for one in begun.stages)
        standing.Record(app.session.state).save(begun._replace(state="done", stages=stages))
        app.session.recorded = False
        returning.look(app)
        await until(pilot, lambda: "✓  Install" in shown(app))


@pytest.mark.asyncio
async def test_where_mailcow_is_already_no_stage_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with piloted(tmp_path) as (app, pilot):
        app.go_to(INSTALL)
        await until(pilot, lambda: "waits" in shown(app))
        assert "· Install" in shown(app)
        monkeypatch.setattr(Board, "is_elsewhere", True)
        app.go_to(INSTALL)
        await until(pilot, lambda: "mailcow is here already: nothing is installed over it" in shown(app))
        assert "waits" not in shown(app)
        assert "– Install" in shown(app)
        assert "i says where it is, the step Verify how it is." in shown(app)
