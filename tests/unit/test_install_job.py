"""An install that goes on: a change that was being made is made, one that was being taken back is."""

import contextlib
import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from changes import OLD, Place

from mailcow_wizard.engine.journal import Journal, Standing
from mailcow_wizard.facts.compose import Compose as Installed
from mailcow_wizard.install import compose, override, worker
from mailcow_wizard.install.job import Failed, Job
from mailcow_wizard.install.standing import Choices, Record, fresh
from mailcow_wizard.model import Plan


class Killed(BaseException):
    """Nothing catches a SIGKILL."""


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A small machine."""
    return Place(tmp_path / "place")


def job(place: Place) -> Job:
    """The work on this machine's install, as it was left."""
    session = place.session()
    record = Record(session.state)
    begun = fresh("run", "2026-11-27T17:00:00Z", "mail.example.org", session.settings._asdict(), Choices())
    return Job(session, record, record.load() or begun, lambda text: None, lambda: False)


def two_edits_and_what_fails(place: Place, once: bool = True) -> Plan:
    """The command fails the first time, or always."""
    fails = "test -e tried && exit 0; touch tried; exit 1" if once else "exit 1"
    edits = place.edit("mailcow.conf", b"new\n"), place.edit("unit", b"new\n")
    return place.made(*edits, place.shell(f"({fails})", "true"))


def killed_where(
    job: Job, plan: Plan, monkeypatch: pytest.MonkeyPatch, state: str, back: tuple[str, ...]
) -> None:
    """The change is begun, and its work killed as soon as this much of it was taken back."""
    write = Journal.write

    def told(self: Journal, change: str, standing: Standing) -> None:
        write(self, change, standing)
        if standing.state == state and standing.back == back:
            raise Killed

    monkeypatch.setattr(Journal, "write", told)
    with contextlib.suppress(Killed):
        job.change(plan)
    monkeypatch.undo()
    assert job.record.load().change  # type: ignore[union-attr]


