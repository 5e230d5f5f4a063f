"""The command `undo`, and `fix --resume`: what was changed is taken back, what others edited stays."""

import os
import signal
from pathlib import Path

import json_schema
import pytest
from lab.inside import wait_until
from mended import CHECK, FIX, NEW, OLD, SECRET, Mailcow, document, fits

from mailcow_wizard.engine import lock
from mailcow_wizard.host.files.state import StateDirectory
from mailcow_wizard.report.schema import schema


@pytest.fixture
def mailcow(tmp_path: Path) -> Mailcow:
    """A small mailcow directory whose TZ is empty."""
    return Mailcow(tmp_path)


def applied(mailcow: Mailcow, *commands: tuple[str, str]) -> None:
    """The fix is applied."""
    assert mailcow.fix("--yes", run=list(commands)).returncode == 0
    assert mailcow.conf.read_text() == NEW


# --- looking ---


def test_list(mailcow: Mailcow) -> None:
    done = mailcow.run("undo", "--list")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"Nothing was changed so far.\n", b"")
    assert not mailcow.state.exists()
    applied(mailcow)
    mailcow.conf.write_text(OLD)
    applied(mailcow)
    done = mailcow.run("undo", "--list", "--json")
    fits(done, "changes")
    rows = document(done)["changes"]
    assert [(row["id"], row["check"], row["fix"], row["state"]) for row in rows] == [
        ("2", CHECK, FIX, "applied"),
        ("1", CHECK, FIX, "applied"),
    ]
    lines = mailcow.run("undo", "--list").stdout.decode().splitlines()
    assert len(lines) == 2
    assert lines[0].split()[0] == "2"


def test_a_newest_change_that_stays_does_not_hide_the_one_before(mailcow: Mailcow) -> None:
    applied(mailcow)
    mailcow.conf.write_text(OLD)
    applied(mailcow)
    mailcow.conf.write_text(NEW.replace("Etc/UTC", "Europe/Berlin"))
    said = "to take back the change before it: ./wizard undo 1"
    for words, leads in (((), True), (("2",), False), (("1",), False)):
        done = mailcow.run("undo", *words, "--yes")
        assert (done.returncode, said in done.stderr.decode()) == (73, leads), done.stderr


def test_dry_run(mailcow: Mailcow) -> None:
    applied(mailcow, ("true", "echo back"))
    done = mailcow.run("undo", "--dry-run")
    assert (done.returncode, done.stderr) == (0, b"")
    assert "\n-TZ=Etc/UTC\n+TZ=\n" in done.stdout.decode()
    assert "1. run: sh -c 'echo back'\n" in done.stdout.decode()
    done = mailcow.run("undo", "--dry-run", "--json")
    fits(done, "undo")
    assert document(done)["state"] == "applied"
    assert mailcow.run("undo").returncode == 64
    assert mailcow.conf.read_text() == NEW


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("undo",), "there is no change to take back"),
        (("undo", "1"), "there is no change '1'"),
        (("undo", "../1"), "there is no change '../1'"),
        (("undo", "\u0661"), "there is no change"),
        (("undo", "9" * 5000), "there is no change"),
        (("undo", "1", "2"), "undo takes one change, but there is '2'"),
        (("undo", "--list", "1"), "undo --list lists all changes, but there is '1'"),
        (("undo", "--subject", "x"), "--subject goes with the command fix"),
    ],
)
def test_what_cannot_be_understood(words: tuple[str, ...], said: str, mailcow: Mailcow) -> None:
    done = mailcow.run(*words)
    assert (done.returncode, done.stdout) == (64, b"")
    assert said in done.stderr.decode()
    done = mailcow.run(*words, "--json")
    assert done.returncode == 64
    assert said in document(done)["error"]
    assert json_schema.faults(schema(), document(done)) == []


# --- taking back ---


def test_taken_back(mailcow: Mailcow) -> None:
    applied(mailcow, ("true", "echo back"))
    done = mailcow.run("undo", "--yes", "--json")
    assert done.returncode == 0
    fits(done, "undo")
    said = document(done)
    assert (said["change"], said["state"], said["result"]["id"]) == ("1", "undone", CHECK)
    assert said["result"]["status"] != "pass"
    assert mailcow.conf.read_text() == OLD
    assert mailcow.conf.stat().st_mode & 0o777 == 0o600
    for words in (("undo", "--yes"), ("undo", "1", "--yes")):
        done = mailcow.run(*words)
        assert (done.returncode, done.stdout) == (64, b"")
    assert b"change 1 was taken back already" in done.stderr


