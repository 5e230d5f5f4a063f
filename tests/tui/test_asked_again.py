"""Checks that run again while older answers are on their way, and what is open over the list meanwhile."""

from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from textual.pilot import Pilot
from tui.piloted import piloted, shown, until

from mailcow_wizard.engine.mending import Outcome
from mailcow_wizard.model import Event, Finding, Status
from mailcow_wizard.tui import app as tui
from mailcow_wizard.tui import mending
from mailcow_wizard.tui.app import WizardApp
from mailcow_wizard.tui.board import new_board
from mailcow_wizard.tui.looking import know
from mailcow_wizard.tui.work import Work

CHECK = "network.outbound-25"


class Runs:
    """In the place of runs: what each was asked for, and how it tells what it found."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[Sequence[str]] = []
        self._tells: list[Callable[[Event], None]] = []
        monkeypatch.setattr(tui, "again", self._again)

    def _again(
        self, _session: Any, checks: Sequence[str], _facts: Any, tell: Callable[[Event], None]
    ) -> None:
        self.asked.append(tuple(checks))
        self._tells.append(tell)
        for one in checks:
            tell(Event("started", one))

    def answers(self, run: int, findings: tuple[Finding, ...]) -> None:
        """A run ends, with these findings of one check."""
        self._tells[run](Event("finished", findings[0].id, findings))


async def at_the_row(app: WizardApp, pilot: Pilot[int]) -> None:
    """Puts the cursor on the check."""
    app.action_go("network", CHECK)
    await pilot.pause()


def found(app: WizardApp, status: Status) -> tuple[Finding, ...]:
    """What the check found before, as if it had come out so."""
    of_check = (one for one in app.board.findings() if one.id == CHECK)
    return tuple(one._replace(status=status) if one.status == "fail" else one for one in of_check)


def statuses(app: WizardApp) -> set[str]:
    """How the check's rows are marked."""
    return {row.status for row in app.board.rows("network") if row.check.id == CHECK}


@pytest.mark.asyncio
async def test_an_older_answer_that_comes_late_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with piloted(tmp_path) as (app, pilot):
        runs = Runs(monkeypatch)
        before, after = found(app, "fail"), found(app, "pass")
        some = [one for one in app.board.checks_of("network") if one.id == CHECK]
        app.look_again(some)
        app.look_again(some)
        await until(pilot, lambda: statuses(app) == {"running"})
        runs.answers(1, after)
        await until(pilot, lambda: statuses(app) == {"pass", "skipped"})
        runs.answers(0, before)
        await pilot.pause(0.2)
        assert statuses(app) == {"pass", "skipped"}


@pytest.mark.asyncio
async def test_a_check_that_runs_is_not_asked_again_by_a_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with piloted(tmp_path) as (app, pilot):
        runs = Runs(monkeypatch)
        await at_the_row(app, pilot)
        await pilot.press("r", "r", "r")
        await pilot.pause()
        assert runs.asked == [(CHECK,)]
        await pilot.press("R", "R")
        await pilot.pause()
        assert len(runs.asked) == 2
        assert CHECK not in runs.asked[1]
        assert len(runs.asked[1]) == len(app.board.checks_of("network")) - 1


@pytest.mark.asyncio
async def test_nor_by_a_key_that_comes_before_its_row_is_drawn_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with piloted(tmp_path) as (app, pilot):
        runs = Runs(monkeypatch)
        await at_the_row(app, pilot)
        app.action_again()
        app.action_again()
        assert runs.asked == [(CHECK,)]


@pytest.mark.asyncio
async def test_what_gets_out_shows_what_was_found_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with piloted(tmp_path) as (app, pilot):
        runs = Runs(monkeypatch)
        await at_the_row(app, pilot)
        await pilot.press("o")
        await until(pilot, lambda: "3 of 34 ways end too early" in shown(app))
        rest = {row.check.id: row for row in app.board.rows("network")}
        others = {
            name: tuple(one for one in app.board.findings() if one.id == name)
            for name in rest
            if name.startswith("network.") and name != CHECK
        }
        better = found(app, "pass")
        await pilot.press("r")
        await until(pilot, lambda: "looking" in shown(app))
        for one in (*others.values(), better):
            runs.answers(0, one)
        await until(pilot, lambda: "2 of 34 ways end too early" in shown(app))


@pytest.mark.parametrize("changed", [False, True], ids=["the same name", "another name"])
async def test_another_name_on_the_first_screen_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: bool
) -> None:
    """What was found for the name that was guessed says nothing of the one that is typed."""
    async with piloted(tmp_path) as (app, pilot):
        runs = Runs(monkeypatch)
        app.go_to("welcome")
        await pilot.press("tab", "tab", "end")
        await pilot.press(*("x" if changed else ()), "enter")
        await until(pilot, lambda: app.current != "welcome")
        assert app.session.settings.domains == ("example.orgx" if changed else "example.org",)
        assert [{one.partition(".")[0] for one in run} for run in runs.asked] == (
            [{"network", "firewall", "dns", "reputation", "config", "mail"}] if changed else []
        )
        run_again = {row.check.step for row in app.board.rows("summary") if row.status == "running"}
        assert run_again == ({"network", "dns", "config", "verify"} if changed else set())


async def test_the_first_run_ends_while_a_check_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was begun before what made them look again: what is on its way is not asked once more for it."""
    async with piloted(tmp_path) as (app, pilot):
        runs = Runs(monkeypatch)
        app.look_again([one for one in app.board.checks_of("network") if one.id == CHECK])
        app._look_at_rest()
        await pilot.pause()
        assert runs.asked == [(CHECK,)]


def test_checks_that_the_board_knows_are_added_once() -> None:
    board = new_board()
    know(board)
    every = board.checks()
    board.add(every)
    assert (board.checks(), len(board.checks_of("dns"))) == (every, len(set(board.checks_of("dns"))))
    assert board.left() == every
    board.ask(every[:2])
    assert board.left() == every[2:]


@pytest.mark.parametrize(("path", "all_of_them"), [("/opt/m/mailcow.conf", True), ("/etc/fstab", False)])
async def test_after_a_change_of_mailcow_conf_all_that_reads_it_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, all_of_them: bool
) -> None:
    async with piloted(tmp_path) as (app, pilot):
        runs = Runs(monkeypatch)
        change = SimpleNamespace(
            steps=[{"kind": "command", "argv": ["true"]}, {"kind": "edit", "path": path}]
        )
        monkeypatch.setattr(mending.Journal, "get", lambda _journal, _id: change)
        done = Outcome("1", "applied", None, "")
        mending.begin(app, Work("Change it", "config.values", 1, lambda _listen: done))
        await until(pilot, lambda: bool(runs.asked))
        asked = set(runs.asked[0])
        assert {"config.values", "ports.smtp"} <= asked
        assert ({"system.memory", "dns.a", "network.ipv6"} <= asked) == all_of_them