def test_what_was_being_taken_back_is_not_made_again(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of it stays away else, and the journal says that all of it is there."""
    plan = two_edits_and_what_fails(place)
    killed_where(job(place), plan, monkeypatch, "undoing", ("waiting", "done", "done"))
    assert Path(place.path("unit")).read_bytes() == place.before["unit"][0]
    again = job(place)
    again.settle()
    assert Path(place.path("mailcow.conf")).read_bytes() == OLD
    assert place.look() == {**place.before, "tried": (b"", 0o644)}
    (change,) = Journal(again.session.state).list()
    assert change.state == "undone"
    assert (again.standing.change, again.standing.changes) == ("", ())


def test_what_was_being_made_is_made(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = two_edits_and_what_fails(place)
    killed_where(job(place), plan, monkeypatch, "failed", ("waiting", "waiting", "waiting"))
    again = job(place)
    again.settle()
    assert Path(place.path("mailcow.conf")).read_bytes() == b"new\n"
    (change,) = Journal(again.session.state).list()
    assert (change.state, again.standing.changes) == ("applied", (change.id,))


def test_what_cannot_be_taken_back_is_told(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = two_edits_and_what_fails(place, once=False)
    killed_where(job(place), plan, monkeypatch, "undoing", ("waiting", "done", "done"))
    Path(place.path("mailcow.conf")).write_bytes(b"somebody else's\n")
    again = job(place)
    with pytest.raises(Failed, match="lines of this change were edited since"):
        again.settle()
    assert Path(place.path("mailcow.conf")).read_bytes() == b"somebody else's\n"
    assert again.standing.change == ""


def test_why_it_failed_is_not_what_taking_it_back_said(place: Place) -> None:
    fails = place.shell("(echo no such package; exit 1)", "echo nothing to remove")
    with pytest.raises(Failed, match=r"exit code 1 \(no such package\)$"):
        job(place).change(place.made(fails))


def test_a_stop_between_two_stages_leaves_the_one_before_done(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was asked for while a stage worked that has no place to stop at."""
    did: list[str] = []

    def work_of(stage: str) -> object:
        return lambda job: did.append(stage) or "all are there"

    monkeypatch.setattr(worker, "_work_of", work_of)
    stopped = job(place)
    stopped.asked = lambda: did[-1:] == ["packages"]
    worker.Installing(stopped).run()
    states = {one.id: one.state for one in stopped.standing.stages}
    assert (states["packages"], states["docker"]) == ("done", "waiting")
    assert stopped.standing.error.startswith("stopped before Docker; done: Preconditions, Packages")


@pytest.mark.parametrize("there", [True, False])
def test_adjustments_that_are_there_are_not_none(
    there: bool, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an earlier run wrote into the file is needed as before."""
    if there:
        place.write("docker-compose.override.yml", b"services: {}\n", 0o644)
    monkeypatch.setattr(override, "_packets", lambda job: [])
    monkeypatch.setattr(override, "_open_files", lambda job: [])
    said = "docker-compose.override.yml is there, nothing more is needed" if there else "none needed"
    assert override.run(job(place)) == said


def test_a_stop_amid_a_stage_says_in_which(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A part of it is done: where mailcow was to be started its containers may run."""
    did: list[str] = []

    def work(job: Job) -> str:
        did.append(job.stage)
        job.wait(0.1)
        return "done"

    monkeypatch.setattr(worker, "_work_of", lambda stage: work)
    monkeypatch.setattr(worker, "lasts", lambda stage, facts: True)
    stopped = job(place)
    failed = tuple(one._replace(state="failed", note="no") for one in stopped.standing.stages[-1:])
    stopped.stand(stages=(*stopped.standing.stages[:-1], *failed))
    stopped.asked = lambda: did[-1:] == ["up"]
    worker.Installing(stopped).run()
    assert [(one.state, one.note) for one in stopped.standing.stages[-2:]] == [
        ("waiting", "stopped here, as was asked for"),
        ("waiting", ""),
    ]
    assert stopped.standing.error == (
        "stopped in Start; done: Preconditions, Packages, Docker, Download, Configuration, Adjustments, "
        "Images"
    )


def test_compose_that_says_all_in_one_line_is_read(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """As Ubuntu 24.04's 2.24.6 does: the line is longer than any that is shown."""
    said = {"services": {f"service-{number}": {"image": "x" * 400} for number in range(18)}}
    file = Path(place.path("said"))
    file.write_text(json.dumps(said))
    monkeypatch.setattr(compose, "COMMANDS", {"native": ("sh", "-c", f"cat {file}")})
    one = job(place)
    one.standing = one.standing._replace(directory=str(file.parent))
    one.facts = lambda: SimpleNamespace(get=lambda fact: Installed("2.24.6", "", True, ""))
    assert compose.Compose(one).services() == said["services"]


@pytest.mark.parametrize(
    ("kills", "end"), [(1, ""), (2, "docker compose config failed: the command was killed")]
)
def test_a_short_command_that_is_killed_is_tried_once_more(
    kills: int, end: str, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the kernel kills one where memory runs out for a moment."""
    trace = Path(place.path("trace"))
    script = f"echo x >>{trace}; [ $(wc -l <{trace}) -gt {kills} ] && echo said && exit; kill -9 $$"
    monkeypatch.setattr(compose, "COMMANDS", {"native": ("sh", "-c", script)})
    monkeypatch.setattr(compose, "_PAUSE_S", 0.0)
    one = job(place)
    one.standing = one.standing._replace(directory=str(trace.parent))
    one.facts = lambda: SimpleNamespace(get=lambda fact: Installed("2.24.6", "", True, ""))
    if not end:
        assert compose.Compose(one).says("config") == ["said"]
        return
    with pytest.raises(Failed, match=end) as failed:
        compose.Compose(one).says("config")
    assert "journalctl -k" in failed.value.remedies[0]
