"""A face that joins work which another one began: it hears that work, and no end of an earlier one."""

import threading
from pathlib import Path

import pytest
from changes import Place, nothing
from lab.inside import wait_until

from mailcow_wizard.engine import lock, mending


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


def test_work_that_is_killed_is_no_end(place: Place) -> None:
    session = place.session()
    made = mending.apply(session, place.made(place.shell("echo made", "true")), nothing)
    journal = mending.Journal(session.state)
    journal.tell(made.change, {"kind": "step", "step": 0, "text": "and then nothing"})
    assert mending.follow(session, made.change, nothing).error == "the work was ended from outside"
