"""An install's record that a newer wizard wrote, or that is damaged: it is said in words, and stays."""

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from fake_host import FakeHost
from tui.tmux import Terminal

from mailcow_wizard.engine.given import Allowed, FirstMailbox
from mailcow_wizard.engine.session import Session
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.files.state import StateDirectory
from mailcow_wizard.install import following, worker
from mailcow_wizard.install.standing import Choices, Record, Running, Unreadable, fresh
from mailcow_wizard.model import Settings

NAME = "mail.example.org"
SAID = "is not readable for this wizard: a newer one wrote it, or it is damaged"
WAITING = {"state": "waiting", "note": "", "began": "", "ended": ""}
CHANGES: dict[str, Any] = {
    "a stage more": lambda said: said["stages"].append({"id": "later", **WAITING}),
    "a stage between": lambda said: said["stages"].insert(0, {"id": "earlier", **WAITING}),
    "a stage twice": lambda said: said["stages"].append(said["stages"][0]),
    "no stage of a kind": lambda said: said.update(stages=["pull"]),
    "another state of a stage": lambda said: said["stages"][3].update(state="paused"),
    "a stage without a note": lambda said: said["stages"][3].update(note=None),
    "another state": lambda said: said.update(state="paused"),
    "a field more": lambda said: said.update(more="x"),
    "a setting more": lambda said: said["settings"].update(more="x"),
    "another kind of setting": lambda said: said["settings"].update(domains="example.org"),
    "another kind of address": lambda said: said["settings"].update(addresses=[1]),
    "no directory": lambda said: said["settings"].pop("directory"),
    "a choice more": lambda said: said["choices"].update(more="x"),
    "another kind of choice": lambda said: said["choices"].update(mtu="1400"),
    "a fix of more parts": lambda said: said["choices"].update(fixes=[["a", "b", "c", "d"]]),
    "a mailbox of more parts": lambda said: said["choices"].update(mailbox=["a", "b", "c"]),
    "an error that is no text": lambda said: said.update(error={"text": "x"}),
    "no list of remedies": lambda said: said.update(remedies="x"),
    "a remedy that is no text": lambda said: said.update(remedies=[1]),
    "a finding with a field more": lambda said: said.update(findings=[{"id": "x"}]),
    "a mark that is no text": lambda said: said.update(marks=[["x"]]),
    "a command without a process": lambda said: said.update(running={"pid": "x", "mark": "", "patience": 0}),
    "a change that is no text": lambda said: said.update(change=1),
}


@pytest.fixture
def record(tmp_path: Path) -> Record:
    """An install that failed, with all that a record can hold."""
    made = Record(StateDirectory(str(tmp_path / "state")))
    fixes = (Allowed("ports.smtp", "stop-service"),)
    choices = Choices(mtu=1400, fixes=fixes, mailbox=FirstMailbox("info@example.org"))
    settings = Settings(str(tmp_path / "mailcow"), hostname=NAME, domains=("example.org",), timeout=2.5)
    standing = fresh("run", "2026-11-27T17:00:00Z", NAME, settings._asdict(), choices)
    made.save(standing._replace(state="failed", error="x", running=Running(1, "x", 2.5), remedies=("y",)))
    return made


def damaged(record: Record, name: str) -> str:
    """The record with one thing that this version does not know; its text."""
    path = Path(record.log_path).with_name("install.json")
    said = json.loads(path.read_text())
    CHANGES[name](said)
    path.write_text(json.dumps(said))
    return path.read_text()


def wizard(tmp_path: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    (tmp_path / "mailcow").mkdir(exist_ok=True)
    argv = [sys.executable, "-m", "mailcow_wizard", *words, "--offline", "--hostname", NAME]
    argv += ["--dir", str(tmp_path / "mailcow"), "--state-dir", str(tmp_path / "state")]
    return subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)


def test_what_is_known_is_read(record: Record) -> None:
    assert record.look() is not None
    assert record.look() == record.load()


def test_nothing_is_no_damage(tmp_path: Path) -> None:
    assert Record(StateDirectory(str(tmp_path))).look() is None


def test_an_older_record_may_lack_stages(record: Record) -> None:
    path = Path(record.log_path).with_name("install.json")
    said = json.loads(path.read_text())
    del said["stages"][2]
    path.write_text(json.dumps(said))
    found = record.look()
    assert found is not None
    assert [one.id for one in found.stages][1:4] == ["packages", "docker", "clone"]


