"""What `conf` and `undo` say: what was done, what is not done and why, and never a secret."""

import json
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import json_schema
import pytest
from mended import Typist
from real.conf_place import SAMPLES, Place

from mailcow_wizard.host.files import state
from mailcow_wizard.report.schema import schema

NEW = (SAMPLES / "new.conf").read_text()
SECRET = "SEKRET21abc"
SILENT = {"DOCKER_HOST": "unix:///nowhere"}
"""An engine that does not answer."""
NOBODY = 65534


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A mailcow with the file as `conf new` writes it."""
    made = Place(tmp_path)
    made.write(NEW.encode())
    return made


@pytest.fixture
def empty(tmp_path: Path) -> Place:
    """A directory without mailcow.conf."""
    return Place(tmp_path)


# --- done ---


@pytest.mark.parametrize(
    ("word", "effect"),
    [
        ("MAILCOW_HOSTNAME=mail.example.net", "docker compose down && docker compose up -d"),
        ("IMAP_PORT=1143", "docker compose down && docker compose up -d"),
        ("SKIP_FTS=y", "docker compose up -d"),
        ("DOCKER_COMPOSE_VERSION=standalone", "mailcow's scripts take it up"),
    ],
)
def test_success_says_what_was_done(place: Place, word: str, effect: str) -> None:
    done = place.wizard("conf", "set", word, "--yes", "--offline")
    assert done.returncode == 0, done
    written, taken_up = done.stdout.splitlines()[-2:]
    key, again = word.partition("=")[0], shlex.join(place.argv)
    assert written == f"{place.conf}: {key} written. `{again} undo 1` takes it back."
    assert effect in taken_up


def test_new_says_what_was_done(empty: Place) -> None:
    words = ("conf", "new", "--hostname", "mail.example.org", "TZ=Europe/Berlin", "--yes", "--offline")
    done = empty.wizard(*words)
    assert done.returncode == 0, done
    assert f"{empty.conf}: all written. `{shlex.join(empty.argv)} undo 1` takes it back." in done.stdout


def test_changed_between_preview_and_apply_is_shown_again(place: Place) -> None:
    typist = Typist([*place.argv, "conf", "set", "SKIP_FTS=y"])
    typist.wait_for("Write this? [y/N] ")
    edited = f"{NEW}# by hand\n"
    place.write(edited.encode())
    typist.type("y\n")
    assert typist.code() == 73
    again = typist.seen.partition("What would be written now:")
    assert "was changed since it was shown" in again[0]
    assert "+SKIP_FTS=y" in again[2]
    assert place.conf.read_text() == edited


# --- not done ---


def test_a_file_that_nobody_reads_to_its_end(place: Place) -> None:
    line = NEW.count("\n") + 1
    broken = f"{NEW}X='{SECRET}\n"
    place.write(broken.encode())
    for words in (("TZ=Etc/UTC",), ("OWN=1", "--dry-run"), ("TZ=Europe/Berlin",)):
        done = place.wizard("conf", "set", *words, *(() if "--dry-run" in words else ("--yes",)))
        assert (done.returncode, done.stdout) == (64, "")
        assert f"bash reads nothing of this file from line {line} on" in done.stderr
    done = place.wizard("conf", "get", "TZ")
    assert (done.returncode, done.stdout) == (2, "Europe/Berlin\n")
    assert f"from line {line} on" in done.stderr
    assert place.conf.read_text() == broken
    done = place.wizard("fix", "config.hostname", "conf-hostname", "--yes", "--hostname", "mail.example.net")
    assert done.returncode != 0
    assert place.conf.read_text() == broken


def test_the_line_that_stops_the_readers_can_be_set(place: Place) -> None:
    before = NEW.replace("\nREDISPASS=", "\nREDISPASS='", 1)
    place.write(before.encode())
    assert place.wizard("conf", "set", "TZ=Etc/UTC", "--yes").returncode == 64
    done = place.wizard("conf", "set", "REDISPASS=abc123", "--yes")
    assert done.returncode == 0, done
    assert place.conf.read_text().count("REDISPASS=") == 1
    argv = ["bash", "-c", 'source "$0"; echo "$REDISPASS $TZ"', str(place.conf)]
    assert subprocess.run(argv, capture_output=True, text=True).stdout == "abc123 Europe/Berlin\n"


def test_one_document_whatever_happens(place: Place) -> None:
    assert place.document("conf", "set", "WATCHDOG_SUBJECT=it's", "--yes")["error"]
    assert place.document("conf", "set", "SKIP_FTS")["error"]
    assert place.document("conf", "get", "A B")["error"]
    assert place.document("conf", "set", "SKIP_FTS=y")["error"]
    assert place.document("undo", "--yes")["error"] == "there is no change to take back"
    assert place.document("check", "nonsense")["error"]
    assert place.document("fix", "config.timezone", "nonsense")["error"]
    assert place.document("conf", "set", "SKIP_FTS=y", "--yes")["error"] == ""
    place.conf.unlink()
    assert place.document("conf", "get", "TZ")["error"]
    said = place.document("undo", "--yes")
    assert (said["change"], said["state"]) == ("1", "applied")
    assert "was removed since" in said["error"]
    place.conf.mkdir()
    said = place.document("undo", "--yes")
    assert (said["change"], said["state"]) == ("1", "applied")
    assert said["error"]
    for words in ((), ("--json",)):
        assert place.wizard("undo", "--yes", *words).returncode == 73
        assert place.wizard("undo", "--dry-run", *words).returncode == 0


# --- the database ---


def test_where_docker_is_silent_nothing_of_the_database_changes(empty: Place) -> None:
    words = ("conf", "new", "--hostname", "mail.example.org", "TZ=Europe/Berlin", "--yes", "--offline")
    done = empty.wizard(*words, **SILENT)
    assert done.returncode == 73
    assert "Docker does not say whether mailcow has a database here" in done.stderr
    assert list(empty.directory.iterdir()) == []
    assert empty.wizard(*words).returncode == 0
    assert empty.wizard("conf", "set", "DBPASS=abc123", "--yes", **SILENT).returncode == 64
    assert empty.wizard("conf", "set", "DBPASS=abc123", "--yes").returncode == 0
    for change in ("2", "1"):
        made = empty.conf.read_bytes()
        for more, code in (("--yes", 73), ("--dry-run", 0)):
            done = empty.wizard("undo", more, **SILENT)
            assert done.returncode == code, done
            assert "Docker does not say whether mailcow has a database here" in done.stderr
            assert (f"{empty.state}/changes/2/0.before" in done.stderr) == (change == "2")
            assert empty.conf.read_bytes() == made
        assert "Docker" in empty.document("undo", "--yes", **SILENT)["error"]
        if change == "2":
            assert empty.wizard("undo", "--yes").returncode == 0
    # What has nothing to do with the database is taken back all the same.
    assert empty.wizard("conf", "set", "SKIP_FTS=y", "--yes").returncode == 0
    assert empty.wizard("undo", "--yes", **SILENT).returncode == 0
    assert empty.wizard("undo", "1", "--yes").returncode == 0
    assert list(empty.directory.iterdir()) == []


# --- who may see ---


def as_nobody(place: Place, *words: str, **env: str) -> "subprocess.CompletedProcess[str]":
    """The wizard as somebody who owns nothing here."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to become somebody else")
    python = "/usr/bin/python3"
    probe = [python, "-c", "import sys; print(sys.version_info >= (3, 10))"]
    if not shutil.which(python) or subprocess.run(probe, capture_output=True).stdout != b"True\n":
        pytest.skip("nobody needs a Python of the system, 3.10 or newer")
    for path in (place.directory, *place.directory.parents):
        if path.stat().st_uid == 0 and path != Path("/tmp"):
            path.chmod(path.stat().st_mode | 0o011)
    return subprocess.run(
        [python, *place.argv[1:], *words],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "HOME": "/nonexistent",
            **env,
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
        cwd="/",
    )


