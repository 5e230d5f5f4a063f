"""A real terminal for tests: the wizard in tmux, walked by keys."""

import os
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

WIZARD = (sys.executable, "-m", "mailcow_wizard")
PROMPT = "left with"
PATIENCE = 60.0
"""So many seconds a screen may take that shows at once where nothing else is going on."""
SIZES = pytest.mark.parametrize(
    "size",
    [pytest.param((80, 24), id="80x24"), pytest.param((120, 40), id="120x40", marks=pytest.mark.long)],
)
"""What is walked at both sizes; the wide one in the long run."""


class Terminal:
    """One tmux server of its own with one window."""

    def __init__(self, width: int, height: int) -> None:
        self._socket = f"wizard-tests-{uuid.uuid4().hex[:8]}"
        self._size = (str(width), str(height))

    def tmux(self, *words: str) -> str:
        """Runs a tmux command; returns what it prints."""
        done = subprocess.run(
            ["tmux", "-L", self._socket, "-f", "/dev/null", *words],
            capture_output=True,
            text=True,
            timeout=60,
        )
        return done.stdout

    def start(self, command: str, variables: dict[str, str]) -> None:
        """Starts a command line; when it ends its exit code and the terminal's modes are printed."""
        width, height = self._size
        words = " ".join(f"{name}={value}" for name, value in variables.items())
        modes = "stty -a | grep -ow -e icanon -e -icanon -e -echo -e echo"
        line = f"env {words} {command}; echo '{PROMPT}' $?; {modes}; cat"
        self.tmux("new-session", "-d", "-x", width, "-y", height, line)

    def keys(self, *keys: str) -> None:
        """Presses keys, by tmux's names for them."""
        for key in keys:
            self.tmux("send-keys", key)

    def text(self, escapes: bool = False) -> str:
        """What the screen shows."""
        return self.tmux("capture-pane", "-p", *(("-e",) if escapes else ()))

    def wait_for(self, *wanted: str, seconds: float = PATIENCE) -> str:
        """Waits until the screen shows all of `wanted`; returns it."""
        end = time.monotonic() + seconds
        while True:
            text = self.text()
            if all(one in text for one in wanted):
                return text
            if time.monotonic() > end:
                pytest.fail(f"the screen never showed {wanted}:\n{text}")
            time.sleep(0.05)

    def wait_until_looked(self) -> str:
        """Waits until no check of the screen is under way; returns it."""
        end = time.monotonic() + PATIENCE
        while "looking" in (text := self.text()):
            if time.monotonic() > end:
                pytest.fail(f"checks never ended:\n{text}")
            time.sleep(0.05)
        return text

    def escape_to(self, wanted: str) -> str:
        """Presses Esc, which never does harm, until the screen below shows."""
        before = self.text()
        for _ in range(3):
            self.keys("Escape")
            end = time.monotonic() + PATIENCE / 3
            while time.monotonic() < end:
                text = self.text()
                if wanted in text and (text != before or wanted not in before):
                    time.sleep(0.5)  # Esc and a letter that follow each other at once are Alt and the letter
                    return text
                time.sleep(0.05)
        pytest.fail(f"Esc did not lead back to {wanted!r}:\n{self.text()}")

    def marked(self) -> str:
        """The first line with a cursor, from there on."""
        return next((line[line.index("▸") :] for line in self.text().splitlines() if "▸" in line), "")

    def go_down(self, wanted: str) -> None:
        """Moves the cursor down to the row that has this text."""
        for _ in range(40):
            here = self.marked()
            if wanted in here:
                return
            self.keys("Down")
            end = time.monotonic() + PATIENCE
            while self.marked() == here:  # a key on its way would move the cursor once more
                if time.monotonic() > end:
                    pytest.fail(f"the cursor stays above {wanted!r}:\n{self.text()}")
                time.sleep(0.02)
        pytest.fail(f"there is no row {wanted!r}:\n{self.text()}")

    def wait_for_silence(self, seconds: float) -> None:
        """Waits until the wizard has written nothing for so long."""
        end = time.monotonic() + PATIENCE
        before = -1
        while (now := self.written()) != before:
            if time.monotonic() > end:
                pytest.fail(f"the wizard is never silent for {seconds} s:\n{self.text()}")
            before = now
            time.sleep(seconds)

    def written(self) -> int:
        """How many bytes the wizard has written so far."""
        with open(f"/proc/{self.pid_of_wizard()}/io", encoding="ascii") as said:
            return next(int(line.split()[1]) for line in said if line.startswith("wchar"))

    def resize(self, width: int, height: int) -> None:
        """Changes the window's size."""
        self.tmux("resize-window", "-x", str(width), "-y", str(height))

    def pid_of_wizard(self) -> int:
        """The wizard's process."""
        shell = int(self.tmux("display-message", "-p", "#{pane_pid}"))
        with open(f"/proc/{shell}/task/{shell}/children", encoding="ascii") as children:
            return int(children.read().split()[0])

    def close(self) -> None:
        """Ends the server and what runs in it."""
        self.tmux("kill-server")


@contextmanager
def wizard(
    *words: str, width: int = 80, height: int = 24, state: str, term: str = "xterm-256color", **variables: str
) -> Iterator[Terminal]:
    """The wizard on the demo machine (or as `words` say) in a terminal of this size."""
    if not shutil.which("tmux"):
        pytest.skip("tmux is not installed")
    terminal = Terminal(width, height)
    line = " ".join((*WIZARD, *(words or ("--demo",)), "--state-dir", state))
    environment = {"TERM": term, "PYTHONPATH": os.getcwd(), "LC_ALL": "C.UTF-8"}
    environment |= {"MAILCOW_WIZARD_NAME": "./wizard", **variables}
    terminal.start(line, environment)
    try:
        yield terminal
    finally:
        terminal.close()
