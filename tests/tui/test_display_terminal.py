"""The display layer in a real terminal: disturbed and drawn again, left for the shell, given up."""

import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from bench.terminal import on_terminal
from tui.emulator import Emulator
from tui.test_display_beside_stock import Beside, beside
from tui.tmux import WIZARD, Terminal, wizard

WELCOME = "Full name of the mail server"
_RUBBISH = "\x1b[m\x1b[5;1H\x1b[41mBroadcast message from root\x1b[10;1H\x1b[2Jgone"


def test_a_disturbed_screen_is_drawn_again(tmp_path: Path) -> None:
    with beside(tmp_path) as both:
        both.press("\r")
        both.ours.screen.feed(_RUBBISH)
        assert [*both.ours.screen.unlike(both.stock.screen)]
        both.press("\x0c")
        both.press("n")


@pytest.mark.long
def test_also_from_a_screen_above_the_list(tmp_path: Path) -> None:
    with beside(tmp_path) as both:
        both.press("\r")
        both.press("?")
        both.ours.screen.feed(_RUBBISH)
        both.press("\x0c")
        both.press("\x1b")


@contextmanager
def _changed(directory: Path, change: str) -> Iterator[Beside]:
    """The wizard with a mistake in its display layer beside the stock one."""
    script = directory / "changed.py"
    script.write_text(
        "import sys, textual.app\n"
        "from mailcow_wizard.tui.display import painter, pens, screen\n"
        f"{change}\n"
        "from mailcow_wizard.__main__ import main\n"
        "sys.exit(main())\n"
    )
    with beside(directory, argv=(sys.executable, str(script)), PYTHONPATH=os.getcwd()) as both:
        yield both


@pytest.mark.parametrize(
    "change",
    [
        "def feed(self, data, feed=screen.Screen.feed):\n"
        "    if 'Operating' in data: raise pens.NotUnderstood\n"
        "    return feed(self, data)\n"
        "screen.Screen.feed = feed",
        "def paint(self, rows, cursor, paint=painter.Painter.paint):\n"
        "    if any(cell.text == '▸' for row in rows for cell in row): raise RuntimeError\n"
        "    return paint(self, rows, cursor)\n"
        "painter.Painter.paint = paint",
    ],
    ids=["not-understood", "a-mistake"],
)
def test_what_it_does_not_know_textual_draws(tmp_path: Path, change: str) -> None:
    with _changed(tmp_path, change) as both:
        for key in ("\r", "n", "?", "\x1b", "n"):
            both.press(key)
        assert both.ours.bytes * 2 > both.stock.bytes


def test_the_shell_and_back(tmp_path: Path) -> None:
    terminal = Terminal(80, 24)
    variables = {"TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "PYTHONPATH": os.getcwd(), "PS1": "'ready>'"}
    terminal.start("bash --norc -i", variables)
    try:
        terminal.wait_for("ready>")
        terminal.tmux("send-keys", "-l", f"{shlex.join(WIZARD)} --demo --state-dir {tmp_path}")
        terminal.keys("Enter")
        terminal.wait_for(WELCOME)
        terminal.keys("Enter")
        terminal.wait_for("Operating system")
        for wanted in ("Kernel version", "exim4 is listening"):
            terminal.keys("C-z")
            terminal.wait_for("Stopped", "ready>")
            terminal.tmux("send-keys", "-l", "clear; stty -a | grep -o -e '[-]*icanon' -e '[-]*echo '")
            terminal.keys("Enter")
            assert "-icanon" not in terminal.wait_for("icanon", "echo")
            terminal.keys("f", "g", "Enter")
            terminal.wait_for("Welcome", "System", "Enter details")
            terminal.keys("n")
            terminal.wait_for(wanted)
        terminal.keys("q")
        assert WELCOME not in terminal.wait_for("ready>")
    finally:
        terminal.close()


def test_the_last_thing_written_is_no_style(tmp_path: Path) -> None:
    argv = [*WIZARD, "--demo", "--state-dir", str(tmp_path)]
    with on_terminal(argv, screen=Emulator(80, 24)) as program:
        program.wait(lambda lines: "quit" in lines[-1])
        program.press("\r")
        program.press("\x03")
        program.screen.feed("\x1b[24;1Hplain")
        assert program.screen.cells[-1][:5] == [(one, *("default",) * 2, *(False,) * 6) for one in "plain"]


def test_letters_that_are_pasted_behind_an_escape_are_no_keys(tmp_path: Path) -> None:
    with wizard(state=str(tmp_path)) as terminal:
        terminal.wait_for(WELCOME)
        terminal.keys("Enter")
        terminal.wait_for("processor, memory")
        terminal.wait_until_looked()
        terminal.tmux("set-buffer", "\x1b]n?")
        terminal.tmux("paste-buffer", "-p")
        terminal.wait_for_silence(0.5)
        assert "processor, memory" in terminal.text()
        terminal.keys("n")
        terminal.wait_for("version, modules, limits")
