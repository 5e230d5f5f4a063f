"""Changes of the same lines, one on top of the other: which may be taken back, and what is said of others."""

from pathlib import Path

import pytest
from changes import SECRET, Place, nothing

from mailcow_wizard.engine import mending
from mailcow_wizard.engine.session import Session
from mailcow_wizard.engine.undo.target import Conflict
from mailcow_wizard.model import Command, Edit


def conf(zone: str, more: str = "") -> bytes:
    """A mailcow.conf of this time zone."""
    return f"# mailcow\nTZ={zone}\nAPI_KEY={SECRET}\n\nSKIP_CLAMD=n\n{more}".encode()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    made = Place(tmp_path / "place")
    made.write("mailcow.conf", conf("A"), 0o600)
    return made


def changed(place: Place, session: Session, *contents: bytes, name: str = "mailcow.conf") -> None:
    """A change for each of these contents."""
    for one in contents:
        assert mending.apply(session, place.made(place.edit(name, one)), nothing).state == "applied"


def taken_back(session: Session, change: str) -> None:
    assert mending.take_back(session, change, nothing).state == "undone"


def now(place: Place) -> bytes:
    return (place.root / "mailcow.conf").read_bytes()


@pytest.mark.parametrize("name", ["mailcow.conf", ".env"])
@pytest.mark.parametrize("last", ["C", "A"])
def test_a_later_change_of_the_same_line_goes_first(place: Place, last: str, name: str) -> None:
    """Also where it set what had been there before: taken back afterwards it would bring B back."""
    session = place.session()
    changed(place, session, conf("B"))
    changed(place, session, conf(last), name=name)
    for planned in (mending.backward, lambda *words: mending.take_back(*words, nothing)):
        with pytest.raises(Conflict, match=r"change 2 set the same lines later; .*: \./wizard undo 2"):
            planned(session, "1")
    assert now(place) == conf(last)
    taken_back(session, "2")
    taken_back(session, "1")
    assert now(place) == conf("A")


def test_of_several_that_one_is_named_without_which_it_goes(place: Place) -> None:
    session = place.session()
    changed(place, session, conf("B"), conf("C"), conf("C", "MINE=1\n"))
    with pytest.raises(Conflict, match="change 2 set the same lines later"):
        mending.backward(session, "1")
    with pytest.raises(Conflict, match="change 2 set the same lines later"):
        mending.backward(session, "1")
    taken_back(session, "2")
    taken_back(session, "1")
    assert now(place) == conf("A", "MINE=1\n")


def test_who_set_it_back_by_hand_is_no_change(place: Place) -> None:
    session = place.session()
    changed(place, session, conf("B"), conf("B", "MINE=1\n"))
    place.write("mailcow.conf", conf("A", "MINE=1\n"), 0o600)
    taken_back(session, "1")
    assert now(place) == conf("A", "MINE=1\n")


def test_a_later_change_that_was_taken_back_is_none(place: Place) -> None:
    session = place.session()
    changed(place, session, conf("B"), conf("A"))
    taken_back(session, "2")
    place.write("mailcow.conf", conf("A"), 0o600)
    taken_back(session, "1")
    assert now(place) == conf("A")


def test_a_trial_copy_that_is_gone_is_not_written_again(place: Place) -> None:
    """A plan that tries something out beside the file: its copy is no part of what is taken back."""
    session, trial = place.session(), str(place.root / "trial")
    copy = (Edit(trial, None, b"x"), Command(("true",)), Edit(trial, b"x", None))
    plan = place.made(*copy, place.edit("mailcow.conf", conf("B")))
    assert mending.apply(session, plan, nothing).state == "applied"
    back = mending.backward(session, "1")
    assert [one.path for one in back.steps if isinstance(one, Edit)] == [f"{place.root}/mailcow.conf"]
    told: list[str] = []
    mending.take_back(session, "1", lambda progress: told.append(progress.text))
    assert not any(trial in one for one in told)
    assert now(place) == conf("A")
    assert not (place.root / "trial").exists()


def test_a_trial_copy_that_somebody_made_again_stays(place: Place) -> None:
    session, trial = place.session(), place.root / "trial"
    copy = (Edit(str(trial), None, b"x"), Edit(str(trial), b"x", None))
    assert mending.apply(session, place.made(*copy), nothing).state == "applied"
    trial.write_bytes(b"mine")
    with pytest.raises(Conflict, match="was made anew since"):
        mending.backward(session, "1")
    assert trial.read_bytes() == b"mine"
