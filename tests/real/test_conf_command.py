"""`conf` as its users start it: real processes, real files, and back again with `undo`."""

import os
import re
import shlex
from pathlib import Path

import pytest
from real.conf_place import SAMPLES, Place

SECRET = "Ab1Ab1Ab1"
KEPT = "nothing was changed"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A mailcow with the file as `conf new` writes it."""
    made = Place(tmp_path)
    made.write((SAMPLES / "new.conf").read_bytes())
    return made


@pytest.fixture
def empty(tmp_path: Path) -> Place:
    """A directory without mailcow.conf."""
    return Place(tmp_path)


def test_get(place: Place) -> None:
    done = place.wizard("conf", "get", "SMTP_PORT")
    assert (done.returncode, done.stdout, done.stderr) == (0, "25\n", "")
    done = place.wizard("conf", "get", "API_KEY")
    assert (done.returncode, done.stdout) == (1, "")
    assert place.document("conf", "get", "TZ")["value"] == "Europe/Berlin"
    assert SECRET in place.wizard("conf", "get", "DBPASS").stdout
    done = place.wizard("conf", "get", "HTTP_BIND")
    assert (done.returncode, done.stdout) == (0, "\n")


@pytest.mark.parametrize(
    "words",
    [
        ("get",),
        ("get", "A", "B"),
        ("get", "A B"),
        ("set",),
        ("set", "SMTP_PORT"),
        ("set", "A-B=1"),
        ("set", "A=1", "A=2"),
        ("lint", "a", "b"),
        ("lint", "/nowhere"),
        ("new", "HOSTNAME"),
        ("put",),
        (),
    ],
)
def test_what_cannot_be_understood(place: Place, words: tuple[str, ...]) -> None:
    before = place.conf.read_bytes()
    done = place.wizard("conf", *words)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (64, "", 1)
    assert place.conf.read_bytes() == before


def test_set_and_undo(place: Place) -> None:
    before = place.conf.read_bytes()
    (place.directory / ".env").symlink_to("mailcow.conf")
    shown = place.wizard("conf", "set", "IMAP_PORT=1143", "--dry-run")
    assert shown.returncode == 0
    assert "\n-IMAP_PORT=143\n+IMAP_PORT=1143\n" in shown.stdout
    assert place.conf.read_bytes() == before
    done = place.wizard("conf", "set", "IMAP_PORT=1143", "WATCHDOG_SUBJECT=it is down", "--yes")
    assert done.returncode == 0, done
    after = place.conf.read_text()
    assert "\nIMAP_PORT=1143\n" in after
    assert "\nWATCHDOG_SUBJECT='it is down'\n" in after
    assert place.conf.stat().st_mode & 0o777 == 0o600
    assert os.readlink(place.directory / ".env") == "mailcow.conf"
    assert place.wizard("undo", "--yes").returncode in (0, 2)
    assert place.conf.read_bytes() == before
    assert sorted(path.name for path in place.directory.iterdir()) == [".env", "mailcow.conf"]


def test_set_says_what_it_did_as_json(place: Place) -> None:
    done = place.document("conf", "set", "SKIP_CLAMD=y", "--yes")
    assert done["applied"] is True
    assert "+SKIP_CLAMD=y" in done["diff"]
    again = place.document("conf", "set", "SKIP_CLAMD=y", "--yes")
    assert (again["applied"], again["diff"]) == (False, "")


def test_without_a_terminal_set_asks_for_yes(place: Place) -> None:
    before = place.conf.read_bytes()
    done = place.wizard("conf", "set", "SKIP_CLAMD=y")
    assert done.returncode == 64
    assert "+SKIP_CLAMD=y" in done.stdout
    assert "--yes" in done.stderr
    assert place.conf.read_bytes() == before


@pytest.mark.parametrize(
    "word",
    [
        "WATCHDOG_SUBJECT=it's",
        "WATCHDOG_SUBJECT=a\nb",
        "SMTP_PORT=mail",
        "SMTP_PORT= 25",
        "HTTP_PORT=8081",
        "HTTP_PORT=127.0.0.1:80",
        "HTTP_PORT=443",
        "SKIP_CLAMD=yes",
        "ENABLE_IPV6=y",
        "TZ=Europe/Nowhere",
        "MAILCOW_HOSTNAME=mail",
        "IPV4_NETWORK=172.22.1.0/24",
        "REDISPASS=a!",
        "API_KEY=abc",
        "ADDITIONAL_SAN=a.example.org, b.example.org",
        "HTTP_BIND=203.0.113.77",
        "DOVECOT_MASTER_USER=master",
    ],
)
def test_values_that_cannot_be_are_refused(place: Place, word: str) -> None:
    before = place.conf.read_bytes()
    done = place.wizard("conf", "set", word, "--yes")
    assert (done.returncode, done.stdout) == (64, "")
    assert KEPT in done.stderr
    assert done.stderr.count("\n") == 1
    assert place.conf.read_bytes() == before


def test_secrets_are_in_no_output(place: Place) -> None:
    for words in (
        ("set", "SPAMHAUS_DQS_KEY=Topsecret123"),
        ("set", "SPAMHAUS_DQS_KEY=Topsecret123", "--yes"),
    ):
        done = place.wizard("conf", *words)
        assert "Topsecret123" not in done.stdout + done.stderr
    assert "Topsecret123" in place.conf.read_text()
    place.write(place.conf.read_bytes().replace(b"DBPASS=", b"DBPASS= "))
    for words in (("conf", "lint"), ("conf", "lint", "--json"), ("undo", "--list"), ("undo", "--dry-run")):
        done = place.wizard(*words)
        assert "Topsecret123" not in done.stdout + done.stderr
        assert SECRET not in done.stdout + done.stderr


def test_lint(place: Place) -> None:
    (place.directory / ".env").symlink_to("mailcow.conf")
    text = (SAMPLES / "new.conf").read_text()
    assert place.wizard("conf", "lint", str(SAMPLES / "new.conf")).returncode == 0
    place.write(text.replace("COMPOSE_PROJECT_NAME=mailcowdockerized\n", "").encode())
    assert place.wizard("conf", "lint").returncode == 2
    place.write(text.replace("SMTP_PORT=25", "SMTP_PORT= 25").encode())
    done = place.wizard("conf", "lint")
    assert done.returncode == 1
    line = text.split("\n").index("SMTP_PORT=25") + 1
    assert done.stdout.startswith(f"{place.conf}:{line}: error: SMTP_PORT: there is a space")
    (finding,) = place.document("conf", "lint")["findings"]
    assert set(finding) == {"line", "key", "rule", "level", "message", "fix"}
    assert (finding["line"], finding["rule"], finding["fix"]) == (line, "space-around-equals", "SMTP_PORT=25")


def test_new(empty: Place) -> None:
    done = empty.wizard(
        "conf", "new", "--hostname", "mail.example.org", "TZ=Europe/Berlin", "--yes", "--offline"
    )
    assert done.returncode == 0, done
    assert empty.conf.stat().st_mode & 0o777 == 0o600
    assert os.readlink(empty.directory / ".env") == "mailcow.conf"
    made = empty.conf.read_text()
    secrets = re.findall(r"(?m)^(?:DBPASS|DBROOT|REDISPASS|SOGO_URL_ENCRYPTION_KEY)=([A-Za-z0-9]+)$", made)
    assert [len(secret) for secret in secrets] == [28, 28, 28, 16]
    assert len(set(secrets)) == 4
    assert not any(secret in done.stdout + done.stderr for secret in secrets)
    keys = [line.partition("=")[0].lstrip("#") for line in made.split("\n") if "=" in line]
    current = (SAMPLES / "new.conf").read_text().split("\n")
    assert keys == [line.partition("=")[0].lstrip("#") for line in current if "=" in line]
    assert empty.wizard("conf", "lint").returncode == 0
    again = empty.wizard("conf", "new", "--hostname", "mail.example.org", "TZ=Europe/Berlin", "--yes")
    assert (again.returncode, again.stdout) == (73, "")
    assert empty.conf.read_text() == made
    assert empty.wizard("undo", "--yes").returncode != 70
    assert list(empty.directory.iterdir()) == []


def test_without_a_file_set_names_what_makes_one(empty: Place) -> None:
    done = empty.wizard("conf", "set", "SMTP_PORT=25", "--yes")
    assert done.returncode == 73
    assert done.stderr.endswith(f"there is no {empty.conf}; `{shlex.join(empty.argv)} conf new` makes it\n")


def test_new_needs_a_name_and_takes_any_key(empty: Place) -> None:
    assert empty.wizard("conf", "new", "--hostname", "mail", "TZ=Europe/Berlin", "--yes").returncode == 64
    words = (
        "conf",
        "new",
        "MAILCOW_HOSTNAME=mail.example.org",
        "TZ=Europe/Berlin",
        "SKIP_CLAMD=y",
        "OWN=a b",
    )
    done = empty.wizard(*words, "--dry-run", "--offline")
    assert done.returncode == 0
    assert "\n+SKIP_CLAMD=y\n" in done.stdout
    assert "\n+OWN='a b'\n" in done.stdout
    assert list(empty.directory.iterdir()) == []


def obstacles(place: Place, kind: str) -> None:
    """Puts something in mailcow.conf's place that is no mailcow.conf."""
    place.conf.unlink(missing_ok=True)
    if kind == "a link that leads nowhere":
        place.conf.symlink_to("nowhere")
    elif kind == "a directory":
        place.conf.mkdir()
    elif kind == "not a text file":
        place.conf.write_bytes(os.urandom(3000) + b"\0")
    elif kind == "larger than":
        place.conf.write_bytes(b"A=1\n" * 1_310_720)


