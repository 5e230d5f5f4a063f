"""--json, --plain and --ascii hold with each command, and where nothing comes of it too."""

import json
import shlex
import subprocess
from pathlib import Path

import json_schema
import pytest
from unit.test_command_line import document, refused, schema, wizard
from unit.this_checkout import ENVIRONMENT, WIZARD

from mailcow_wizard import __version__
from mailcow_wizard.host.terminal import streams


def test_a_document_is_promised_without_a_command_too() -> None:
    for words, instead in ((("--json",), "check --json"), (("--json", "report", "--format", "html"), "")):
        done = wizard(*words)
        assert done.returncode == 64
        assert instead in json.loads(done.stdout)["error"]
    done = wizard("--plain")
    assert (done.returncode, done.stdout) == (64, b"")
    assert b"check --plain" in done.stderr


def test_the_version_is_a_document_too() -> None:
    for words in (("--version", "--json"), ("check", "--json", "--version")):
        done = wizard(*words)
        assert (done.returncode, done.stderr) == (0, b"")
        assert document(done) == {"schema": 1, "version": __version__}
        assert json_schema.faults(schema(), document(done)) == []
    assert json_schema.faults(schema(), {"schema": 1, "version": "", "hostname": ""}) != []
    assert wizard("--version", "--plain").stdout == wizard("--version").stdout


def test_what_cannot_be_written_is_said_in_a_document(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    words = ("ack", "ports.smtp", "--reason", "x", "--json", "--demo", "--state-dir", f"{tmp_path}/state")
    done = wizard(*words)
    assert done.returncode == 73
    said = json.loads(done.stdout)["error"]
    assert said.startswith("nothing was changed: ")
    assert said in done.stderr.decode()


def test_lines_can_be_asked_for_with_each_command(tmp_path: Path) -> None:
    assert wizard("schema", "--plain").stdout == wizard("schema").stdout
    assert "report on" in refused(wizard("report", "--plain", "--state-dir", str(tmp_path)))


def test_wizard_on_a_terminal_is_neither_lines_nor_a_document(tmp_path: Path) -> None:
    for option in ("--json", "--plain"):
        line = shlex.join([*WIZARD, option, "--demo", "--state-dir", str(tmp_path)])
        done = subprocess.run(
            ["script", "-qec", line, "/dev/null"],
            capture_output=True,
            timeout=60,
            env=ENVIRONMENT,
            check=False,
        )
        assert done.returncode == 64
        assert f"check {option}".encode() in done.stdout


ASCII = {
    "check": ("check", "system", "ports", "time"),
    "fix": ("fix", "ports.smtp"),
    "plan": ("fix", "ports.smtp", "stop-service", "--dry-run"),
    "dns": ("dns",),
    "help": ("check", "--help"),
    "all help": ("--help",),
    "no terminal": (),
    "a word that is none": ("chöck",),
}


@pytest.mark.parametrize("name", ASCII)
def test_ascii_holds_in_german_too(name: str, tmp_path: Path) -> None:
    line = (*ASCII[name], "--demo", "--state-dir", str(tmp_path), "--lang", "de")
    as_it_is = wizard(*line)
    spelled = wizard(*line, "--ascii")
    assert spelled.returncode == as_it_is.returncode
    assert not (as_it_is.stdout + as_it_is.stderr).isascii()
    assert (spelled.stdout + spelled.stderr).isascii()
    assert b"\\x" not in spelled.stdout + spelled.stderr


def test_ascii_hides_a_password_with_stars(tmp_path: Path) -> None:
    (tmp_path / "mailcow.conf").write_text("MAILCOW_HOSTNAME=mail.example.org\nREDISPASS=Old1\n")
    done = wizard("conf", "set", "REDISPASS=New1", "--dry-run", "--ascii", "--dir", str(tmp_path))
    assert done.returncode == 0
    assert b"+REDISPASS=****" in done.stdout


def test_how_letters_are_spelled() -> None:
    text = "für Größe é → „x“ … ☃"
    error = UnicodeEncodeError("ascii", text, 0, len(text), "")
    assert streams._spelled(error) == ('fuer Groesse e -> "x" ... \\u2603', len(text))
