"""The stage of the start: containers that Docker does not tell of, or that are not there, do not run."""

import json
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest
from fake_host import FakeHost

from mailcow_wizard.engine.session import Session
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError, NoAnswer
from mailcow_wizard.host.files.state import StateDirectory
from mailcow_wizard.host.replies import HttpReply
from mailcow_wizard.install import up
from mailcow_wizard.install.job import Failed, Job
from mailcow_wizard.install.services import Service
from mailcow_wizard.model import Settings

BOX = Service("4711", "mailcow-nginx-mailcow-1", "nginx-mailcow", "running", "")
SILENT = NoAnswer("/run/docker.sock does not answer")


class Clock(Job):
    """A job on a machine without Docker, whose waiting takes no time."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.now_s = 0.0

    def tell(self, text: str) -> None:
        pass

    def progress(self, text: str, done: int = 0, whole: int = 0, now: bool = False) -> None:
        pass

    def wait(self, seconds: float) -> None:
        self.now_s += seconds


def watched(tmp_path: Any, monkeypatch: pytest.MonkeyPatch, *answers: Sequence[Service] | HostError) -> Clock:
    """A job and an engine that answers so, one after the other and the last for ever."""
    job = Clock(Session(FakeHost(), Settings(), StateDirectory(str(tmp_path / "state"))))
    left = list(answers)

    def services(facts: Facts, project: str) -> tuple[Service, ...]:
        said = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(said, HostError):
            raise said
        return tuple(said)

    monkeypatch.setattr(up, "services", services)
    monkeypatch.setattr("time.monotonic", lambda: 1000.0 + job.now_s)
    return job


def test_what_runs_for_a_while_runs(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert up._Watch(watched(tmp_path, monkeypatch, [BOX])).until_steady() == "1 containers run"


def test_what_docker_said_before_it_ended_is_not_how_it_is(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = up._Watch(watched(tmp_path, monkeypatch, [BOX], SILENT))
    with pytest.raises(Failed, match="Docker does not answer any more"):
        watch.until_steady()


def test_a_moment_without_an_answer_is_none(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(up, "await_engine", asked.append)
    watch = up._Watch(watched(tmp_path, monkeypatch, [BOX], SILENT, [BOX]))
    assert watch.until_steady() == "1 containers run"
    assert len(asked) == 1


def test_no_container_is_none_that_runs(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    watch = up._Watch(watched(tmp_path, monkeypatch, cast("Sequence[Service]", [])))
    with pytest.raises(Failed, match="no container of the project mailcowdockerized"):
        watch.until_steady()


def test_an_engine_that_answers_something_else(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(up, "await_engine", lambda job: None)
    watch = up._Watch(watched(tmp_path, monkeypatch, [BOX], SILENT))
    with pytest.raises(Failed, match=r"Docker does not say whether they run: .*does not answer"):
        watch.until_steady()


@pytest.mark.parametrize("test", ["", "it sleeps"])
def test_of_an_unhealthy_container_the_last_cause_counts_whatever_its_test_says(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, test: str
) -> None:
    ill = BOX._replace(health="unhealthy")
    job = watched(tmp_path, monkeypatch, [ill])
    host = job.session.host
    assert isinstance(host, FakeHost)
    said = {"State": {"Health": {"Log": [{"Output": test, "ExitCode": 1}]}}}
    monkeypatch.setattr(host, "http", lambda *_asked: HttpReply(200, json.dumps(said).encode()))
    host.commands["docker logs --tail 60 4711"] = "write: Permission denied\nwrite: No space left on device\n"
    assert "(the disk is full)" in str(up._struggling(job, up._Watch(job), [ill]))


def test_what_a_start_says_is_told_without_parts_of_passwords() -> None:
    told: list[str] = []
    said = up._Said(cast("Job", SimpleNamespace(tell=told.append)))
    said.hear(
        'time="x" level=warning msg="The \\"hunter2\\" variable is not set. Defaulting to a blank string."'
    )
    said.hear('failed to read /m/.env: Invalid template: "ab${hunter2"')
    assert len(told) == 2
    assert "hunter2" not in "".join((*told, *said.errors))