def test_what_others_edited_stays(mailcow: Mailcow) -> None:
    applied(mailcow)
    mailcow.conf.write_text(NEW.replace("SKIP_CLAMD=n", "SKIP_CLAMD=y") + "MINE=1\n")
    done = mailcow.run("undo", "--yes")
    assert done.returncode == 0
    assert mailcow.conf.read_text() == OLD.replace("SKIP_CLAMD=n", "SKIP_CLAMD=y") + "MINE=1\n"


def test_changes_of_one_file_are_taken_back_in_any_order(mailcow: Mailcow) -> None:
    wrong = ["TZ=\n", "TZ=No/Where\n"]
    assert mailcow.fix("--yes", replace=wrong).returncode in (1, 2)
    assert mailcow.fix("--yes", replace=["SKIP_CLAMD=n", "SKIP_CLAMD=y"]).returncode in (1, 2)
    assert mailcow.run("undo", "1", "--yes").returncode == 0
    assert mailcow.conf.read_text() == OLD.replace("SKIP_CLAMD=n", "SKIP_CLAMD=y")
    assert mailcow.run("undo", "--yes").returncode == 0
    assert mailcow.conf.read_text() == OLD


def test_very_lines_that_others_edited_are_refused_and_shown(mailcow: Mailcow) -> None:
    trace = mailcow.directory / "trace"
    applied(mailcow, ("true", f"touch {trace}"))
    edited = NEW.replace("TZ=Etc/UTC", "TZ=Europe/Berlin")
    mailcow.conf.write_text(edited)
    for words in (("--yes",), ("--dry-run",), ()):
        done = mailcow.run("undo", *words)
        assert done.returncode == (0 if words == ("--dry-run",) else 73)
        assert b"lines of this change were edited since" in done.stderr
        lines = done.stdout.decode().splitlines()
        assert lines == ["as it is now:", "  TZ=Europe/Berlin", "as it was before the change:", "  TZ="]
    done = mailcow.run("undo", "--yes", "--json")
    assert done.returncode == 73
    fits(done, "undo")
    assert document(done)["state"] == "applied"
    assert mailcow.conf.read_text() == edited
    assert not trace.exists()


def test_removed_file_is_not_made_again(mailcow: Mailcow) -> None:
    applied(mailcow)
    mailcow.conf.unlink()
    done = mailcow.run("undo", "--yes")
    assert done.returncode == 73
    assert b"was removed since" in done.stderr
    assert not mailcow.conf.exists()


def test_undo_that_fails_is_told_and_can_be_tried_again(mailcow: Mailcow) -> None:
    key = mailcow.directory / "key"
    applied(mailcow, ("true", f"test -e {key}"), ("true", "echo other"))
    done = mailcow.run("undo", "--yes", "--json")
    assert done.returncode == 1
    assert (document(done)["state"], document(done)["error"]) == (
        "interrupted",
        "sh failed with exit code 1",
    )
    # What could be taken back was.
    assert mailcow.conf.read_text() == OLD
    assert b"other" in done.stderr
    assert done.stderr.count(b"    sh failed with exit code 1") == 0  # told as the failure that it is
    key.touch()
    done = mailcow.run("undo", "--yes", "--json")
    assert (done.returncode, document(done)["state"]) == (0, "undone")
    assert b"other" not in done.stderr


# --- after kill -9 ---


def killed(mailcow: Mailcow, number: int = signal.SIGKILL) -> None:
    """The work is killed while its first command runs, which itself comes to its end."""
    trace = mailcow.directory / "trace"
    steps = [[f"sleep 0.5; echo did >>{trace}", f"echo undid >>{trace}"], [f"echo last >>{trace}", "true"]]
    process = mailcow.start("fix", CHECK, FIX, "--yes", run=steps)
    state = StateDirectory(str(mailcow.state))
    running = mailcow.state / "changes" / "1" / "running"
    assert wait_until(running.exists, 60)
    held = lock.holder(state)
    assert held is not None
    os.kill(held.pid, number)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 1
    assert b"change 1 is interrupted: the work was ended from outside; `./wizard undo 1` takes back" in err
    assert SECRET.encode() not in out + err