@pytest.mark.parametrize(
    "kind", ["a link that leads nowhere", "a directory", "not a text file", "larger than", "there is no"]
)
def test_what_is_no_configuration_is_said_and_left_alone(place: Place, kind: str) -> None:
    obstacles(place, kind)
    before = place.conf.read_bytes() if place.conf.is_file() else sorted(place.directory.iterdir())
    for words, code in (
        (("get", "TZ"), 64),
        (("lint",), 64),
        (("set", "TZ=Europe/Berlin", "--yes"), 73),
        (("set", "TZ=Europe/Berlin", "--dry-run"), 73),
        (("new", "--hostname", "mail.example.org", "--yes"), 73),
    ):
        if words[0] == "new" and kind == "there is no":
            continue
        done = place.wizard("conf", *words)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (code, "", 1), done
        assert words[0] == "new" or kind in done.stderr
    after = place.conf.read_bytes() if place.conf.is_file() else sorted(place.directory.iterdir())
    assert after == before


def test_a_link_to_mailcow_conf_is_followed_and_kept(place: Place) -> None:
    real = place.directory / "real"
    place.conf.rename(real)
    place.conf.symlink_to("real")
    assert place.wizard("conf", "set", "SKIP_FTS=y", "--yes").returncode == 0
    assert place.conf.is_symlink()
    assert "\nSKIP_FTS=y\n" in real.read_text()


