"""The disk that holds what is known of an install is full: how it ended is known all the same."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailcow_wizard.engine.session import Session
from mailcow_wizard.host.real import RealHost
from mailcow_wizard.host.state import StateDirectory
from mailcow_wizard.install import following, worker
from mailcow_wizard.install.job import Failed, Job
from mailcow_wizard.install.standing import Choices, Record
from mailcow_wizard.model import Settings

pytestmark = pytest.mark.real


@pytest.fixture
def state(tmp_path: Path) -> Iterator[StateDirectory]:
    """The wizard's own directory, on a small file system."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to mount")
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(tmp_path)], check=False)
    if done.returncode:
        pytest.skip("no tmpfs can be mounted here")
    yield StateDirectory(str(tmp_path / "state"))
    subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)


def fill(where: str) -> None:
    """Fills a file system to the last byte."""
    argv = ["dd", "if=/dev/zero", f"of={where}/../filling", "bs=4k"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert "No space left" in done.stderr


def test_how_it_ended_is_known(state: StateDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    def stage(job: Job) -> str:
        fill(state.path)
        raise Failed("the disk is full", ("make room",))

    session = Session(RealHost(), Settings(hostname="mail.example.org"), state)
    _run, held = following.begin(session, Choices())
    record = Record(state)
    standing = record.load()
    assert standing
    monkeypatch.setattr(worker, "_work_of", lambda name: stage)
    job = Job(session, record, standing, lambda text: None, lambda: False)
    worker.Installing(job).run()
    held.close()
    ended = record.load()
    assert ended
    assert (ended.state, ended.error, ended.remedies) == ("failed", "the disk is full", ("make room",))
    assert not following.interrupted(record, ended)
    Path(f"{state.path}/../filling").unlink()
    _run, held = following.begin(session, Choices())
    held.close()
    assert [one.name for one in Path(state.path).iterdir() if one.name.endswith(".part")] == []
