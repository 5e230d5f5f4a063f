"""Changes whose taking back is refused: where it is known that nothing was changed they stay made."""

from pathlib import Path

import pytest
from changes import Place, nothing

from mailcow_wizard.engine import mending
from mailcow_wizard.engine.journal import Journal
from mailcow_wizard.model import Command, Plan


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "place")


def closed(*names: Path, more: tuple[tuple[str, ...], ...] = ()) -> Command:
    """Opens files for all, and closes them again."""
    files = tuple(map(str, names))
    return Command(("chmod", "0644", *files), (("chmod", "0600", *files), *more), timeout=20)


def back(place: Place, plan: Plan, *gone: Path) -> tuple[str, str, list[str]]:
    """The state and the reason after taking this change back, where these files are gone; what was told."""
    session = place.session()
    assert mending.apply(session, plan, nothing).state == "applied"
    for one in gone:
        one.unlink()
    told: list[str] = []
    end = mending.take_back(session, "1", lambda event: told.append(event.text))
    assert Journal(session.state).get("1").state == ("applied" if end.state == "applied" else "failed")
    return end.state, end.error, told


def test_a_chmod_that_did_nothing_leaves_the_change_made(place: Place) -> None:
    file = place.root / "unit"
    state, error, told = back(place, place.made(closed(file)), file)
    assert (state, error) == ("applied", "chmod failed with exit code 1")
    assert told.count("chmod failed with exit code 1") == 1, told


def test_a_chmod_that_did_a_part_does_not(place: Place) -> None:
    one, other = place.root / "unit", place.root / "log"
    state, error, told = back(place, place.made(closed(one, other)), other)
    assert (state, one.stat().st_mode & 0o777) == ("failed", 0o600)
    assert told.count(error) == 1, told


@pytest.mark.parametrize(
    "plan",
    [
        lambda place: place.made(closed(place.root / "unit", more=(("true",),))),
        lambda place: place.made(closed(place.root / "unit"), place.shell("true", "true")),
        lambda place: place.made(place.edit("etc/gone", None), closed(place.root / "unit")),
        lambda place: place.made(Command(("true",), (("sh", "-c", "exit 1"),)), closed(place.root / "unit")),
    ],
)
def test_where_more_was_done_or_is_not_known_it_is_interrupted(place: Place, plan: object) -> None:
    assert callable(plan)
    assert back(place, plan(place), place.root / "unit")[0] == "failed"


def test_a_command_that_is_not_there_did_nothing(place: Place) -> None:
    plan = place.made(Command(("true",), (("there-is-no-such-command",),)))
    assert back(place, plan)[0] == "applied"
