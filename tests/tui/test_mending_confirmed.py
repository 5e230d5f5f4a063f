"""A change that may cut off who makes it: kept by a key, taken back by another, and by itself."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from lab.inside import wait_until
from tui.piloted import piloted, shown, until
from tui.scratch import Scratch
from tui.scratch import scratch as scratch
from tui.test_mending import SIZES, edit_of, under_way

from mailcow_wizard.engine import mending
from mailcow_wizard.tui import mending as screen
from mailcow_wizard.tui.work import Work

QUESTION = "Still connected? Without an answer this is taken back after 300 seconds."


@SIZES
@pytest.mark.parametrize("key", ["y", "s"])
def test_asks(scratch: Scratch, size: tuple[int, int], key: str) -> None:
    plan = edit_of(scratch, b"SKIP_FTS=n", b"SKIP_FTS=y")._replace(confirm=300.0)
    with under_way(scratch, plan), scratch.wizard(size) as terminal:
        terminal.wait_for("Waits to be confirmed", *QUESTION.split(), "y keep it", "s take it back now")
        assert "SKIP_FTS=y" in scratch.conf.read_text()
        terminal.keys("Enter")  # is no answer
        terminal.wait_for("Full name")
        terminal.keys("f")
        terminal.wait_for("y keep it")
        terminal.keys(key)
        terminal.wait_for("u take it back" if key == "y" else "Taken back, because stopped")
        wanted = "SKIP_FTS=y" if key == "y" else "SKIP_FTS=n"
        assert wait_until(lambda: wanted in scratch.conf.read_text(), 10)


@pytest.mark.asyncio
async def test_what_was_closed_stays_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However late what was heard is drawn: the question was there already, and Enter closed it."""
    heard, end = threading.Event(), threading.Event()

    def do(listen: Callable[[mending.Progress], None]) -> mending.Outcome:
        listen(mending.Progress("step", 0, "change mailcow.conf"))
        listen(mending.Progress("confirm", -1, "300"))
        heard.set()
        end.wait(60)
        return mending.Outcome("", "undone", None, "stopped")

    monkeypatch.setattr(screen, "_DRAWN_EVERY_S", 1.0)
    async with piloted(tmp_path) as (app, pilot):
        try:
            screen.begin(app, Work("Write SKIP_FTS=y", "config.values", 1, do))
            await until(pilot, lambda: heard.is_set() and len(app.screen_stack) == 2)
            await until(pilot, lambda: "y keep it" in shown(app))
            await pilot.press("enter")
            await until(pilot, lambda: len(app.screen_stack) == 1)
            await pilot.pause(1.5)
            assert len(app.screen_stack) == 1
        finally:
            end.set()
        await until(pilot, lambda: app.work is not None and app.work.told)


@pytest.mark.asyncio
async def test_what_is_typed_into_a_field_is_no_answer(tmp_path: Path) -> None:
    goes_on, end = threading.Event(), threading.Event()

    def do(listen: Callable[[mending.Progress], None]) -> mending.Outcome:
        listen(mending.Progress("step", 0, "change mailcow.conf"))
        goes_on.wait(60)
        listen(mending.Progress("confirm", -1, "300"))
        end.wait(60)
        return mending.Outcome("", "undone", None, "stopped")

    async with piloted(tmp_path) as (app, pilot):
        work = Work("Write SKIP_FTS=y", "config.values", 1, do)
        try:
            app.action_go("ports", "ports.smtp")
            screen.begin(app, work)
            await until(pilot, lambda: "Step 1 of 1" in shown(app))
            await pilot.press("escape", "a")
            await until(pilot, lambda: "Why is it accepted?" in shown(app))
            goes_on.set()
            await until(pilot, lambda: bool(work.confirming))
            await pilot.pause(0.5)
            await pilot.press("s")
            assert "Why is it accepted?" in shown(app)
            assert not work.stopping
            await pilot.press("escape")
            await until(pilot, lambda: "y keep it" in shown(app))
        finally:
            end.set()
        await until(pilot, lambda: work.told)


@pytest.mark.long
def test_nobody_answers(scratch: Scratch) -> None:
    plan = edit_of(scratch, b"SKIP_FTS=n", b"SKIP_FTS=y")._replace(confirm=5.0)
    with under_way(scratch, plan), scratch.wizard() as terminal:
        terminal.wait_for("Still connected?", "after 5 seconds")
        terminal.wait_for("Taken back, because nobody confirmed within 5 seconds")
    assert "SKIP_FTS=n" in scratch.conf.read_text()
