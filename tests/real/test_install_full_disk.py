"""The disk that holds what is known of an install is full: how it ended is known all the same."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailcow_wizard.engine.session import Session
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.files.state import StateDirectory
from mailcow_wizard.host.real import RealHost
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
    assert not record.alive()
    Path(f"{state.path}/../filling").unlink()
    _run, held = following.begin(session, Choices())
    held.close()
    assert [one.name for one in Path(state.path).iterdir() if one.name.endswith(".part")] == []


def test_why_it_could_not_be_written_down_is_said(state: StateDirectory) -> None:
    """The disk has failed and is read-only by now: nobody ended the work from outside."""
    session = Session(RealHost(), Settings(hostname="mail.example.org"), state)
    _run, held = following.begin(session, Choices())
    held.close()
    where = os.path.dirname(state.path)
    subprocess.run(["mount", "-o", "remount,ro", where], check=True)
    try:
        ended = following._Following(Record(state), 0, lambda heard: None, lambda: True).run()
    finally:
        subprocess.run(["mount", "-o", "remount,rw", where], check=True)
    assert (ended.state, ended.error) == (
        "failed",
        f"{state.path}/install.json could not be written: {state.path} is not writable",
    )


def test_what_a_provider_asks_for_is_not_left_there(
    state: StateDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither by a begin that comes to nothing, nor by one that was killed in the middle of writing."""
    monkeypatch.setenv("LEXICON_ACME_AUTH_TOKEN", "hunter2hunter2")
    settings = Settings(hostname="mail.example.org", dns_provider="acme")
    session = Session(RealHost(), settings, state)
    Path(state.path).mkdir(0o700)
    Path(f"{state.path}/install-credentials.json.0123abcd.part").write_text("hunter2hunter2")
    seen: list[str] = []

    def full(record: Record, known: dict[str, str]) -> None:
        seen.extend(one.name for one in Path(state.path).glob("install-credentials*"))
        fill(state.path)
        state.save("more", known)

    monkeypatch.setattr(Record, "save_proxies", full)
    with pytest.raises(HostError, match="No space left"):
        following.begin(session, Choices())
    assert seen == ["install-credentials.json"]
    assert list(Path(state.path).glob("install-credentials*")) == []
