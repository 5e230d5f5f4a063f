"""A change is taken back by our own programs, wherever those lie by now: what --ssh brought is gone with the
session, and what the one file has unpacked with the boot."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from changes import Place, nothing
from lab.inside import CHECKOUT

from mailcow_wizard.engine import mending
from mailcow_wizard.engine.journal import Journal
from mailcow_wizard.host.programs.paths import here, program

# Any file beside them is a program that ends well.
OURS = "paths"
_APPLY = """
import sys
sys.path[:0] = [{code!r}, {tests!r}]
from pathlib import Path
from changes import Place, nothing
from mailcow_wizard.engine import mending
from mailcow_wizard.host.programs.paths import program
from mailcow_wizard.model import Command, Proof
place = Place(Path({root!r}))
made = Command((*program({ours!r}), "made"), ((*program({ours!r}), "back"),))
print(mending.apply(place.session(), place.made(place.edit("unit", b"new"), made), nothing).state)
"""


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A small machine, on which code that is gone by now has changed something."""
    code = tmp_path / "mailcow-wizard-ssh-0123456789/code"
    shutil.copytree(CHECKOUT / "mailcow_wizard", code / "mailcow_wizard")
    root = str(tmp_path / "place")
    text = _APPLY.format(code=str(code), tests=str(CHECKOUT / "tests"), root=root, ours=OURS)
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=False)
    assert done.stdout == "applied\n", done.stderr
    shutil.rmtree(code.parent)
    found = Place.__new__(Place)
    found.root, found.state = Path(root) / "machine", Path(root) / "state"
    return found


def test_it_is_taken_back(place: Place) -> None:
    outcome = mending.take_back(place.session(), "1", nothing)
    assert (outcome.state, outcome.error) == ("undone", "")
    assert Path(place.path("unit")).read_bytes() == b"enabled\n"


def test_it_is_shown_as_it_is_run(place: Place) -> None:
    back = mending.backward(place.session(), "1")
    assert (*program(OURS), "back") in [getattr(one, "argv", ()) for one in back.steps]
    assert "0123456789" not in str(Journal(place.session().state).plan("1"))


@pytest.mark.parametrize(
    "argv",
    [
        ("systemctl", "stop", "exim4"),
        ("/usr/bin/python3",),
        ("/usr/bin/python3", "/opt/theirs/host/programs/ufw_back.py"),
        ("/usr/bin/python3", "/opt/mailcow_wizard/host/programs/none.py"),
        ("/usr/bin/python3", "/opt/mailcow_wizard/host/../../x.py"),
        ("sh", "/opt/mailcow_wizard/host/programs/ufw_back.py"),
    ],
)
def test_what_is_not_ours_stays(argv: tuple[str, ...]) -> None:
    assert here(argv) == argv


def test_what_was_written_down_before_they_had_a_folder_is_found() -> None:
    assert here(("/usr/bin/python3", "/opt/mailcow_wizard/host/paths.py", "back")) == (*program(OURS), "back")


def test_what_lies_here_stays() -> None:
    assert here(program(OURS)) == program(OURS)
    assert os.path.exists(program(OURS)[1])