def test_a_recorded_machine_is_not_changed(place: Place) -> None:
    done = place.wizard("conf", "set", "SKIP_FTS=y", "--demo", "--yes")
    assert done.returncode in (64, 73), done
    assert done.stderr.count("\n") == 1


def test_other_names_of_the_file_keep_what_was_there_and_that_is_said(place: Place, tmp_path: Path) -> None:
    snapshot = tmp_path / "snapshot.conf"
    os.link(place.conf, snapshot)
    before = snapshot.read_bytes()
    for words in (("--dry-run",), ("--yes",)):
        done = place.wizard("conf", "set", "SMTP_PORT=2525", *words)
        assert done.returncode == 0, done.stderr
        said = f"{place.conf} has 2 names (hard links): only this one changes, the others keep the old file."
        assert said in done.stderr
    assert snapshot.read_bytes() == before
    assert b"\nSMTP_PORT=2525\n" in place.conf.read_bytes()
    assert "hard links" not in place.wizard("conf", "set", "SMTP_PORT=25", "--dry-run").stderr


def test_a_fix_says_it_too(place: Place, tmp_path: Path) -> None:
    place.conf.write_bytes(place.conf.read_bytes().replace(b"\n", b"\r\n"))
    os.link(place.conf, tmp_path / "snapshot.conf")
    (wanted,) = [
        one for one in place.document("fix", "config.syntax")["fixes"] if one["id"].startswith("conf-")
    ]
    plan = place.document("fix", "config.syntax", wanted["id"], "--dry-run")["plan"]
    assert "has 2 names (hard links)" in plan["consequence"]
    done = place.wizard("fix", "config.syntax", wanted["id"], "--dry-run", LANG="de_DE.UTF-8")
    assert "hat 2 Namen (harte Links)" in done.stdout.replace("\n", " ")
