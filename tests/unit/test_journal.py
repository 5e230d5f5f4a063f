"""The journal: whole or not there, newest first, readable while it is written and after a kill."""

import json
from pathlib import Path

import pytest
from changes import NEW, OLD, Place

from mailcow_wizard.engine import lock
from mailcow_wizard.engine.journal import Found, Journal
from mailcow_wizard.engine.lock import Locked
from mailcow_wizard.host.errors import HostError, Missing

AT = "2026-01-02T03:04:05Z"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A small machine."""
    return Place(tmp_path / "place")


def added(place: Place) -> str:
    """The id of a change that was written down."""
    journal = Journal(place.session().state)
    return journal.add(place.plan, {0: Found(0o600, 0, 0, ("/a", "/a/b"))}, AT, {"domains": ["example.org"]})


def test_what_was_written_is_read(place: Place) -> None:
    change = added(place)
    journal = Journal(place.session().state)
    assert journal.plan(change) == place.plan
    assert journal.found(change) == {0: Found(0o600, 0, 0, ("/a", "/a/b"))}
    assert journal.settings(change) == {"domains": ["example.org"]}
    seen = journal.get(change)
    assert (seen.id, seen.at, seen.title, seen.state) == ("1", AT, "A test", "interrupted")
    assert [step["kind"] for step in seen.steps] == [
        *("edit", "command", "edit", "edit", "edit", "command", "manual")
    ]


def test_newest_first_and_never_a_number_twice(place: Place) -> None:
    assert [added(place) for _ in range(11)] == [str(number) for number in range(1, 12)]
    journal = Journal(place.session().state)
    assert [one.id for one in journal.list()] == [str(number) for number in range(11, 0, -1)]
    with pytest.raises(Missing):
        journal.get("12")


def test_only_the_owner_reads(place: Place) -> None:
    added(place)
    for path in place.state.rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path
    assert place.state.stat().st_mode & 0o777 == 0o700


def test_readable_part_holds_no_secret(place: Place) -> None:
    change = added(place)
    files = place.state / "changes" / change
    assert (files / "0.before").read_bytes() == OLD
    assert (files / "0.after").read_bytes() == NEW
    for path in files.iterdir():
        if path.suffix not in (".before", ".after"):
            assert b"hunter2" not in path.read_bytes(), path


def test_what_a_killed_one_left_is_swept(place: Place) -> None:
    left = place.state / "changes" / ".new-1"
    left.mkdir(parents=True)
    (left / "change.json").write_text("{")
    journal = Journal(place.session().state)
    assert journal.list() == ()
    assert added(place) == "1"
    assert not left.exists()
    assert len(journal.list()) == 1


def test_log_that_ends_in_the_middle(place: Place) -> None:
    change = added(place)
    journal = Journal(place.session().state)
    journal.tell(change, {"kind": "step", "step": 0, "text": "one"})
    log = place.state / "changes" / change / "log"
    with open(log, "ab") as file:
        file.write(b'{"kind": "st')
    events, end = journal.events(change, 0)
    assert [event["text"] for event in events] == ["one"]
    assert journal.events(change, end) == ((), end)
    start = journal.end_of_log(change)
    journal.tell(change, {"kind": "step", "step": 1, "text": "two"})
    assert [event["text"] for event in journal.events(change, 0)[0]] == ["one", "two"]
    assert [event["text"] for event in journal.events(change, start)[0]] == ["two"]


def test_state_is_under_way_only_while_somebody_is_at_it(place: Place) -> None:
    state = place.session().state
    one, other = added(place), added(place)
    held = lock.take(state)
    held.tell(other)
    assert [change.state for change in Journal(state).list()] == ["planned", "interrupted"]
    with pytest.raises(Locked) as refused:
        lock.take(state)
    assert refused.value.holder.change == other
    held.close()
    assert lock.holder(state) is None
    lock.take(state).close()
    assert {change.state for change in Journal(state).list()} == {"interrupted"}
    assert one != other


@pytest.mark.parametrize("now", ["2", "", None])
def test_an_older_change_is_not_made_by_an_install(now: str | None, place: Place) -> None:
    """It makes changes of its own, and says which is under way."""
    state = place.session().state
    for _one in range(2):
        added(place)
    held = lock.take(state, lock.INSTALL)
    if now is None:
        (place.state / "install.json").write_text("damaged")
    else:
        state.save("install", {"change": now})
    made, killed = (one.state for one in Journal(state).list())
    known = {
        "2": ("planned", "interrupted"),
        "": ("interrupted", "interrupted"),
        None: ("planned", "planned"),
    }
    assert (made, killed) == known[now]
    held.close()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": "x"}', "\0" * 5000])
def test_lock_with_nonsense_in_it(text: str, place: Place) -> None:
    state = place.session().state
    place.state.mkdir()
    (place.state / "lock").write_text(text)
    held = lock.take(state)
    (place.state / "lock").write_text(text)
    with pytest.raises(Locked, match="another process"):
        lock.take(state)
    held.close()


@pytest.mark.parametrize("name", ["change.json", "progress.json"])
def test_what_cannot_be_read_hides_nothing_else(name: str, place: Place) -> None:
    broken, whole = added(place), added(place)
    (place.state / "changes" / broken / name).write_text(json.dumps([]))
    journal = Journal(place.session().state)
    assert [one.id for one in journal.list()] == [whole]
    with pytest.raises(HostError, match="is not readable"):
        journal.get(broken)
