"""`--log FILE`: what was done, with times, for its owner only."""

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest


def run(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "mailcow_wizard", *words], capture_output=True, text=True, timeout=60
    )


def test_every_check_leaves_its_beginning_and_its_end(tmp_path: Path) -> None:
    path = tmp_path / "log"
    run("check", "ports", "--demo", "--plain", "--log", str(path))
    text = path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert text.count(" started\n") == 13
    assert re.search(r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ ports\.smtp fail after \d+ ms: exim4 is", text, re.M)
    run("check", "ports.smtp", "--demo", "--log", str(path))
    assert path.read_text().startswith(text)


def test_the_log_tells_results_of_one_check_apart(tmp_path: Path) -> None:
    run("check", "network.outbound-25", "--demo", "--log", str(tmp_path / "log"))
    assert re.search(r"Z network\.outbound-25 \[v4\] \w+ after", (tmp_path / "log").read_text())


def test_a_log_that_cannot_be_written_is_said_before_anything_runs(tmp_path: Path) -> None:
    done = run("check", "--demo", "--log", str(tmp_path / "no" / "log"))
    assert (done.returncode, done.stdout) == (64, "")
    assert done.stderr.count("\n") == 1


def test_a_log_that_takes_not_even_the_first_line_is_said_before_anything_runs() -> None:
    done = run("check", "--demo", "--log", "/dev/full")
    assert (done.returncode, done.stdout) == (64, "")
    assert "No space left" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="needs files of another user")
@pytest.mark.parametrize("kind", ["file", "pipe", "name"])
def test_what_is_another_users_is_no_log(kind: str, tmp_path: Path) -> None:
    """Whoever reads it would see what root does, and whoever does not read could stop it."""
    path = tmp_path / "log"
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.touch()
    if kind == "name":
        os.link(path, tmp_path / "other")
    else:
        os.chown(path, 12345, 12345)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    done = run("check", "--demo", "--log", str(path))
    assert (done.returncode, done.stdout) == (64, "")
    assert "it is not this user's own file" in done.stderr
    assert os.read(reader, 100) == b""
    os.close(reader)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs what another user made")
@pytest.mark.parametrize("kind", ["pipe", "file"])
def test_where_another_user_sent_what_is_said_the_log_may_go_too(kind: str, tmp_path: Path) -> None:
    """With sudo a pipe, or a file, behind 2> belongs to who came so."""
    path = tmp_path / "said"
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.touch()
    os.chown(path, 12345, 12345)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    argv = [sys.executable, "-m", "mailcow_wizard", "check", "ports.smtp", "--demo", "--log", "/dev/stderr"]
    with path.open("w") as said:
        done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=said, check=False)
        assert done.returncode == 1
        assert b"mailcow-wizard" in os.read(reader, 4000)
    os.close(reader)


def test_the_device_that_takes_everything_is_a_log() -> None:
    assert run("check", "ports.smtp", "--demo", "--log", "/dev/null").returncode == 1


def test_a_recording_that_cannot_be_written_is_said_before_anything_runs(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in ("no/x.json", "file/x.json", "."):
        done = run("check", "--demo", "--record", str(tmp_path / path))
        assert (done.returncode, done.stdout) == (64, "")
        assert "could not be written" in done.stderr
        assert done.stderr.count("\n") == 1
