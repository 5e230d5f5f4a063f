"""An open file goes to a process that nobody of ours started, and a lock with it."""

import contextlib
import fcntl
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.files import flock
from mailcow_wizard.host.processes import handing_on

_FETCHES = """import sys
from mailcow_wizard.host.files import flock
from mailcow_wizard.host.processes import handing_on
descriptors = handing_on.fetch(sys.argv[1])
print(f"has {len(descriptors)}", flush=True)
for one in descriptors:
    flock.Flock(one).say("the second")
sys.stdin.read()
"""
_STRANGER = """import os, sys
from mailcow_wizard.host.processes import handing_on
os.setgid(12345)
os.setuid(12345)
print(handing_on.fetch(sys.argv[1]))
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory whose path is longer than a socket's may be."""
    made = tmp_path / ("long" * 40)
    made.mkdir()
    return made


@contextlib.contextmanager
def fetching(place: Path, text: str = _FETCHES) -> Iterator["subprocess.Popen[str]"]:
    argv = [sys.executable, "-c", text, str(place)]
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, stdin=pipe, stdout=pipe, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def never() -> bool:
    return False


def test_the_lock_is_held_without_a_gap(place: Path) -> None:
    path, beside = str(place / "lock"), str(place / "beside")
    held, other = flock.take(path), flock.take(beside)
    held.say("the first, with a longer text")
    offer = handing_on.Offer(str(place))
    taken, over = [], threading.Event()

    def snatch() -> None:
        with open(path, "rb") as file:
            while not over.is_set():
                with contextlib.suppress(BlockingIOError):
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    taken.append(True)
                    fcntl.flock(file, fcntl.LOCK_UN)

    with fetching(place) as process:
        thread = threading.Thread(target=snatch)
        thread.start()
        try:
            assert offer.hand_on((held.descriptor, other.descriptor), never, 20)
            held.close()
            other.close()
            offer.close()
            assert process.stdout is not None
            assert process.stdout.readline() == "has 2\n"
        finally:
            over.set()
            thread.join()
        assert not taken
        assert flock.holder(path) is not None
        assert flock.holder(beside) is not None
    assert flock.holder(path) is None
    assert flock.holder(beside) is None
    assert (place / "lock").read_text() == "the second"
    assert not (place / "handing-on").exists()


def test_nobody_offers(place: Path) -> None:
    assert handing_on.fetch(str(place)) == ()
    assert handing_on.fetch(str(place / "missing")) == ()
    offer = handing_on.Offer(str(place))
    os.link(place / "handing-on", place / "kept")
    offer.close()
    os.rename(place / "kept", place / "handing-on")  # what a killed process leaves
    assert handing_on.fetch(str(place)) == ()
    handing_on.Offer(str(place)).close()


def test_nobody_comes(place: Path) -> None:
    offer = handing_on.Offer(str(place))
    assert not offer.hand_on((0,), lambda: True, 20)
    assert not offer.hand_on((0,), never, 0.4)
    offer.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user")
def test_a_stranger_gets_nothing(place: Path) -> None:
    offer = handing_on.Offer(str(place))
    (place / "handing-on").chmod(0o777)
    for one in (place, *place.parents):
        if one.stat().st_mode & 0o005 != 0o005:
            one.chmod(0o755)
    with fetching(place, _STRANGER) as process:
        assert not offer.hand_on((0,), lambda: process.poll() is not None, 20)
        assert process.stdout is not None
        assert process.stdout.read() == "()\n"
    offer.close()


def test_a_place_that_cannot_be_made(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="could not be made"):
        handing_on.Offer(str(tmp_path / "missing"))
