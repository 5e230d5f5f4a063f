"""The command `install` before it changes anything: the plan, questions, refusals, the document."""

import json
import os
import subprocess
import sys
from pathlib import Path

import json_schema
import pytest
from fake_host import FakeHost

from mailcow_wizard.engine import lock
from mailcow_wizard.engine.given import Given
from mailcow_wizard.engine.session import Session
from mailcow_wizard.facts.docker_leftovers import stack
from mailcow_wizard.host.files.state import StateDirectory
from mailcow_wizard.host.recording.recorded import DEMO, load
from mailcow_wizard.install import following, going_on
from mailcow_wizard.install.outlook import present
from mailcow_wizard.install.standing import Choices, Record, fresh
from mailcow_wizard.model import Settings
from mailcow_wizard.report.schema import schema

NAME = "mail.example.org"
STAGES = [
    *("preconditions", "packages", "docker", "clone", "configuration"),
    *("override", "pull", "up", "verify"),
]


def run(state: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """Runs the command with a directory that is empty."""
    place = state.parent / "mailcow"
    place.mkdir(exist_ok=True)
    argv = [sys.executable, "-m", "mailcow_wizard", "install", "--offline", "--state-dir", str(state)]
    argv += ["--dir", str(place), "--hostname", NAME, *words]
    return subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)


def document(done: "subprocess.CompletedProcess[str]") -> dict[str, object]:
    """The one document, as the schema wants it."""
    said: dict[str, object] = json.loads(done.stdout)
    described = schema()
    assert json_schema.faults(described["$defs"]["install"], said, described) == []
    return said


def test_dry_run(tmp_path: Path) -> None:
    done = run(tmp_path / "state", "--dry-run")
    assert (done.returncode, done.stderr) == (0, "")
    for words in ("git clone --progress --branch master -- https://github.com/", "docker compose up -d"):
        assert words in done.stdout
    said = document(run(tmp_path / "state", "--dry-run", "--json"))
    assert (said["state"], said["hostname"], said["error"]) == ("planned", NAME, "")
    stages = said["stages"]
    assert isinstance(stages, list)
    assert [one["id"] for one in stages] == STAGES
    assert not (tmp_path / "state").exists()


def test_a_dry_run_beside_an_install_that_is_under_way(tmp_path: Path) -> None:
    """It shows how far that is, and does not follow it."""
    state = StateDirectory(str(tmp_path / "state"))
    settings = Settings(str(tmp_path / "mailcow"), hostname=NAME)._asdict()
    held = lock.take(state, lock.INSTALL)
    Record(state).save(fresh("run", "2026-11-27T17:00:00Z", NAME, settings, Choices()))
    shown = run(tmp_path / "state", "--dry-run")
    held.close()
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "1. Preconditions" in shown.stdout


