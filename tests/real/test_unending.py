"""A command that nothing ends, for it waits in the kernel, on a file system that is frozen: nobody waits for
ever, and nobody says that it has ended."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from changes import NEW, Place, nothing
from lab.inside import LabError, needs, wait_until
from lab.skip import or_skip

from mailcow_wizard.engine import mending
from mailcow_wizard.host.errors import Unending
from mailcow_wizard.host.files.changing import Changing
from mailcow_wizard.host.processes import doing
from mailcow_wizard.model import Command

pytestmark = [pytest.mark.real, pytest.mark.slow]

CHANGING = Changing()
_PATIENCE_S = 0.3
_WORDS = "does not end, not even when it is killed"


@contextmanager
def disk(place: Path) -> Iterator[Path]:
    """A small file system of its own, mounted. Raises LabError."""
    needs("mkfs.ext4", "fsfreeze", "mount")
    image, mounted = place / "image", place / "disk"
    image.write_bytes(bytes(16 << 20))
    mounted.mkdir()
    for argv in (["mkfs.ext4", "-q", "-F", str(image)], ["mount", "-o", "loop", str(image), str(mounted)]):
        done = subprocess.run(argv, capture_output=True, text=True)
        if done.returncode:
            raise LabError(f"{argv[0]}: {done.stderr.strip()}")
    try:
        yield mounted
    finally:
        assert wait_until(lambda: not subprocess.run(["umount", str(mounted)]).returncode, 20)


@contextmanager
def frozen(mounted: Path) -> Iterator[str]:
    """Whoever writes there waits until it is over; the words that do so."""
    subprocess.run(["fsfreeze", "-f", str(mounted)], check=True)
    try:
        yield f"echo x >{mounted}/file"
    finally:
        subprocess.run(["fsfreeze", "-u", str(mounted)], check=True)


@pytest.fixture
def mounted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(doing, "_PATIENCE_S", _PATIENCE_S)
    with or_skip(), disk(tmp_path) as made:
        yield made


def is_alive(pid: int) -> bool:
    try:
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())
    except FileNotFoundError:
        return False


def test_a_command_that_is_killed_and_goes_on(mounted: Path) -> None:
    noted = mounted.parent / "number"
    with frozen(mounted) as writes:
        begun = time.monotonic()
        with pytest.raises(Unending, match=rf"^sh \(process [0-9]+\) {_WORDS}$"):
            CHANGING.run(("sh", "-c", writes), 0.2, print, "mark", lambda pid: noted.write_text(str(pid)))
        pid = int(noted.read_text())
        assert is_alive(pid)
        with pytest.raises(Unending, match=rf"^process {pid} {_WORDS}$"):
            CHANGING.wait_for(pid, "mark", 0.2)
        assert time.monotonic() - begun < 5
    assert wait_until(lambda: not is_alive(pid), 10)
    CHANGING.wait_for(pid, "mark", 0.2)  # it is dead, and nobody may have buried it


def test_a_command_of_others_is_not_waited_for(tmp_path: Path) -> None:
    """It may not be killed, or is in nobody's group: the time is over all the same."""
    env = {"MAILCOW_WIZARD_CHANGE": "mark", "PATH": os.environ["PATH"]}
    process = subprocess.Popen(["sleep", "60"], env=env)
    try:
        with pytest.raises(Unending, match=_WORDS):
            CHANGING.wait_for(process.pid, "mark", 0.1)
        CHANGING.wait_for(process.pid, "another mark", 60)
    finally:
        process.kill()
        process.wait()


def test_a_change_whose_command_goes_on_is_not_taken_back_yet(mounted: Path, tmp_path: Path) -> None:
    place = Place(tmp_path / "place")
    with frozen(mounted) as writes:
        stuck = Command(("sh", "-c", writes), (("rm", "-f", f"{mounted}/file"),), 0.2)
        plan = place.made(place.edit("mailcow.conf", NEW), stuck)
        outcome = mending.apply(place.session(), plan, nothing, back=True)
        assert (outcome.state, _WORDS in outcome.error) == ("failed", True), outcome
        assert place.look() != place.before
    undone = mending.take_back(place.session(), outcome.change, nothing)
    assert undone.state == "undone", undone
    assert place.look() == place.before
