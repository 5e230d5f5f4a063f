"""The wizard as a process on a small mailcow directory, with one fix more: `conf-tz`, for config.timezone.

The fix sets TZ in mailcow.conf, and runs the commands that the test wants. The check that runs again is the
real one.
"""

import json
import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import json_schema
from lab.inside import CHECKOUT

from mailcow_wizard.report.schema import schema

SECRET = "hunter2hunter2"
OLD = f"MAILCOW_HOSTNAME=mail.example.org\nDBPASS={SECRET}\nTZ=\n#API_KEY={SECRET}\nSKIP_CLAMD=n\n"
NEW = OLD.replace("TZ=\n", "TZ=Etc/UTC\n")
CHECK, FIX = "config.timezone", "conf-tz"
ENVIRONMENT = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LANG": "C.UTF-8", "TERM": "xterm"}

_PROGRAM = """
import json, os, sys
sys.path.insert(0, {root!r})
from mailcow_wizard import fixes
from mailcow_wizard.fixes import Offer
from mailcow_wizard.model import Command, Edit, Fix, Place, Plan
more = json.loads(sys.argv.pop(1))
def offers(check, judgement, facts):
    if check != "config.timezone":
        return ()
    path = facts.settings.directory + "/mailcow.conf"
    def plan():
        before = facts.host.read(path)
        after = before.replace(*(one.encode() for one in more.get("replace", ["TZ=\\n", "TZ=Etc/UTC\\n"])))
        steps = (Edit(path, before, after),)
        places = tuple(Place((f"{{name}}.service",), *at) for name, *at in more.get("places", ()))
        steps += tuple(
            Command((*more.get("words", ()), "sh", "-c", run), (("sh", "-c", undo),), places=places)
            for run, undo in more.get("run", ())
        )
        root, settle = more.get("root", False), more.get("settle", 0.0)
        return Plan(
            check, None, "conf-tz", "Set the timezone", steps, "low", True, root, "It is UTC.", "", settle
        )
    return (Offer(Fix("conf-tz", "Set the timezone", "low", True, more.get("root", False)), plan),)
fixes.offers = offers
from mailcow_wizard.cli.app import run
code = run(sys.argv[1:])
sys.stdout.flush()
os._exit(code)
"""

Done = subprocess.CompletedProcess[bytes]


def fits(done: Done, name: str) -> None:
    """The document is the one that the schema describes under this name."""
    described = schema()
    assert json_schema.faults(described, document(done)) == []
    assert json_schema.faults(described["$defs"][name], document(done), described) == []


class Mailcow:
    """The directory, the wizard's state beside it, and how to start the wizard there."""

    def __init__(self, root: Path) -> None:
        self.directory = root / "mailcow"
        self.state = root / "state"
        self.conf = self.directory / "mailcow.conf"
        self.directory.mkdir()
        self.conf.write_text(OLD)
        self.conf.chmod(0o600)
        (self.directory / ".env").symlink_to("mailcow.conf")
        (self.directory / "docker-compose.yml").write_text("services: {}\n")

    def argv(self, *words: str, **more: Any) -> list[str]:
        """The command line; `more` goes to the fix: run, places, settle, root,
        replace, words (before the commands')."""
        program = _PROGRAM.format(root=str(CHECKOUT))
        places = ("--dir", str(self.directory), "--state-dir", str(self.state), "--offline")
        return [sys.executable, "-c", program, json.dumps(more), *words, *places]

    def run(self, *words: str, user: int | None = None, python: str = sys.executable, **more: Any) -> Done:
        """Runs the wizard to its end, without a terminal; as another user with a Python that this may run."""
        return subprocess.run(
            [python, *self.argv(*words, **more)[1:]],
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
            user=user,
            cwd="/",
        )

    def start(self, *words: str, **more: Any) -> "subprocess.Popen[bytes]":
        """Starts the wizard without a terminal."""
        return subprocess.Popen(
            self.argv(*words, **more),
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd="/",
        )

    def fix(self, *words: str, **more: Any) -> Done:
        """`fix` with the fix."""
        return self.run("fix", CHECK, FIX, *words, **more)

    def changes(self) -> list[dict[str, Any]]:
        """The journal as `undo --list --json` has it."""
        listed: list[dict[str, Any]] = document(self.run("undo", "--list", "--json"))["changes"]
        return listed


def document(done: Done) -> Any:
    """The one JSON document on stdout, and nothing else there."""
    assert done.stdout.count(b"\n") == 1, done
    return json.loads(done.stdout)


class Typist:
    """Somebody at a terminal where the wizard was started."""

    def __init__(self, argv: Sequence[str]) -> None:
        self.seen = ""
        pid, self._terminal = pty.fork()
        if pid == 0:
            os.execve(argv[0], argv, ENVIRONMENT)  # noqa: S606
        self._pid = pid

    def wait_for(self, text: str, seconds: float = 20.0) -> None:
        """Waits until the terminal has shown this."""
        end = time.monotonic() + seconds
        while text not in self.seen:
            assert time.monotonic() < end, f"never showed {text!r}: {self.seen}"
            self._read(0.1)

    def type(self, text: str) -> None:
        """Types."""
        os.write(self._terminal, text.encode())

    def code(self, seconds: float = 20.0) -> int:
        """Its exit code, when it has ended."""
        end = time.monotonic() + seconds
        while True:
            self._read(0.02)
            pid, status = os.waitpid(self._pid, os.WNOHANG)
            if pid:
                while self._read(0.1):
                    pass
                os.close(self._terminal)
                return os.waitstatus_to_exitcode(status)
            assert time.monotonic() < end, self.seen

    def hang_up(self) -> None:
        """Closes the terminal, as a lost line does."""
        os.close(self._terminal)
        os.waitpid(self._pid, 0)

    def _read(self, seconds: float) -> bool:
        if not select.select([self._terminal], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self._terminal, 1 << 16)
        except OSError:
            return False
        self.seen += data.decode().replace("\r\n", "\n")
        return bool(data)
