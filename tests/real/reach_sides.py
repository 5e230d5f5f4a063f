"""The two sides of `reach` for tests: the near one on the server, and what it invites to do elsewhere."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from lab.inside import CHECKOUT, end
from lab.netns import Namespace
from lab.provider import SERVER, SERVER_V6

WIZARD = ("env", f"PYTHONPATH={CHECKOUT}", sys.executable, "-m", "mailcow_wizard")
PORTS = (25, 80, 110, 143, 443, 465, 587, 993, 995, 4190)
_NO_POWERSHELL = pytest.mark.skipif(shutil.which("pwsh") is None, reason="there is no PowerShell here")
WAYS = ("bash", "wizard", pytest.param("powershell", marks=_NO_POWERSHELL))
V4, BOTH = ("--address", SERVER), ("--address", SERVER, "--address", SERVER_V6)


class Near:
    """A near side that listens. Its lines to paste: bash, PowerShell, the wizard's."""

    def __init__(self, process: "subprocess.Popen[str]", lines: Sequence[str]) -> None:
        self.process = process
        self.bash, self.powershell, self.wizard = lines

    @property
    def token(self) -> str:
        """The token of this proof."""
        return self.wizard.split()[-1]

    def document(self) -> dict[str, Any]:
        """Waits for its end: the document."""
        found: dict[str, Any] = json.loads(self.process.communicate(timeout=60)[0])
        return found

    def ask(self, place: Namespace, by: str = "wizard") -> str:
        """Has somebody paste the line; what is shown there."""
        argv = {
            "bash": ["bash", "-c", self.bash],
            "powershell": ["pwsh", "-NoProfile", "-NonInteractive", "-Command", self.powershell],
            "wizard": [*WIZARD, *self.wizard.split()[1:]],
        }[by]
        return place.run(argv, check=False, timeout=60).stdout


@contextmanager
def near(
    place: Namespace,
    state: Path,
    *more: str,
    addresses: Sequence[str] = V4,
    variables: Mapping[str, str] | None = None,
) -> Iterator[Near]:
    """The near side, ended with the test."""
    given = [f"{name}={value}" for name, value in (variables or {}).items()]
    argv = ["ip", "netns", "exec", place.name, "env", *given, *WIZARD]
    argv += ["reach", "--json", *addresses, *more]
    argv += ["--state-dir", str(state), "--dir", str(state)]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    said: list[str] = []
    for line in process.stderr:
        said.append(line.rstrip("\n"))
        if "Listening for" in line:
            break
    try:
        invitations = ("(bash):", "(PowerShell):", "program:")
        yield Near(process, [said[n + 1] for n, one in enumerate(said) if one.endswith(invitations)])
    finally:
        end(process)  # type: ignore[arg-type]


def states(document: dict[str, Any], family: str = "v4") -> dict[int, str]:
    """The state of each port over one family."""
    return {one["port"]: one["state"] for one in document["ports"] if one["family"] == family}


def findings(place: Namespace, state: Path, addresses: Sequence[str] = V4) -> dict[str, dict[str, Any]]:
    """What `check firewall.inbound` says afterwards, by port."""
    argv = [*WIZARD, "check", "firewall.inbound", "--json", *addresses]
    done = place.run([*argv, "--state-dir", str(state), "--dir", str(state)], check=False)
    return {one["subject"]: one for one in json.loads(done.stdout)["checks"]}
