"""mailcow's directory with a mailcow.conf, and the wizard as a process beside it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import json_schema
from lab.inside import CHECKOUT

from mailcow_wizard.report.schema import schema

SAMPLES = Path(__file__).parent.parent / "conf"


class Place:
    """mailcow's directory and the wizard's state, for one test."""

    def __init__(self, path: Path) -> None:
        self.directory = path / "mailcow"
        self.directory.mkdir()
        self.conf = self.directory / "mailcow.conf"
        self.state = path / "state"

    def write(self, data: bytes) -> None:
        """A mailcow.conf as mailcow makes it: for its owner alone."""
        self.conf.write_bytes(data)
        self.conf.chmod(0o600)

    @property
    def argv(self) -> list[str]:
        """The wizard here, without a command."""
        start = (sys.executable, "-m", "mailcow_wizard", "--dir", str(self.directory))
        return [*start, "--state-dir", str(self.state)]

    def wizard(self, *words: str, **env: str) -> "subprocess.CompletedProcess[str]":
        """Runs the wizard to its end."""
        return subprocess.run(
            [*self.argv, *words],
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(CHECKOUT),
                "LANG": "C.UTF-8",
                "HOME": "/dev/null",
                **env,
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def document(self, *words: str, **env: str) -> Any:
        """The JSON document of a command."""
        done = self.wizard(*words, "--json", **env)
        assert done.stdout.count("\n") == 1, done
        said = json.loads(done.stdout)
        assert json_schema.faults(schema(), said) == []
        return said