def test_nobody_to_ask(tmp_path: Path) -> None:
    done = run(tmp_path / "state")
    assert done.returncode == 64
    assert "docker compose pull" in done.stdout
    assert "it takes --yes" in done.stderr
    said = document(run(tmp_path / "state", "--json"))
    assert said["state"] == "refused"
    assert not (tmp_path / "state").exists()
    assert not os.listdir(tmp_path / "mailcow")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("again",), "install takes no words"),
        (("--branch", "-x"), "is no name of a branch"),
        (("--branch", "a/../b"), "is no name of a branch"),
        (("--repository", "--upload-pack=x"), "is no address of a git repository"),
        (("--stop",), "no install is under way"),
        (("--stop", "--dry-run"), "exclude each other"),
        (("--yes", "--hostname", "mail"), "mail"),
        (("--yes", "--hostname", "example.org"), "'example.org' is not a full name"),
    ],
)
def test_refused(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    done = run(tmp_path / "state", *words)
    assert done.returncode == 64
    assert said in done.stderr
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("who", ["me:t0ps3cret", "ghp_t0ps3cretabcdefghijklmnopqrstuvwxyz012345"])
def test_a_password_of_a_repository_is_neither_taken_nor_told(tmp_path: Path, who: str) -> None:
    """Everybody could read it among git's words and in the checkout; the answers said that nothing of theirs
    is secret."""
    address = f"https://{who}@git.example.org/mailcow"
    answers = tmp_path / "answers.toml"
    answers.write_text(f'[source]\nrepository = "{address}"\n')
    for words in (("--repository", address), ("--answers", str(answers))):
        for more in ((), ("--json",)):
            done = run(tmp_path / "state", "--yes", *words, *more)
            assert done.returncode == 64
            assert "every user of the server could read" in done.stderr
            assert "t0ps3cret" not in done.stdout + done.stderr


def test_a_dry_run_says_that_the_name_cannot_be_used(tmp_path: Path) -> None:
    done = run(tmp_path / "state", "--dry-run", "--hostname", "example.org")
    assert done.returncode == 0
    assert "'example.org' is not a full name" in done.stderr
    assert "MAILCOW_HOSTNAME=example.org" in done.stdout
    assert "not a full name" not in run(tmp_path / "state", "--dry-run").stderr


def test_other_source(tmp_path: Path) -> None:
    done = run(tmp_path / "state", "--dry-run", "--branch", "nightly", "--repository", "/srv/a b")
    assert "--branch nightly -- '/srv/a b' " in done.stdout


def test_a_recorded_machine_is_not_changed(tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "mailcow_wizard", "install", "--demo", "--yes", "--hostname", NAME]
    argv += ["--state-dir", str(tmp_path / "state")]
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    assert done.returncode in (0, 64)
    assert not (tmp_path / "state").exists()


def test_what_was_said_first_counts(tmp_path: Path) -> None:
    told = Settings("/srv/mailcow", hostname=NAME, domains=("example.org",), offline=True)
    before = fresh("run", "2026-11-27T17:00:00Z", NAME, told._asdict(), Choices(branch="nightly"))
    state = StateDirectory(str(tmp_path / "state"))

    def session(said: Settings, given: Given | None = None) -> Session:
        return Session(load(DEMO), said, state, given=given)

    now = session(Settings(hostname="mx.example.org"))
    by_file = before._replace(settings={**before.settings, "conf": ("TZ=Etc/UTC", "SKIP_CLAMD=n")})
    session(Settings()).choose({"SKIP_CLAMD": "y"})  # on the screen, before it goes on without the file
    chosen = session(Settings())
    assert going_on.settings(chosen, by_file).conf == ("TZ=Etc/UTC", "SKIP_CLAMD=y")
    chosen.chosen_is_written()
    assert going_on.settings(session(Settings()), by_file).conf == ("TZ=Etc/UTC", "SKIP_CLAMD=n")
    assert going_on.settings(now, before) == told._replace(hostname="mx.example.org")
    assert going_on.settings(session(Settings("/srv/other")), before).directory == "/srv/other"
    assert going_on.settings(now, before._replace(state="done")) == now.settings
    assert going_on.choices(now, before).branch == "nightly"
    answered = session(Settings(), Given(choices=Choices(branch="legacy")))
    assert going_on.choices(answered, before).branch == "legacy"
    assert going_on.choices(now, None) == going_on.choices(now, before._replace(state="done")) == Choices()


def test_record(tmp_path: Path) -> None:
    record = Record(StateDirectory(str(tmp_path / "state")))
    assert record.load() is None
    standing = fresh("run", "2026-11-27T17:00:00Z", NAME, Settings()._asdict(), Choices())
    record.save(standing)
    assert record.load() == standing._replace(settings=record.load().settings)  # type: ignore[union-attr]
    assert standing.stage == "preconditions"
    record.save_secrets({"DBPASS": "x"})
    assert record.secrets() == {"DBPASS": "x"}
    assert (tmp_path / "state/install-secrets.json").stat().st_mode & 0o777 == 0o600
    (tmp_path / "state/install.json").write_text('{"run": 1}')
    assert record.load() is None


def test_leftovers_of_another_directory_are_no_mailcow_that_is_here(tmp_path: Path) -> None:
    demo = load(DEMO)
    session = Session(demo, Settings(directory=demo.directory), StateDirectory(str(tmp_path / "state")))
    assert session.new_facts().get(stack).containers
    assert present(session, None) == ""


def done(place: Path, kept: Path, **more: object) -> Record:
    """The record of an install that has come to its end in this directory."""
    record = Record(StateDirectory(str(kept)))
    stages = fresh("run", "2026-11-27T17:00:00Z", NAME, Settings(str(place))._asdict(), Choices())
    ended = stages._replace(
        state="done",
        ended="2026-11-27T18:00:00Z",
        stages=tuple(one._replace(state="done", note="was done") for one in stages.stages),
        marks=("started",),
    )
    record.save(ended._replace(**more))  # type: ignore[arg-type]
    return record


def test_what_was_installed_and_is_gone_is_installed_again(tmp_path: Path) -> None:
    place = tmp_path / "mailcow"
    record = done(place, tmp_path / "state")
    record.save_proxies({"https_proxy": "http://proxy.example.org:3128"})
    shown = run(tmp_path / "state", "--dry-run", "--json")
    said = document(shown)
    assert (shown.returncode, said["state"]) == (0, "planned"), shown.stderr
    assert {one["state"] for one in said["stages"]} == {"waiting"}  # type: ignore[attr-defined]
    session = Session(
        FakeHost(), Settings(str(place), hostname=NAME), StateDirectory(str(tmp_path / "state"))
    )
    _run, held = following.begin(session, Choices())
    held.close()
    begun = record.load()
    assert begun
    assert (begun.state, begun.stage, begun.marks, begun.ended) == ("running", "preconditions", (), "")
    assert record.proxies() == {}


def test_an_install_that_goes_on_keeps_its_proxy(tmp_path: Path) -> None:
    place = tmp_path / "mailcow"
    record = done(place, tmp_path / "state", state="failed")
    record.save_proxies({"https_proxy": "http://proxy.example.org:3128"})
    session = Session(
        FakeHost(), Settings(str(place), hostname=NAME), StateDirectory(str(tmp_path / "state"))
    )
    _run, held = following.begin(session, Choices())
    held.close()
    assert record.load().marks == ("started",)  # type: ignore[union-attr]
    assert record.proxies()


def test_what_was_installed_and_is_there_stays(tmp_path: Path) -> None:
    place = tmp_path / "mailcow"
    place.mkdir()
    (place / "mailcow.conf").write_text(f"MAILCOW_HOSTNAME={NAME}\n")
    done(place, tmp_path / "state")
    shown = run(tmp_path / "state", "--dry-run", "--json")
    said = document(shown)
    assert (shown.returncode, said["state"]) == (0, "present")
    assert "was installed here by this wizard (2026-11-27T18:00:00Z)" in shown.stderr
