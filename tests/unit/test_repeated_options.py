"""What the program tells to type works on what this line worked on: it repeats the options that say so."""

import json
import os
import re
import shlex
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from mended import Mailcow
from unit.test_command_line_terminal import on_terminal
from unit.test_undo import killed
from unit.this_checkout import ENVIRONMENT, WIZARD

from mailcow_wizard.cli.repeating import repeated
from mailcow_wizard.host.files.state import FOR_ROOT, StateDirectory, default_directory
from mailcow_wizard.install.standing import Choices, Record, fresh
from mailcow_wizard.model import Settings

Done = subprocess.CompletedProcess[str]
CONF = "MAILCOW_HOSTNAME=mail.example.org\nSMTP_PORT=25\nTZ=Europe/Berlin\n"


def run(words: Sequence[object], cwd: str = "/", **variables: str) -> Done:
    """Runs the program to its end, without a terminal."""
    return subprocess.run(
        [*WIZARD, *map(str, words)],
        env={**ENVIRONMENT, **variables},
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )


def pasted(line: str, *more: str) -> Done:
    """Runs a line as a shell would take it from the screen; `more` is typed behind it."""
    name, *words = shlex.split(line)
    assert name == "./wizard", line
    return run([*words, *more])


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory of mailcow's whose name needs quotes, with a file that everybody may read."""
    made = tmp_path / "my mailcow"
    made.mkdir()
    (made / "mailcow.conf").write_text(CONF)
    (made / "mailcow.conf").chmod(0o644)
    (made / "docker-compose.yml").write_text("services: {}\n")
    (made / "generate_config.sh").touch()
    return made


def given(place: Path) -> list[str]:
    """What says where it works, for `place`, and in which language it speaks."""
    return ["--dir", str(place), "--state-dir", str(place.parent / "state"), "--lang", "de"]


# --- which, and how -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "own", "as_root"),
    [
        ("check", (), ()),
        ("check --offline --json --timeout 3", (), ()),
        ("--dir /srv/x check", ("--dir /srv/x",), ("--dir /srv/x",)),
        ("check --dir=/srv/x", ("--dir /srv/x",), ("--dir /srv/x",)),
        ("check --dir /a --dir /b", ("--dir /b",), ("--dir /b",)),
        ("check --dir '/srv/it is'", ("--dir '/srv/it is'",), ("--dir '/srv/it is'",)),
        ("check --dir '$(id);`id`'", ("--dir '$(id);`id`'",), ("--dir '$(id);`id`'",)),
        ("--state-dir s undo", ("--state-dir s",), ("--state-dir s",)),
        ("--dir 'a\x1b[2Jb'", (r"--dir 'a\x1b[2Jb'",), (r"--dir 'a\x1b[2Jb'",)),
        ("--lang de", ("--lang de",), ("--lang de",)),
        ("--lang en", (), ()),
        # A recorded machine needs no root: what does is done on the machine itself.
        ("--demo", ("--demo",), ()),
        ("--demo --dir /d --state-dir /s", ("--dir /d", "--state-dir /s", "--demo"), ("--dir /d",)),
        ("--host 'a b.json' check", ("--host 'a b.json'",), ()),
        # An option's value, and what stands behind `--`, are no options.
        ("ack ports.smtp --reason --demo", (), ()),
        ("check -- --demo", (), ()),
        # The server repeats them itself.
        ("--ssh root@server --dir /srv/x check", (), ()),
        ("check --nonsense --demo", (), ()),
    ],
)
def test_what_is_repeated(line: str, own: tuple[str, ...], as_root: tuple[str, ...]) -> None:
    assert repeated(shlex.split(line), {"LANG": "C"}) == (own, as_root)