def test_killed_and_taken_back(mailcow: Mailcow) -> None:
    killed(mailcow)
    assert [row["state"] for row in mailcow.changes()] == ["interrupted"]
    listed = mailcow.run("undo", "--list").stdout.decode()
    assert "`./wizard undo 1` takes back what was done, `./wizard fix --resume 1` goes on" in listed
    done = mailcow.run("undo", "--yes")
    assert done.returncode == 0
    assert mailcow.conf.read_text() == OLD
    assert (mailcow.directory / "trace").read_text() == "did\nundid\n"
    assert [row["state"] for row in mailcow.changes()] == ["undone"]


def test_killed_and_gone_on_with(mailcow: Mailcow) -> None:
    killed(mailcow)
    done = mailcow.run("fix", "--resume", "1")
    assert done.returncode == 64
    assert b"run: sh -c" in done.stdout
    assert b"+TZ" not in done.stdout
    done = mailcow.run("fix", "--resume", "1", "--yes", "--json")
    assert done.returncode == 0
    fits(done, "undo")
    assert (document(done)["state"], document(done)["result"]["status"]) == ("applied", "pass")
    assert (mailcow.directory / "trace").read_text() == "did\ndid\nlast\n"
    done = mailcow.run("fix", "--resume", "1", "--yes")
    assert done.returncode == 64
    assert b"change 1 is applied already" in done.stderr
    assert mailcow.run("undo", "--yes").returncode == 0
    assert mailcow.conf.read_text() == OLD


def test_next_fix_says_what_was_interrupted(mailcow: Mailcow) -> None:
    killed(mailcow)
    mailcow.conf.write_text(OLD)
    done = mailcow.fix("--dry-run")
    assert done.returncode == 0
    for words in (("fix", CHECK), ("check", CHECK), ("check", CHECK, "--json")):
        assert b"interrupted: change 1" in mailcow.run(*words).stderr
    assert b"interrupted: change 1" in done.stderr
    assert b"`./wizard undo 1` takes back what was done, `./wizard fix --resume 1` goes on" in done.stderr


@pytest.mark.parametrize("name", ["change.json", "steps.json", "progress.json", "0.before", ""])
def test_damaged_journal_is_told(name: str, mailcow: Mailcow) -> None:
    applied(mailcow)
    place = mailcow.state / "changes" / "1"
    if name:
        (place / name).write_text("{")
    else:
        for path in place.iterdir():
            path.unlink()
    assert mailcow.run("undo", "--list").returncode == 0
    done = mailcow.run("undo", "1", "--yes")
    assert done.returncode == (73 if name else 64)
    assert mailcow.conf.read_text() == NEW
    assert b"a defect of the wizard" not in done.stderr


def test_what_is_interrupted_is_named_and_not_the_newest(mailcow: Mailcow) -> None:
    applied(mailcow, ("true", "echo going; sleep 2"))
    mailcow.conf.write_text(OLD)
    applied(mailcow)
    process = mailcow.start("undo", "1", "--yes")
    log = mailcow.state / "changes" / "1" / "log"
    assert wait_until(lambda: b'going"' in log.read_bytes(), 60)
    process.send_signal(signal.SIGINT)
    told = process.communicate(timeout=20)[1]
    assert process.returncode == 130
    assert b"change 1 is undone" in told


@pytest.mark.parametrize("content", ["{", '{"format": 2}'])
def test_an_older_change_is_not_taken_back_for_the_newest(content: str, mailcow: Mailcow) -> None:
    """The newest is damaged, or was made by a newer wizard."""
    applied(mailcow)
    mailcow.conf.write_text(OLD)
    applied(mailcow)
    place = mailcow.state / "changes" / "2"
    (place / "change.json").write_text(content)
    words = f"change 2 is not known any more: what is in {place}/ cannot be read".encode()
    listed = mailcow.run("undo", "--list", "--json")
    fits(listed, "changes")
    assert [row["id"] for row in document(listed)["changes"]] == ["1"]
    assert words in listed.stderr
    done = mailcow.run("undo", "--yes")
    assert (done.returncode, mailcow.conf.read_text()) == (73, NEW)
    assert words + b"; to take back change 1 all the same: ./wizard undo 1" in done.stderr
    assert mailcow.run("undo", "1", "--yes").returncode == 0
    assert mailcow.conf.read_text() == OLD
    done = mailcow.run("undo", "--yes")
    assert (done.returncode, words in done.stderr) == (73, True)
