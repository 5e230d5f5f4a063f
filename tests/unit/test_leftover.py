"""What an earlier session left half made, asked at each start: it costs little, and overlooks nothing."""

import subprocess
import sys
from pathlib import Path

import pytest
from changes import Place

from mailcow_wizard.engine import leftover
from mailcow_wizard.engine.journal import Journal, Standing

_ASKS = """
import sys
from mailcow_wizard.engine.leftover import left_over
from mailcow_wizard.engine.session import Session
from mailcow_wizard.host.real import RealHost
from mailcow_wizard.host.files.state import StateDirectory
from mailcow_wizard.model import Settings
print(left_over(Session(RealHost(), Settings(), StateDirectory(sys.argv[1]))))
print(sorted({"mailcow_wizard.engine.journal", "subprocess"} & sys.modules.keys()))
"""


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A small machine."""
    return Place(tmp_path / "place")


def written(place: Place, state: str) -> str:
    """The id of a change that stands so far, made by nobody at this moment."""
    journal = Journal(place.session().state)
    change = journal.add(place.plan, {}, "2026-01-02T03:04:05Z", {})
    journal.write(change, Standing(state, ("done",), ("waiting",)))  # type: ignore[arg-type]
    return change


@pytest.mark.parametrize("state", ["planned", "applying", "undoing", "interrupted"])
def test_half_made_is_found_behind_what_was_finished(state: str, place: Place) -> None:
    written(place, state)
    for one in leftover.SETTLED:
        written(place, one)
    assert leftover.left_over(place.session())


def test_what_was_finished_is_not_left_over_and_costs_no_imports(place: Place) -> None:
    for one in leftover.SETTLED:
        written(place, one)
    assert not leftover.left_over(place.session())
    asked = [sys.executable, "-c", _ASKS, str(place.state)]
    said = subprocess.run(asked, capture_output=True, text=True, check=True, timeout=60).stdout
    assert said.splitlines() == ["False", "[]"]


@pytest.mark.parametrize("text", ["", "[]", '{"state": []}', '{"state": "of a newer wizard"}', "\0" * 9])
def test_a_damaged_change_hides_no_half_made_one(text: str, place: Place) -> None:
    broken = written(place, "applied")
    (place.state / "changes" / broken / "progress.json").write_text(text)
    assert not leftover.left_over(place.session())
    written(place, "applying")
    assert leftover.left_over(place.session())
