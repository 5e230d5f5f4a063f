"""Acknowledgements: kept, listed, over, taken away; what they do to exit codes and lines."""

import json
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mailcow_wizard.engine.acknowledging import Acknowledgements
from mailcow_wizard.host.files.state import StateDirectory

SMTP = "ports.smtp"


def run(state: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    argv = [sys.executable, "-m", "mailcow_wizard", *words, "--state-dir", str(state)]
    return subprocess.run(argv, capture_output=True, text=True, timeout=60)


def checked(state: Path, *words: str) -> tuple[int, list[dict[str, Any]]]:
    done = run(state, "check", *words, "--demo", "--json")
    return done.returncode, json.loads(done.stdout)["checks"]


def test_an_acknowledged_finding_stays_what_it_is_and_no_longer_counts(tmp_path: Path) -> None:
    assert checked(tmp_path, SMTP)[0] == 1
    done = run(tmp_path, "ack", SMTP, "--reason", "mail goes elsewhere")
    assert (done.returncode, done.stderr) == (0, "")
    assert stat.S_IMODE((tmp_path / "acknowledgements.json").stat().st_mode) == 0o600
    code, (finding,) = checked(tmp_path, SMTP)
    assert (code, finding["status"]) == (0, "fail")
    assert finding["acknowledged"]["reason"] == "mail goes elsewhere"
    assert finding["acknowledged"]["until"] is None
    plain = run(tmp_path, "check", SMTP, "--demo", "--plain").stdout
    assert "(acknowledged: mail goes elsewhere)" in plain
    assert "1 fail, 1 of them acknowledged" in plain
    assert checked(tmp_path, "ports.http")[0] == 1


def test_what_is_removed_counts_again(tmp_path: Path) -> None:
    run(tmp_path, "ack", SMTP, "--reason", "x")
    assert run(tmp_path, "ack", SMTP, "--remove").returncode == 0
    assert checked(tmp_path, SMTP)[0] == 1
    again = run(tmp_path, "ack", SMTP, "--remove")
    assert (again.returncode, again.stderr) == (64, f"mailcow-wizard: {SMTP} is not acknowledged\n")
    run(tmp_path, "ack", SMTP, "--subject", "v4", "--reason", "x")
    assert "[v4]" in run(tmp_path, "ack", SMTP, "--remove").stderr


def test_it_is_over_after_its_last_day(tmp_path: Path) -> None:
    run(tmp_path, "ack", SMTP, "--reason", "x", "--until", "2999-12-31")
    assert checked(tmp_path, SMTP)[0] == 0
    kept = json.loads((tmp_path / "acknowledgements.json").read_text())
    kept[0]["until"] = "2020-01-01"
    (tmp_path / "acknowledgements.json").write_text(json.dumps(kept))
    code, (finding,) = checked(tmp_path, SMTP)
    assert (code, finding["acknowledged"]) == (1, None)
    (row,) = json.loads(run(tmp_path, "ack", "--list", "--json").stdout)["acknowledgements"]
    assert row["holds"] is False
    assert "(over)" not in row["reason"]
    assert ", until 2020-01-01 (over)" in run(tmp_path, "ack", "--list").stdout


@pytest.mark.parametrize("until", ["31.12.2099", "never", "2099-12-31 ", "２０９９-12-31"])
def test_what_is_until_no_day_that_there_is_counts(tmp_path: Path, until: str) -> None:
    run(tmp_path, "ack", SMTP, "--reason", "x", "--until", "2999-12-31")
    path = tmp_path / "acknowledgements.json"
    path.write_text(json.dumps([{**json.loads(path.read_text())[0], "until": until}]))
    assert checked(tmp_path, SMTP)[0] == 1
    assert f"acknowledged until {until}: it counts again" in run(tmp_path, "check", SMTP, "--demo").stderr
    assert "(over)" in run(tmp_path, "ack", "--list").stdout


def test_one_subject_of_several(tmp_path: Path) -> None:
    subject = "192.88.99.10"
    run(tmp_path, "ack", "dns.ptr", "--reason", "x", "--subject", subject)
    _, findings = checked(tmp_path, "dns.ptr")
    assert {one["subject"] for one in findings if one["acknowledged"]} == {subject}


def test_a_subject_that_the_last_run_did_not_have_is_told(tmp_path: Path) -> None:
    words = ("ack", "dns.mx", "--demo", "--reason", "x", "--subject")
    early = run(tmp_path, *words, "exmaple.org")
    assert (early.returncode, early.stderr) == (0, ""), "nobody can know yet"
    checked(tmp_path, "dns.mx")
    late = run(tmp_path, *words, "exmaple.org")
    assert (late.returncode, late.stdout != "") == (0, True)
    assert "it had no subject 'exmaple.org'; there were: example.org" in late.stderr
    assert run(tmp_path, *words, "example.org").stderr == ""
    assert run(tmp_path, "ack", "dns.mx", "--subject", "exmaple.org", "--remove").stderr == ""


def test_what_is_right_needs_none(tmp_path: Path) -> None:
    run(tmp_path, "ack", "ports.smtps", "--reason", "x")
    assert checked(tmp_path, "ports.smtps")[1][0]["acknowledged"] is None


@pytest.mark.parametrize(
    "words",
    [
        ("ack",),
        ("ack", SMTP),
        ("ack", SMTP, "--reason", "  "),
        ("ack", "ports", "--reason", "x"),
        ("ack", "nothing.here", "--reason", "x"),
        ("ack", SMTP, "--reason", "x", "--until", "soon"),
        ("ack", SMTP, "--reason", "x", "--until", "2020-01-01"),
        ("ack", SMTP, "--reason", "x", "--until", "0999-12-31"),
        ("ack", SMTP, "--reason", "x" * 401),
        ("ack", SMTP, "--reason", "x", "--remove"),
        ("check", "--reason", "x"),
    ],
)
def test_what_cannot_be_understood_is_refused_in_one_line(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = run(tmp_path, *words)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (64, "", 1)
    assert not (tmp_path / "acknowledgements.json").exists()


def test_a_reason_cannot_drive_the_terminal(tmp_path: Path) -> None:
    run(tmp_path, "ack", SMTP, "--reason", "\x1b[2Jgone\nnext")
    assert "\x1b" not in run(tmp_path, "check", SMTP, "--demo").stdout


@pytest.mark.parametrize("content", ["", "garbage", "{}", '[1, {}, {"check": 7}]', "[[[[", "null"])
def test_a_damaged_file_acknowledges_nothing(tmp_path: Path, content: str) -> None:
    (tmp_path / "acknowledgements.json").write_text(content)
    assert checked(tmp_path, SMTP)[0] == 1


def test_where_it_cannot_be_written_nothing_is_said_to_be_done(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = run(tmp_path / "file" / "state", "ack", SMTP, "--reason", "x")
    assert (done.returncode, done.stdout) == (73, "")


@pytest.mark.parametrize("form", [("--plain",), ("--json",), ("--format", "nagios")])
def test_one_that_is_over_is_named_when_its_finding_counts(tmp_path: Path, form: tuple[str, ...]) -> None:
    for check in ("ports.smtp", "ports.imap", "ports.http"):
        run(tmp_path, "ack", check, "--reason", "known")
    path = tmp_path / "acknowledgements.json"
    rows = json.loads(path.read_text())
    for row in rows[:2]:
        row["until"] = "2026-01-31"
    path.write_text(json.dumps(rows))
    said = run(tmp_path, "check", "ports", "--demo", *form).stderr.splitlines()
    assert said == ["mailcow-wizard: ports.smtp was acknowledged until 2026-01-31: it counts again"]


def test_several_at_once_are_all_kept(tmp_path: Path) -> None:
    """A program acknowledges what it knows of, without waiting for the end of each."""
    ids = ("ports.smtp", "ports.smtps", "ports.imap", "dns.a", "dns.mx", "system.os")
    place = ("--state-dir", str(tmp_path / "state"))
    argv = [sys.executable, "-m", "mailcow_wizard", "ack"]
    running = [
        subprocess.Popen([*argv, one, "--reason", "why", *place], stdout=subprocess.DEVNULL) for one in ids
    ]
    assert [one.wait(60) for one in running] == [0] * len(ids)
    kept = Acknowledgements(StateDirectory(str(tmp_path / "state"))).entries
    assert {one.check for one in kept} == set(ids)


@pytest.mark.parametrize("text", ["", "{", '{"version": 2}', "null"])
def test_a_file_that_cannot_be_read_is_not_written_over(text: str, tmp_path: Path) -> None:
    path = tmp_path / "acknowledgements.json"
    path.write_text(text)
    for words in ((SMTP, "--reason", "mail goes elsewhere"), (SMTP, "--remove"), ("--list",)):
        done = run(tmp_path, "ack", *words)
        assert done.returncode == 73, done.stdout + done.stderr
        assert f"{path} cannot be read, and stays as it is" in done.stderr
    assert path.read_text() == text
    assert checked(tmp_path, SMTP)[0] == 1


def test_what_a_newer_wizard_wrote_stays(tmp_path: Path) -> None:
    path = tmp_path / "acknowledgements.json"
    strange = [{"check": SMTP, "until": {"after": "boot"}}, ["x"]]
    path.write_text(json.dumps(strange))
    assert run(tmp_path, "ack", SMTP, "--reason", "mail goes elsewhere").returncode == 0
    assert run(tmp_path, "ack", "ports.http", "--reason", "later").returncode == 0
    assert run(tmp_path, "ack", SMTP, "--remove").returncode == 0
    kept = json.loads(path.read_text())
    assert [one for one in kept if one in strange] == strange
    assert len(kept) == len(strange) + 1
