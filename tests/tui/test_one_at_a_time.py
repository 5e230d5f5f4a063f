"""One change at a time, and no question in the middle of something else."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from tui.piloted import piloted, shown, until

from mailcow_wizard.engine import api_key, first_mailbox, leftover, mending, way_back
from mailcow_wizard.model import Command, Plan
from mailcow_wizard.tui import mending as screens
from mailcow_wizard.tui import returning
from mailcow_wizard.tui.app import WizardApp
from mailcow_wizard.tui.screens.decision import Decision
from mailcow_wizard.tui.screens.working import Working
from mailcow_wizard.tui.work import Work

DONE = mending.Outcome("1", "applied", None, "")
PLAN = Plan("config.values", None, "x", "Do it", (Command(("true",)),), "low", True, True, "It is done.")


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """What holds something up until it is set; at the end it is."""
    made = threading.Event()
    yield made
    made.set()


def slow(gate: threading.Event, back: bool = False) -> Work:
    """Work that goes on until the gate is open."""

    def do(_listen: Any) -> mending.Outcome:
        gate.wait(60)
        return DONE

    return Work("The first change", "config.present", 2, do, back)


async def opened(app: WizardApp, pilot: Pilot[int], work: Work) -> None:
    """Begins work, and waits for its log."""
    screens.begin(app, work)
    await until(pilot, lambda: isinstance(app.screen, Working) and "Esc back, it goes on" in shown(app))


async def left(app: WizardApp, pilot: Pilot[int]) -> None:
    """Back to the list."""
    await pilot.press("escape")
    await until(pilot, lambda: len(app.screen_stack) == 1)
    await pilot.pause()


async def test_a_second_change_cannot_begin_beside_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gate: threading.Event
) -> None:
    monkeypatch.setattr(screens.obstacles, "obstacle_of", lambda *_: "")
    async with piloted(tmp_path) as (app, pilot):
        first = slow(gate)
        await opened(app, pilot, first)
        await left(app, pilot)
        screens.ask(app, PLAN, "fix config.values x", lambda: None, lambda: None)
        await until(pilot, lambda: isinstance(app.screen, Decision) and "Esc back" in shown(app))
        assert "A change is under way here" in shown(app)
        assert "Do this?" not in shown(app)
        assert "./wizard" not in shown(app)
        await pilot.press("y")
        await left(app, pilot)
        await opened(app, pilot, slow(gate))
        assert app.work is first
        await left(app, pilot)
        await pilot.press("q")
        await until(pilot, lambda: "Leave the wizard?" in shown(app))
        await pilot.press("n")
        gate.set()
        await until(pilot, lambda: not first.running)


async def test_quitting_while_a_change_is_shown_asks(tmp_path: Path, gate: threading.Event) -> None:
    async with piloted(tmp_path) as (app, pilot):
        work = slow(gate)
        await opened(app, pilot, work)
        for no in ("n", "escape"):
            await pilot.press("q")
            await until(pilot, lambda: "Leave the wizard?" in shown(app))
            await pilot.press(no)
            await until(pilot, lambda: isinstance(app.screen, Working) and "Esc back" in shown(app))
        gate.set()
        await until(pilot, lambda: not work.running)
        await pilot.press("q")
        await until(pilot, lambda: len(app.screen_stack) == 1)


async def test_what_was_asked_to_stop_says_so_when_it_is_shown_again(
    tmp_path: Path, gate: threading.Event
) -> None:
    async with piloted(tmp_path) as (app, pilot):
        await opened(app, pilot, slow(gate))
        await pilot.press("s")
        await until(pilot, lambda: "Stops after this step" in shown(app))
        await left(app, pilot)
        await pilot.press("f")
        await until(pilot, lambda: "Stops after this step" in shown(app))


async def test_taking_back_does_not_say_that_it_stops(tmp_path: Path, gate: threading.Event) -> None:
    async with piloted(tmp_path) as (app, pilot):
        await opened(app, pilot, slow(gate, back=True))
        await pilot.press("s")
        await pilot.pause(0.2)
        assert "Stops after this step" not in shown(app)


@pytest.mark.parametrize("asked", ["mailbox", "key"])
async def test_what_was_left_asks_nothing_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gate: threading.Event, asked: str
) -> None:
    def late(*_unused: Any) -> Any:
        gate.wait(60)
        return PLAN if asked == "mailbox" else "127.0.0.1"

    monkeypatch.setattr(first_mailbox, "planned", late)
    monkeypatch.setattr(api_key, "this_machine", late)
    async with piloted(tmp_path) as (app, pilot):
        app.go_to("verify")
        await pilot.pause()
        await pilot.press(*("+me@example.org" if asked == "mailbox" else "K"))
        if asked == "mailbox":
            await pilot.press("enter")
        await until(pilot, lambda: "Looking at what mailcow has of it" in shown(app))
        await left(app, pilot)
        await pilot.press("n")
        await until(pilot, lambda: app.current == "summary")
        await pilot.press("a")
        await until(pilot, lambda: "Why is it accepted?" in shown(app))
        gate.set()
        await pilot.press(*"yes")
        await pilot.pause(0.5)
        assert "Why is it accepted?  yes" in shown(app)


async def test_what_opens_by_itself_waits_for_what_is_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    greeted: list[WizardApp] = []
    monkeypatch.setattr(leftover, "left_over", lambda _session: True)
    monkeypatch.setattr(way_back, "take_back", lambda _session: [])
    monkeypatch.setattr(screens, "greet", greeted.append)
    async with piloted(tmp_path) as (app, pilot):
        await until(pilot, lambda: greeted == [app])
        await pilot.press("tab")
        returning.look(app)
        await pilot.press(*"fuy")
        await pilot.pause(0.7)
        assert greeted == [app]
        await pilot.press("escape")
        await until(pilot, lambda: greeted == [app, app])


async def test_a_new_password_waits_for_the_typing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "password"
    file.write_text("pass-word\n")
    monkeypatch.setattr(screens, "PASSWORD_FILE", str(file))
    monkeypatch.setattr(mending, "apply", lambda *_args, **_more: DONE)
    async with piloted(tmp_path / "state") as (app, pilot):
        app.go_to("summary")
        await pilot.press("a")
        await until(pilot, lambda: "Why is it accepted?" in shown(app))
        check, fix = screens.RESETS
        monkeypatch.setattr(screens, "show_work", lambda _app: None)
        screens.carry_out(app, PLAN._replace(check=check, fix=fix))
        await until(pilot, lambda: app.work is not None and app.work.told)
        await pilot.press(*"yes")
        await pilot.pause(0.7)
        assert "Why is it accepted?  yes" in shown(app)
        assert file.exists()
        await pilot.press("escape")
        await until(pilot, lambda: "The new password of admin" in shown(app))
