"""Every command on machines that tell nothing: it says so, with the code for that, and is never a defect."""

import json
import shlex
import subprocess
from pathlib import Path

import pytest

from mailcow_wizard.host.recording.recorded import DEMO
from tests.unit.this_checkout import ENVIRONMENT, WIZARD

DEFECT = 70
COMMANDS = (
    *("install --dry-run", "install", "answers", "undo", "report --format html", "reach"),
    *("dns", "dns --zone --offline", "dns --push --tsig /dev/null"),
    *("conf get TZ", "conf lint", "conf new --dry-run", "conf set SKIP_FTS=y --dry-run"),
    *("fix ports.smtp", "fix ports.smtp stop-service --dry-run", "fix kernel.overcommit sysctl --dry-run"),
    *("fix dns.a push-records --dry-run", "fix network.mtu", "check --format nagios", "verify --plain"),
    *("verify --first-mailbox me@example.org --dry-run", "verify --api-key here --dry-run"),
)
ANSWERS = {
    "not recorded": None,
    "for root alone": {"error": "Denied", "text": "it may not be read by this user"},
    "broken": {"error": "HostError", "text": "input/output error"},
    "not there": {"error": "Missing", "text": "it is not there"},
}


@pytest.fixture(params=ANSWERS)
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The machine that ships with the wizard, each of whose answers is this one."""
    document = json.loads(Path(DEMO).read_text(encoding="utf-8"))
    answer = ANSWERS[request.param]
    document["answers"] = dict.fromkeys(document["answers"], answer) if answer else {}
    path = tmp_path / "machine.json"
    path.write_text(json.dumps(document))
    return path


@pytest.mark.parametrize("command", COMMANDS)
def test_a_machine_that_tells_nothing(command: str, machine: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [*WIZARD, *shlex.split(command), "--host", str(machine), "--state-dir", str(tmp_path / "state")],
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode != DEFECT, done.stderr
    assert "Traceback" not in done.stderr