def test_defaults_are_not_repeated(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    english, german = {"LANG": "C"}, {"LANG": "de_DE.UTF-8"}
    assert repeated(["--lang", "de"], german) == ((), ())
    assert repeated(["--lang", "en"], german) == (("--lang en",), ("--lang en",))
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setenv("XDG_STATE_HOME", "/home/anna/state")
    mine, roots = default_directory(), FOR_ROOT
    assert repeated(["--state-dir", mine], english) == ((), (f"--state-dir {mine}",))
    assert repeated(["--state-dir", roots], english) == ((f"--state-dir {roots}",), ())
    assert repeated(["--state-dir", f"{mine}/"], english)[0] == ()
    usual, here = ["--dir", "/opt/mailcow-dockerized"], ["--dir", str(place)]
    monkeypatch.chdir("/")
    assert repeated(usual, english) == ((), ())
    assert repeated(here, english)[0] == (f"--dir '{place}'",)
    monkeypatch.chdir(place)
    assert repeated(here, english) == ((), ())
    assert repeated(usual, english)[0] == ("--dir /opt/mailcow-dockerized",)
    # Another directory may be that of a recording, or of answers.
    assert "--dir /opt/mailcow-dockerized" in repeated(["--demo", *usual], english)[0]


def test_what_would_drive_the_terminal_is_shown(tmp_path: Path) -> None:
    odd = tmp_path / "a\x1b[31m\u202eb"
    odd.mkdir()
    code, seen = on_terminal("conf", "lint", "--dir", str(odd))
    assert code == 64
    assert "\x1b" not in seen
    assert "\u202e" not in seen
    assert r"a\x1b[31m\u202eb' conf new`" in seen


# --- each face ----------------------------------------------------------------------------------------------


def test_the_lines_of_fix_and_conf(place: Path) -> None:
    listed = run(["fix", "config.permissions", *given(place)])
    line = next(one for one in listed.stdout.splitlines() if "./wizard" in one).partition(": ")[2]
    assert line == f"./wizard {shlex.join(given(place))} fix config.permissions conf-mode"
    planned = pasted(line, "--dry-run")
    assert (planned.returncode, "ausführen: chmod 600" in planned.stdout) == (0, True), planned
    made = pasted(line, "--yes") if os.geteuid() == 0 else None
    (place / "mailcow.conf").unlink()
    lacking = run(["conf", "lint", *given(place)])
    line = re.findall(r"`(\./wizard [^`]*)`", lacking.stderr)[0]
    assert line == f"./wizard {shlex.join(given(place))} conf new"
    assert not made or (made.returncode, os.listdir(place.parent / "state/changes")) == (0, ["1"]), made


def test_the_last_line_of_a_check(place: Path) -> None:
    code, seen = on_terminal("check", "config.permissions", "--offline", *given(place))
    assert code == 1
    line = re.findall(r"Weiter: (\./wizard .*) zeigt", seen)[0]
    assert line == f"./wizard {shlex.join(given(place))} fix config.permissions"
    assert pasted(line).returncode == 0


def test_a_report_is_told_to_its_reader(place: Path) -> None:
    (place / "mailcow.conf").unlink()
    state = place.parent / "state"
    assert run(["check", "config.present", "--offline", *given(place)]).returncode != 70
    kept = (state / "last-run.json").read_text()
    assert "`./wizard conf new`" in kept
    assert "--dir" not in kept
    told = run(["report", *given(place)]).stdout
    assert f"./wizard {shlex.join(given(place))} conf new" in told.replace("`", "").replace("\\", "")
    told = run(["report", "--state-dir", state, "--lang", "de", "--format", "html"]).stdout
    assert f"./wizard --state-dir {state} --lang de conf new" in told
    # Programs get what does not depend on who asks.
    told = run(["report", "--format", "json", *given(place)]).stdout
    assert "`mailcow-wizard conf new`" in json.loads(told)["checks"][0]["remedies"][0]


def test_what_next_of_a_change_that_was_interrupted(tmp_path: Path) -> None:
    mailcow = Mailcow(tmp_path)
    killed(mailcow)
    listed = run(["undo", "--list", "--state-dir", mailcow.state, "--lang", "de"])
    assert listed.returncode == 0
    back, on = re.findall(r"`(\./wizard [^`]*)`", listed.stdout)
    assert back == f"./wizard --state-dir {mailcow.state} --lang de undo 1"
    assert on == f"./wizard --state-dir {mailcow.state} --lang de fix --resume 1"
    assert pasted(on, "--dry-run").returncode == 0
    assert pasted(back, "--yes").returncode == 0
    assert [one["state"] for one in mailcow.changes()] == ["undone"]


def test_the_page_after_an_install(place: Path) -> None:
    state, settings = place.parent / "state", Settings(directory=str(place))._asdict()
    before = fresh("run", "2026-11-27T17:00:00Z", "mail.example.org", settings, Choices())
    done = before._replace(state="done", changes=("3",), answers="/root/answers.toml")
    Record(StateDirectory(str(state))).save(done)
    options = ["--dir", str(place), "--state-dir", str(state)]
    told = run(["install", "--offline", *options])
    assert "Nothing was changed" in told.stdout, told
    again = f"./wizard {shlex.join(options)}"
    for command in ("verify --first-mailbox info@example.org", "undo ID", "dns", "verify"):
        assert f": {again} {command}" in told.stdout, command
    # Another server has directories of its own.
    assert "$ ./wizard install --answers answers.toml --yes" in told.stdout
    assert told.stdout.count("./wizard ") == told.stdout.count(again) + 1


def test_what_programs_read_names_no_option(place: Path) -> None:
    done = run(["check", "config", "--json", "--offline", *given(place)])
    assert "mailcow-wizard conf" in done.stdout
    assert "mailcow-wizard --" not in done.stdout
    assert "--state-dir" not in done.stdout


def test_a_file_of_answers_is_for_another_server(tmp_path: Path) -> None:
    told = run(["answers", "--demo", "--state-dir", tmp_path]).stdout
    assert "#   ./wizard install --answers FILE --yes\n" in told
    assert "--demo" not in told


def test_the_fix_that_is_typed_next_has_the_same_answers(tmp_path: Path) -> None:
    answers = tmp_path / "answers.toml"
    answers.write_text('[server]\nhostname = "mx.example.net"\n')
    told = run(["fix", "ports.smtp", "--demo", "--answers", answers, "--state-dir", tmp_path])
    assert f"stop-service --answers {answers}" in told.stdout, told
