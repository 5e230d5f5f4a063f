"""Where the cursor of a step is: on what needs attention first, and then where a person left it."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from tui.piloted import piloted, shown, until

from mailcow_wizard.model import Event, Finding, Status
from mailcow_wizard.tui.app import WizardApp
from mailcow_wizard.tui.board import most_urgent

STEP = "kernel"


def _told(app: WizardApp, check: str, *found: tuple[str, Status]) -> Event:
    """That a check finished, with a finding for each subject."""
    listed = next(one for one in app.board.checks() if one.id == check)
    findings = [
        Finding(
            id=check,
            subject=subject,
            step=listed.step,
            title=listed.title,
            status=status,
            severity=listed.severity,
            certainty="certain",
            summary=f"{subject} is {status}",
            needed="",
            found="",
            why="",
            doc="",
        )
        for subject, status in found
    ]
    return Event("finished", check, tuple(findings))


def _checks(app: WizardApp) -> list[str]:
    return [one.id for one in app.board.checks_of(STEP)]


def _all(app: WizardApp, status: Status = "pass") -> Sequence[Event]:
    return [_told(app, check, ("one", status)) for check in _checks(app)]


def _here(app: WizardApp) -> tuple[str, str]:
    row = app.row()
    assert row is not None
    return row.check.id, (row.finding.subject or "") if row.finding else ""


def _hear(app: WizardApp, *events: Event) -> None:
    app._take(events, app.board.ask(()))
    app._draw_heard()


@pytest.mark.asyncio
async def test_a_step_opens_on_its_most_urgent_row(tmp_path: Path) -> None:
    async with piloted(tmp_path) as (app, pilot):
        second, third, fourth = _checks(app)[1:4]
        _hear(app, *_all(app), _told(app, second, ("one", "warn")), _told(app, fourth, ("one", "fail")))
        _hear(app, _told(app, third, ("one", "unknown")))
        app.go_to(STEP)
        await pilot.pause()
        assert _here(app) == (fourth, "one")
        await until(pilot, lambda: "one is fail" in shown(app))


@pytest.mark.asyncio
@pytest.mark.parametrize("status", ["pass", "skipped"])
async def test_where_nothing_needs_attention_it_opens_on_the_first(tmp_path: Path, status: Status) -> None:
    async with piloted(tmp_path) as (app, pilot):
        _hear(app, *_all(app, status))
        app.go_to(STEP)
        await pilot.pause()
        assert _here(app)[0] == _checks(app)[0]
        assert most_urgent(app.board.rows(STEP)) is None


@pytest.mark.asyncio
async def test_what_needs_attention_and_comes_late_is_gone_to_once(tmp_path: Path) -> None:
    async with piloted(tmp_path) as (app, pilot):
        second, third = _checks(app)[1:3]
        _hear(app, *_all(app))
        app.go_to(STEP)
        await pilot.pause()
        _hear(app, _told(app, third, ("one", "warn")))
        assert _here(app)[0] == third
        _hear(app, _told(app, second, ("one", "fail")))
        assert _here(app)[0] == third, "a cursor that found something stays: somebody may be reading"


@pytest.mark.asyncio
async def test_a_cursor_that_a_person_moved_is_left_alone(tmp_path: Path) -> None:
    async with piloted(tmp_path) as (app, pilot):
        _hear(app, *_all(app))
        app.go_to(STEP)
        await pilot.press("down")
        second, third = _checks(app)[1:3]
        _hear(app, _told(app, third, ("one", "fail")))
        assert _here(app)[0] == second
        app.go_to("system")
        app.go_to(STEP)
        assert _here(app)[0] == second


@pytest.mark.asyncio
async def test_it_stays_on_its_row_where_others_come_above_and_its_own_runs_again(tmp_path: Path) -> None:
    async with piloted(tmp_path) as (app, pilot):
        first, second = _checks(app)[:2]
        _hear(app, *_all(app), _told(app, second, ("one", "pass"), ("two", "fail")))
        app.go_to(STEP)
        await pilot.pause()
        assert _here(app) == (second, "two")
        _hear(app, _told(app, first, ("one", "pass"), ("two", "pass"), ("three", "pass")))
        assert _here(app) == (second, "two")
        _hear(app, Event("started", second))
        assert _here(app) == (second, "")
        _hear(app, _told(app, second, ("one", "pass"), ("two", "pass")))
        assert _here(app) == (second, "two")
        _hear(app, _told(app, second, ("one", "pass")))
        assert _here(app) == (second, "one")


@pytest.mark.asyncio
async def test_in_the_summary_what_runs_again_stays_and_what_is_done_with_leaves_it_to_the_next(
    tmp_path: Path,
) -> None:
    async with piloted(tmp_path) as (app, pilot):
        app.go_to("summary")
        await pilot.press("home", "down", "down")
        before = app.board.rows("summary")
        here = _here(app)
        assert here == (before[2].check.id, "")
        _hear(app, Event("started", here[0]))
        assert (app._list.cursor, _here(app)) == (2, here)
        _hear(app, Event("finished", here[0], (before[2].finding,) if before[2].finding else ()))
        await pilot.press("a", *"known", "enter")
        await until(pilot, lambda: app.board.counts()["noted"] == 1)
        assert app._list.cursor == 2
        assert _here(app)[0] == before[3].check.id
        assert app.board.rows("summary")[-1].check.id == here[0]
