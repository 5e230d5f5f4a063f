"""A signal that comes while the first screen is still made leaves the terminal as it was."""

import signal
import sys
import termios
from pathlib import Path

import pytest
from bench.terminal import on_terminal

ROOT = Path(__file__).resolve().parents[2]
_SCRIPT = """
import os
from mailcow_wizard.tui.app import WizardApp
def compose(self, compose=WizardApp.compose):
    os.kill(os.getpid(), {number})
    yield from compose(self)
WizardApp.compose = compose
from mailcow_wizard.__main__ import main
main()
"""


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)]
)
def test_the_terminal_is_given_back(number: signal.Signals, code: int, tmp_path: Path) -> None:
    script = tmp_path / "ended.py"
    script.write_text(_SCRIPT.format(number=int(number)))
    line = f"{sys.executable} {script} --demo --lang=en --state-dir {tmp_path}/s; echo left $?; cat"
    argv = ["sh", "-c", line]
    with on_terminal(argv, {"PYTHONPATH": str(ROOT)}) as program:
        program.wait(lambda lines: any(f"left {code}" in line for line in lines))
        assert program.flags & termios.ECHO
        assert program.flags & termios.ICANON