def test_a_journal_that_may_not_be_read(place: Place) -> None:
    assert place.wizard("conf", "set", "SKIP_FTS=y", "--yes").returncode == 0
    for words in (("undo", "--list"), ("undo", "--yes"), ("undo", "1", "--yes"), ("fix", "--resume", "1")):
        done = as_nobody(place, *words)
        assert done.returncode == 77, done
        assert "may be read by its owner only. Run: sudo " in done.stderr
        done = as_nobody(place, *words, "--json")
        assert done.returncode == 77, done
        assert "may be read" in json.loads(done.stdout)["error"]
        assert json_schema.faults(schema(), json.loads(done.stdout)) == []


def test_what_root_changed_is_mentioned(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(state, "FOR_ROOT", str(tmp_path / "root"))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert state.of_root(str(tmp_path / "own")) == ""
    (tmp_path / "root").mkdir(mode=0)
    assert state.of_root(str(tmp_path / "own")) == str(tmp_path / "root")
    assert state.of_root(str(tmp_path / "root")) == ""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert state.of_root(str(tmp_path / "own")) == ""


def test_the_advice_holds_no_secret(place: Place) -> None:
    place.conf.chmod(0o644)
    own = ("--state-dir", str(place.state.parent / "nobody"))
    done = as_nobody(place, *own, "conf", "set", f"REDISPASS={SECRET}", f"SMTP_PW={SECRET}", "--yes")
    assert done.returncode == 77, done
    assert "conf set 'REDISPASS=[removed]'" in done.stderr
    assert SECRET not in done.stdout + done.stderr
    done = place.wizard("conf", "set", f"REDISPASS:{SECRET}", "--yes")
    assert (done.returncode, done.stdout) == (64, "")
    assert SECRET not in done.stderr


def test_a_configuration_that_only_root_may_read(place: Place) -> None:
    for words in (("conf", "get", "DBPASS"), ("conf", "lint")):
        done = as_nobody(place, *words)
        assert (done.returncode, done.stdout) == (77, "")
        assert "may not be read by this user" in done.stderr
        done = as_nobody(place, *words, "--json")
        assert done.returncode == 77, done
        assert "may not be read" in json.loads(done.stdout)["error"]


def test_a_file_from_before_redis_had_a_password_beside_newer_files(place: Place) -> None:
    place.write(re.sub(rb"(?m)^REDISPASS=.*\n", b"", NEW.encode()))
    compose = place.directory / "docker-compose.yml"
    compose.write_text("services:\n  redis-mailcow:\n    environment:\n      - TZ=${TZ}\n")
    rules = [one["rule"] for one in place.document("conf", "lint")["findings"]]
    assert "redis-password-missing" not in rules
    compose.write_text(compose.read_text() + "      - REDISPASS=${REDISPASS}\n")
    rules = [one["rule"] for one in place.document("conf", "lint")["findings"]]
    assert "redis-password-missing" in rules
    assert place.wizard("conf", "set", "REDISPASS=abc123", "--yes").returncode == 0
    assert "redis-password-missing" not in place.wizard("conf", "lint").stdout
