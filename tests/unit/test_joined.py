"""A face that joins work which another one began: it hears that work, and no end of an earlier one."""

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from changes import Place, nothing
from lab.inside import wait_until

from mailcow_wizard.cli import making
from mailcow_wizard.cli.arguments import Options
from mailcow_wizard.engine import lock, mending
from mailcow_wizard.host.files.state import StateDirectory
from mailcow_wizard.model import Command


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A small machine."""
    return Place(tmp_path / "place")


def test_taking_back_is_joined(place: Place) -> None:
    session = place.session()
    go_on = place.root / "go-on"
    waits = f"until [ -e {go_on} ]; do sleep 0.05; done"
    made = mending.apply(session, place.made(place.shell("echo made", f"echo undone; {waits}")), nothing)
    assert made.state == "applied"
    back = threading.Thread(target=mending.take_back, args=(place.session(), made.change, nothing))
    back.start()
    assert wait_until(lambda: (held := lock.holder(session.state)) is not None and held.change == "1", 20)
    heard: list[str] = []

    def listen(event: mending.Progress) -> None:
        heard.append(event.text)
        if event.text == "undone":
            go_on.touch()

    outcome = mending.follow(session, made.change, listen)
    go_on.touch()
    back.join(20)
    assert outcome.state == "undone"
    assert "undone" in heard
    assert "made" not in heard


def test_what_has_ended_says_how(place: Place) -> None:
    session = place.session()
    made = mending.apply(session, place.made(place.shell("echo made", "true")), nothing)
    assert mending.follow(session, made.change, nothing)._replace(finding=None) == made
    mending.take_back(session, made.change, nothing)
    assert mending.follow(session, made.change, nothing).state == "undone"


def test_what_compose_repeats_of_a_password_is_not_told(place: Place) -> None:
    session, heard = place.session(), list[str]()
    compose = place.root / "docker-compose"
    said = 'time="x" level=warning msg="The \\"hunter2\\" variable is not set. Defaulting to a blank string."'
    compose.write_text(f"#!/bin/sh\necho '{said}'\necho started\n")
    compose.chmod(0o755)
    plan = place.made(Command((str(compose), "up"), timeout=20))
    outcome = mending.apply(session, plan, lambda event: heard.append(event.text))
    assert (outcome.state, "started" in heard) == ("applied", True)
    assert any("variable is not set" in one for one in heard)
    assert "hunter2" not in " ".join(heard)
    kept = b"".join(one.read_bytes() for one in Path(place.state).rglob("*") if one.is_file())
    assert b"started" in kept
    assert b"hunter2" not in kept


def test_work_that_is_killed_is_no_end(place: Place) -> None:
    session = place.session()
    made = mending.apply(session, place.made(place.shell("echo made", "true")), nothing)
    journal = mending.Journal(session.state)
    journal.tell(made.change, {"kind": "step", "step": 0, "text": "and then nothing"})
    assert mending.follow(session, made.change, nothing).error == "the work was ended from outside"


def test_what_another_one_took_back_meanwhile_is_not_gone_on_with(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its first steps are not there any more, and would be said to be."""
    session = place.session()
    plan = place.made(place.edit("mailcow.conf", b"new\n"), place.shell("test -e ok", "true"))
    failed = mending.apply(session, plan, nothing)
    assert failed.state == "failed"
    Path(place.path("ok")).touch()
    take = lock.take

    def late(state: StateDirectory, change: str = "", beside: Sequence[str] = ()) -> lock.Lock:
        monkeypatch.setattr(lock, "take", take)
        assert mending.take_back(place.session(), failed.change, nothing).state == "undone"
        return take(state, change, beside)

    monkeypatch.setattr(lock, "take", late)
    with pytest.raises(mending.NotNow, match="taken back already"):
        mending.finish(session, failed.change, nothing)
    assert mending.Journal(session.state).get(failed.change).state == "undone"


def test_the_change_that_waits_is_confirmed_also_where_it_is_not_the_newest(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An older one, whose work was killed, is gone on with."""
    session = place.session()
    waits = place.made(place.shell("true", "true"))._replace(confirm=3.0)
    older = mending.Journal(session.state).add(waits, {}, "2026-11-27T17:00:00Z", session.settings._asdict())
    mending.apply(session, place.made(place.shell("true", "true")), nothing)
    monkeypatch.setattr(making.asking, "can_ask", lambda on_stderr: True)
    monkeypatch.setattr(making.asking, "ask_within", lambda question, seconds, on_stderr: True)
    talk = making.Talk(Options(), lambda text: None)
    outcome = making.told(talk, session, lambda listen: mending.finish(session, older, listen))
    assert (outcome.change, outcome.state, outcome.error) == (older, "applied", "")
