"""The command `fix`, asked to stop while it works: what it says at once, and what comes of it."""

import signal
from pathlib import Path

import pytest
from lab.inside import wait_until
from mended import CHECK, FIX, NEW, OLD, Mailcow

from mailcow_wizard.engine import lock
from mailcow_wizard.host.files.state import StateDirectory


@pytest.fixture
def mailcow(tmp_path: Path) -> Mailcow:
    """A small mailcow directory whose TZ is empty."""
    return Mailcow(tmp_path)


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_told_to_stop(number: signal.Signals, code: int, mailcow: Mailcow) -> None:
    steps = [["echo begun; sleep 1", "true"], ["sleep 0.2", "true"]]
    process = mailcow.start("fix", CHECK, FIX, "--yes", run=steps)
    state = StateDirectory(str(mailcow.state))
    log = mailcow.state / "changes" / "1" / "log"
    assert wait_until(lambda: log.exists() and b"begun" in log.read_bytes(), 60)
    process.send_signal(number)
    assert process.wait(20) == code
    if number != signal.SIGHUP:
        assert lock.holder(state) is None
    assert wait_until(lambda: lock.holder(state) is None, 60)
    # A lost line stops nothing; whoever stops it has it taken back.
    gone_on = number == signal.SIGHUP
    assert mailcow.changes()[0]["state"] == ("applied" if gone_on else "undone")
    assert mailcow.conf.read_text() == (NEW if gone_on else OLD)


@pytest.mark.parametrize(
    ("steps", "said", "state"),
    [
        ([["echo begun; sleep 2", "true"], ["true", "true"]], b"then what was done is taken back", "undone"),
        (
            [["echo begun; sleep 2", "true"]],
            b"the last step comes to its end, and the change is made",
            "applied",
        ),
    ],
)
def test_told_to_stop_it_says_at_once_what_comes(
    steps: list[list[str]], said: bytes, state: str, mailcow: Mailcow
) -> None:
    process = mailcow.start("fix", CHECK, FIX, "--yes", run=steps)
    log = mailcow.state / "changes" / "1" / "log"
    assert wait_until(lambda: log.exists() and b"begun" in log.read_bytes(), 60)
    process.send_signal(signal.SIGINT)
    assert process.stderr
    assert said in process.stderr.readline()
    assert mailcow.changes()[0]["state"] == "applying"
    process.send_signal(signal.SIGINT)
    told = process.communicate(timeout=20)[1]
    assert b"change 1 is applying, and goes on by itself; ./wizard undo --list shows how it stands" in told
    assert process.returncode == 130
    assert wait_until(lambda: mailcow.changes()[0]["state"] == state, 60)
