"""Wizards with state directories of their own: whose changes exclude each other, and whose do not."""

import contextlib
import os
import resource
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from changes import Place, nothing
from lab.inside import wait_until

from mailcow_wizard.engine import lock, mending
from mailcow_wizard.engine.journal import Journal
from mailcow_wizard.engine.lock import Locked
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.files import common_locks, flock
from mailcow_wizard.host.files.state import StateDirectory
from mailcow_wizard.model import Plan

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="the locks are root's")


@pytest.fixture(autouse=True)
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where they lie."""
    monkeypatch.setattr(common_locks, "_PLACE", str(tmp_path / "run"))
    monkeypatch.setattr(lock, "_PATIENCE_S", 0.1)
    return tmp_path / "run"


def waiting(place: Place, root: bool = False) -> Plan:
    """A change that goes on until there is a file `go-on`."""
    return place.made(place.shell("until [ -e go-on ]; do sleep 0.05; done"))._replace(needs_root=root)


def under_way(place: Place, plan: Plan) -> threading.Thread:
    """Makes the change, beside."""
    thread = threading.Thread(target=mending.apply, args=(place.session(), plan, nothing))
    thread.start()
    state = place.session().state
    assert wait_until(lambda: bool((held := lock.holder(state)) and held.change), 20)
    return thread


def other(place: Place, tmp_path: Path) -> mending.Session:
    """A session on the same directory, through a link, with a state directory of its own."""
    (tmp_path / "link").symlink_to(place.root)
    session = place.session()
    session.settings = session.settings._replace(directory=f"{tmp_path}/link/")
    session.state = StateDirectory(str(tmp_path / "other-state"))
    return session


@pytest.mark.parametrize("root", [False, True])
def test_the_same_directory(root: bool, tmp_path: Path) -> None:
    place = Place(tmp_path / "one")
    thread = under_way(place, waiting(place, root))
    session = other(place, tmp_path)
    plan = place.made(place.edit("mailcow.conf", b"new\n"))
    with pytest.raises(Locked, match=rf"\(change 1\); see it with --state-dir {place.state}"):
        mending.apply(session, plan, nothing)
    assert Journal(session.state).list() == ()
    assert place.look() == place.before
    (place.root / "go-on").touch()
    thread.join()
    assert mending.apply(session, plan, nothing).state == "applied"
    back = threading.Thread(target=mending.take_back, args=(session, "1", nothing))
    back.start()
    back.join()
    assert Journal(session.state).get("1").state == "undone"


def test_taking_back_is_a_change_of_the_directory_that_it_was_made_in(tmp_path: Path) -> None:
    place, elsewhere = Place(tmp_path / "one"), Place(tmp_path / "two")
    session = other(place, tmp_path)
    mending.apply(session, place.made(place.shell("true", "true")), nothing)
    thread = under_way(place, waiting(place))
    session.settings = elsewhere.session().settings
    with pytest.raises(Locked):
        mending.take_back(session, "1", nothing)
    (place.root / "go-on").touch()
    thread.join()


@pytest.mark.parametrize(("first", "second", "excluded"), [(True, True, True), (True, False, False)])
def test_other_directories(first: bool, second: bool, excluded: bool, tmp_path: Path) -> None:
    """What needs no root, or only writes files, changes nothing that they have in common."""
    one, two = Place(tmp_path / "one"), Place(tmp_path / "two")
    thread = under_way(one, waiting(one, first))
    plan = two.made(two.shell("true"))._replace(needs_root=second)
    if excluded:
        with pytest.raises(Locked):
            mending.apply(two.session(), plan, nothing)
    else:
        assert mending.apply(two.session(), plan, nothing).state == "applied"
    written = two.made(two.edit("mailcow.conf", b"new\n"))._replace(needs_root=True)
    assert mending.apply(two.session(), written, nothing).state == "applied"
    (one.root / "go-on").touch()
    thread.join()


def test_a_short_change_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "_PATIENCE_S", 20.0)
    place = Place(tmp_path / "one")
    session = other(place, tmp_path)
    (path,) = lock.of_plan(place.plan, str(place.root))
    held = flock.take(path)
    timer = threading.Timer(0.6, held.close)
    timer.start()
    assert mending.apply(session, place.made(place.shell("true")), nothing).state == "applied"
    timer.join()


def test_nothing_is_left_taken(tmp_path: Path) -> None:
    """Neither by a change that was made, nor by one that was refused."""
    place = Place(tmp_path / "one")
    state = place.session().state
    paths = lock.of_install(str(place.root))
    assert len(paths) == 2
    held = flock.take(paths[1])
    with pytest.raises(Locked):
        lock.take(state, lock.INSTALL, paths)
    held.close()
    assert mending.apply(place.session(), waiting(place, True)._replace(steps=place.plan.steps), nothing)
    # The worker has said that it is done, and ends.
    assert wait_until(lambda: lock.holder(state) is None, 20)
    assert [flock.holder(path) for path in paths] == [None, None]


def test_only_root_looks_there(run: Path, tmp_path: Path) -> None:
    place = Place(tmp_path / "one")
    mending.apply(place.session(), place.made(place.shell("true")), nothing)
    assert run.stat().st_mode & 0o7777 == 0o700
    assert [one.stat().st_mode & 0o7777 for one in run.iterdir()] == [0o600]


def test_where_nothing_can_be_written_there_is_no_such_lock(run: Path, tmp_path: Path) -> None:
    run.write_text("in the way")
    place = Place(tmp_path / "one")
    assert mending.apply(place.session(), place.made(place.shell("true")), nothing).state == "applied"


def test_where_no_more_files_can_be_opened_nothing_is_changed(tmp_path: Path) -> None:
    """Whether somebody has the lock is not known then."""
    place = Place(tmp_path / "one")
    (path,) = lock.of_plan(place.plan, str(place.root))
    held = flock.take(path)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    state = place.session().state
    flock.take(f"{state.path}/lock").close()
    probe = os.open("/", os.O_RDONLY)
    os.close(probe)
    resource.setrlimit(resource.RLIMIT_NOFILE, (probe + 1, hard))  # room for the lock of the state directory
    try:
        with pytest.raises(HostError, match="Too many open files"):
            lock.take(state, "1", (path,))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        held.close()
    assert lock.holder(state) is None


def test_a_lock_from_before_a_file_system_was_made_read_only_still_counts(tmp_path: Path) -> None:
    run = tmp_path / "read-only"
    run.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(run)], check=False).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        held = flock.take(f"{run}/machine-1")
        held.close()
        subprocess.run(["mount", "-o", "remount,ro", str(run)], check=True)
        with contextlib.closing(flock.take(f"{run}/machine-1")), pytest.raises(flock.Taken):
            flock.take(f"{run}/machine-1", 0)
        for path in (f"{run}/machine-2", f"{run}/none/machine-2"):
            with pytest.raises(flock.Nowhere, match="Read-only file system"):
                flock.take(path)
    finally:
        subprocess.run(["umount", str(run)], check=True)


def test_a_fifo_in_the_place_of_a_lock_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "lock")
    found: list[object] = []
    state = StateDirectory(str(tmp_path))
    thread = threading.Thread(target=lambda: found.append(lock.holder(state)), daemon=True)
    thread.start()
    thread.join(20)
    assert found == [None]


def test_without_root_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 12345)
    assert lock.of_install("/opt/mailcow-dockerized") == ()


_SOMEBODY_TAKES = """import os, sys
from mailcow_wizard.host.files import flock
os.setgid(12345)
os.setuid(12345)
try:
    flock.take(sys.argv[1])
except flock.NowhereForUs as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("there", "says"),
    [(True, "may be written by its owner only"), (False, "could not be written: Permission denied")],
)
def test_who_may_not_take_it_is_told_what_is_in_the_way(reachable: Path, there: bool, says: str) -> None:
    place = reachable / "lock"
    if there:
        place.touch(0o600)
    argv = [sys.executable, "-c", _SOMEBODY_TAKES, str(place)]
    said = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60).stdout
    assert said == f"{place} {says}\n"