@pytest.mark.parametrize("name", CHANGES)
def test_it_stays_as_it_is(name: str, record: Record, tmp_path: Path) -> None:
    kept = damaged(record, name)
    with pytest.raises(Unreadable, match=SAID):
        record.look()
    assert record.load() is None
    settings = Settings(str(tmp_path / "mailcow"), hostname=NAME)
    session = Session(FakeHost(), settings, StateDirectory(str(tmp_path / "state")))
    with pytest.raises(Unreadable):
        following.begin(session, Choices())
    with pytest.raises(Unreadable):
        following.follow(session, print)
    assert Path(record.log_path).with_name("install.json").read_text() == kept


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "[" * 100_000])
def test_no_document(text: str, record: Record) -> None:
    Path(record.log_path).with_name("install.json").write_text(text)
    with pytest.raises(Unreadable, match=SAID):
        record.look()


@pytest.mark.parametrize("words", [("install", "--yes"), ("install", "--dry-run"), ("answers",)])
def test_the_command_line_says_so(words: tuple[str, ...], record: Record, tmp_path: Path) -> None:
    kept = damaged(record, "a stage between")
    done = wizard(tmp_path, *words)
    assert done.returncode == (3 if words == ("answers",) else 73), done.stdout + done.stderr
    assert f"{tmp_path}/state/install.json {SAID}" in done.stderr
    assert Path(record.log_path).with_name("install.json").read_text() == kept
    assert wizard(tmp_path, "install", "--stop").stderr.endswith("no install is under way\n")


def test_the_screen_says_so(record: Record, tmp_path: Path) -> None:
    damaged(record, "a stage between")
    (tmp_path / "mailcow").mkdir()
    # A longer path would break the sentences elsewhere.
    near = tempfile.mkdtemp(prefix="w-", dir="/tmp")
    os.symlink(tmp_path / "state", f"{near}/s")
    words = [sys.executable, "-m", "mailcow_wizard", "--offline", "--hostname", NAME]
    words += ["--dir", str(tmp_path / "mailcow"), "--state-dir", f"{near}/s"]
    terminal = Terminal(120, 40)
    try:
        terminal.start(shlex.join(words), {"TERM": "xterm-256color", "LC_ALL": "C.UTF-8"})
        terminal.wait_for("install.json is not readable")
        terminal.keys("C-p")
        terminal.wait_for("Go to Ports")
        terminal.keys(*"install", "Enter")
        terminal.wait_for("i install", "Preconditions")
        terminal.keys("i")
        terminal.wait_for("This could not be looked at", "is not readable")
        terminal.keys("w")
        terminal.wait_for("The answers could not be written", "is not readable")
        terminal.keys("q", "y")
        terminal.wait_for("left with 0")
    finally:
        terminal.close()
        shutil.rmtree(near)


class NotAsked:
    """Nobody asks the process to stop."""

    asked = False


def test_what_was_done_is_not_forgotten_where_it_cannot_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a stage wrote down for after a kill, and the change under way, count on."""
    settings = Settings(str(tmp_path), hostname=NAME, offline=True)
    session = Session(FakeHost(), settings, StateDirectory(str(tmp_path / "state")))
    run, held = following.begin(session, Choices())
    held.close()

    def fails(installing: worker.Installing) -> None:
        installing._job.mark("generating")
        installing._job.stand(change="7")
        raise HostError("the disk is gone")

    monkeypatch.setattr(worker.Installing, "run", fails)
    monkeypatch.setattr(worker.detached, "Stopping", NotAsked)
    assert worker.main((session.state.path, run)) == 0
    ended = Record(session.state).look()
    assert ended is not None
    assert (ended.state, ended.error) == ("failed", "the disk is gone")
    assert (ended.marks, ended.change) == (("generating",), "7")


@pytest.mark.parametrize("said", ["[]", '{"text": 1}', '{"done": "1"}', '{"whole": null}', '{"more": 1}'])
def test_progress_that_is_not_understood(said: str, record: Record) -> None:
    Path(record.log_path).with_name("install-progress.json").write_text(said)
    assert record.progress() == type(record.progress())()
