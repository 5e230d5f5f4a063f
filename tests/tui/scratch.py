"""A mailcow directory of a test's own, with a fault that can be mended, and a wizard that opens there."""

import json
import os
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tui.tmux import WIZARD, Terminal

from mailcow_wizard.model import Command

SECRET = "hunter2hunter2"
CONF = f"""\
# ------------------------------
# mailcow web ui configuration
# ------------------------------
# The name that everybody knows the server by.
MAILCOW_HOSTNAME=mail.example.org
DBNAME=mailcow
DBUSER=mailcow
DBPASS={SECRET}
DBROOT={SECRET}root
HTTP_PORT=80
HTTP_BIND=
HTTPS_PORT=443
HTTPS_BIND=
HTTP_REDIRECT=n
SMTP_PORT=25
TZ=Europe/Berlin
DOCKER_COMPOSE_VERSION=native
# Leave out the search,
# on little machines.
SKIP_FTS=n
SKIP_CLAMD=n
IPV4_NETWORK=172.22.1
ENABLE_IPV6=true
"""
OPEN = "File permissions"


class Gate:
    """A step of a change that takes until the test lets it end."""

    def __init__(self) -> None:
        self._holder = subprocess.Popen(["sleep", "3600"])
        self.step = Command(("tail", f"--pid={self._holder.pid}", "-f", "/dev/null"))

    def open(self) -> None:
        """Lets it end, now and whenever it is done again."""
        self._holder.kill()
        self._holder.wait()


class Scratch:
    """mailcow's directory, whose mailcow.conf everybody may read, and the wizard's state beside it."""

    def __init__(self, place: Path) -> None:
        self.directory = place / "mailcow"
        self.state = place / "state"
        self.conf = self.directory / "mailcow.conf"
        self.gate = Gate()
        self.directory.mkdir()
        self.state.mkdir(mode=0o700)
        for name in ("docker-compose.yml", "generate_config.sh"):
            (self.directory / name).touch()
        self.conf.write_text(CONF)
        self.conf.chmod(0o644)
        (self.directory / ".env").symlink_to("mailcow.conf")
        answers = {"hostname": "mail.example.org", "domains": ["example.org"], "step": "config"}
        (self.state / "answers.json").write_text(json.dumps(answers))

    @property
    def mode(self) -> int:
        """mailcow.conf's permissions."""
        return self.conf.stat().st_mode & 0o777

    @contextmanager
    def wizard(self, size: tuple[int, int] = (80, 24), before: tuple[str, ...] = ()) -> Iterator[Terminal]:
        """The wizard at the step Configuration; `before` are words before its command line."""
        terminal = Terminal(*size)
        words = (*before, *WIZARD, "--offline", "--dir", str(self.directory), "--state-dir", str(self.state))
        variables = {"TERM": "xterm-256color", "PYTHONPATH": os.getcwd(), "LC_ALL": "C.UTF-8", "TZ": "UTC"}
        variables["MAILCOW_WIZARD_NAME"] = "./wizard"
        terminal.start(shlex.join(words), variables)
        try:
            terminal.wait_for("Full name of the mail server")
            yield terminal
        finally:
            terminal.close()


@pytest.fixture
def scratch(tmp_path: Path) -> Iterator[Scratch]:
    """A directory to change as root."""
    if os.geteuid() != 0:
        pytest.skip("needs root: what is mended belongs to root")
    made = Scratch(tmp_path)
    yield made
    made.gate.open()


def open_step(terminal: Terminal) -> str:
    """Goes from the welcome to the step Configuration, and waits for its findings."""
    terminal.keys("Enter")
    terminal.wait_for(OPEN)
    end = "Checkout"
    terminal.wait_for(end)
    return terminal.wait_until_looked()
