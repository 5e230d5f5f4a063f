"""A user who may have no more threads: the screens say so and go on, or end with words."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tui.piloted import piloted, shown, until
from tui.test_whole_words import words
from tui.tmux import Terminal

from mailcow_wizard.engine.mending import Outcome
from mailcow_wizard.tui import mending
from mailcow_wizard.tui.work import Work

ROOT = Path(__file__).resolve().parents[2]
NO_MORE = "this user may have no more threads or processes (ulimit -u)"
_TOO_MUCH = 1 << 46
"""A stack that no address space holds: the kernel itself refuses the thread."""
_FEW = """
import sys, threading
left = {number}
def start(self, start=threading.Thread.start):
    global left
    left -= 1
    if left < 0:
        threading.stack_size({too_much})
    start(self)
threading.Thread.start = start
from mailcow_wizard.__main__ import main
main()
"""


@contextmanager
def no_more() -> Iterator[None]:
    """From here on there is no other thread."""
    usual = threading.stack_size(_TOO_MUCH)
    try:
        yield
    finally:
        threading.stack_size(usual)


@pytest.mark.parametrize("number", range(7))
def test_with_so_few_threads_there_are_words(tmp_path: Path, number: int) -> None:
    script = tmp_path / "few.py"
    script.write_text(_FEW.format(number=number, too_much=_TOO_MUCH))
    terminal = Terminal(80, 24)
    line = f"{sys.executable} {script} --demo --state-dir {tmp_path / 'state'}"
    terminal.start(line, {"TERM": "xterm-256color", "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8"})
    try:
        terminal.wait_for("mailcow")
        terminal.wait_for("left with 64" if number < 3 else "Enter next")
        if number >= 3:
            terminal.wait_for_silence(1.0)
            terminal.keys("Enter")
            terminal.wait_for("processor, memory")
            terminal.keys("r", "q", "y")
            terminal.wait_for("left with", "icanon")
        text = terminal.text()
        assert "mistake" not in text
        assert "defect" not in text
        assert number >= 3 or NO_MORE in " ".join(text.split())
    finally:
        terminal.close()


async def test_what_cannot_run_again_stays_as_it_was_found(tmp_path: Path) -> None:
    async with piloted(tmp_path) as (app, pilot):
        app.action_go("ports", "ports.smtp")
        await pilot.pause(0.2)
        with no_more():
            await pilot.press("r")
            await until(pilot, lambda: f"This cannot be done now: {NO_MORE}" in words(app))
            assert "▸ ✗ blocks  SMTP" in shown(app)
            assert app.board.answered
            await pilot.press("f")
            await until(pilot, lambda: NO_MORE in words(app) and len(app.screen_stack) == 2)
            await pilot.press("escape")
        await pilot.press("r")
        await until(pilot, lambda: app.board.answered and NO_MORE not in words(app))


async def test_a_change_that_cannot_begin_says_so(tmp_path: Path) -> None:
    async with piloted(tmp_path) as (app, pilot):
        with no_more():
            mending.begin(
                app, Work("Write SKIP_FTS=y", "config.values", 1, lambda _: Outcome("", "", None, ""))
            )
            await until(pilot, lambda: f"Nothing was changed: {NO_MORE}." in words(app))
            assert app.work is not None
            assert not app.work.running
