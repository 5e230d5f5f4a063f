"""Changes of the same lines, one on top of the other: which may be taken back, and what is said of others."""

from pathlib import Path

import pytest
from changes import SECRET, Place, nothing

from mailcow_wizard.engine import mending
from mailcow_wizard.engine.session import Session
from mailcow_wizard.engine.undo.target import Conflict


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
