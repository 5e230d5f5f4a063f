"""The README's lines for cron, as a shell runs them: mail comes where something is worse, and else none."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from unit.this_checkout import ENVIRONMENT

from mailcow_wizard.host.recording.recorded import DEMO

README = (Path(__file__).resolve().parents[2] / "README.md").read_text()
STARTED = "/opt/mailcow-wizard/wizard check"


def lines() -> list[str]:
    """The commands of the two lines, behind the times and the user."""
    block = re.search(r"```crontab\n(.*?)```", README, re.DOTALL)
    assert block
    times = r"[0-9]+ \* \* \* \* root "
    assert all(re.match(times, line) for line in block[1].splitlines())
    assert "%" not in block[1]  # cron makes a new line of it
    return [re.sub(times, "", line) for line in block[1].splitlines()]


def by_cron(line: str, machine: Path, state: Path) -> "subprocess.CompletedProcess[str]":
    words = (sys.executable, "-m", "mailcow_wizard", "check", "ports", "--host", str(machine))
    ours = shlex.join([*words, "--state-dir", str(state)])
    line = line.replace(STARTED, ours).replace("/var/lib/node_exporter", str(machine.parent))
    return subprocess.run(
        ["/bin/sh", "-c", line], env=ENVIRONMENT, capture_output=True, text=True, timeout=60
    )


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    path = tmp_path / "box.json"
    path.write_text(Path(DEMO).read_text())
    return path


def test_mail_comes_when_something_is_worse(machine: Path, tmp_path: Path) -> None:
    mail, _prometheus = lines()
    assert by_cron(mail, machine, tmp_path / "state").stdout  # the first time all is new
    for _ in range(2):
        done = by_cron(mail, machine, tmp_path / "state")
        assert (done.stdout, done.stderr) == ("", "")
    kept = json.loads((tmp_path / "state" / "last-run-recorded.json").read_text())
    (row,) = (one for one in kept["statuses"] if one[0] == "ports.smtp")
    row[2] = "pass"
    (tmp_path / "state" / "last-run-recorded.json").write_text(json.dumps(kept))
    done = by_cron(mail, machine, tmp_path / "state")
    assert "worse    ports.smtp: pass before, fail now" in done.stdout


def test_prometheus_finds_a_whole_file(machine: Path, tmp_path: Path) -> None:
    _mail, prometheus = lines()
    done = by_cron(prometheus, machine, tmp_path / "state")
    assert (done.stdout, done.stderr) == ("", "")
    assert 'id="ports.smtp"' in (tmp_path / "mailcow.prom").read_text()
    assert not (tmp_path / "mailcow.new").exists()
