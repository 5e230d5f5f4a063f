"""Files on real file systems: full, read-only, immutable; links, owners, ACLs."""

import errno
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from changes import NEW, OLD, Place, nothing

from mailcow_wizard.cli import making
from mailcow_wizard.engine import mending
from mailcow_wizard.engine.journal import Journal
from mailcow_wizard.host.errors import Denied, HostError, TooLarge
from mailcow_wizard.host.files.changing import CannotWrite, Changed, Changing, Seen
from mailcow_wizard.model import Edit, Plan

NEEDS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to mount")
CHANGING = Changing()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A small machine."""
    return Place(tmp_path / "place")


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to mount")
    where = tmp_path / "small"
    where.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(where)], check=False)
    if done.returncode:
        pytest.skip("no tmpfs can be mounted here")
    yield where
    subprocess.run(["umount", str(where)], check=True)


def fill(where: Path) -> None:
    """Fills a file system to the last byte."""
    done = subprocess.run(
        ["dd", "if=/dev/zero", f"of={where}/filling", "bs=4k"], capture_output=True, text=True
    )
    assert os.strerror(errno.ENOSPC) in done.stderr


def parts(where: Path) -> list[str]:
    """Part files that were left behind."""
    return [str(path) for path in where.rglob("*") if path.name.endswith(".part")]


def replaced(path: Path, after: bytes | None, before: bytes | None = None) -> None:
    """Replaces a file's content."""
    old = path.read_bytes() if before is None and path.exists() else before
    CHANGING.replace(str(path), old, after, Seen("", None, 0o640, -1, -1), "test")


# --- what is kept ---


@NEEDS_ROOT
def test_mode_owner_acl_and_attributes_stay(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(0o2751)
    os.chown(path, 1234, 4321)
    path.chmod(0o2751)
    os.setxattr(path, "user.note", b"mine")
    if shutil.which("setfacl"):
        subprocess.run(["setfacl", "-m", "u:33:r", str(path)], check=True)
    before, names = path.stat(), {name: os.getxattr(path, name) for name in os.listxattr(path)}
    replaced(path, b"new")
    after = path.stat()
    assert path.read_bytes() == b"new"
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert {name: os.getxattr(path, name) for name in os.listxattr(path)} == names
    assert after.st_ino != before.st_ino


@NEEDS_ROOT
def test_acl_that_a_directory_hands_on_does_not_open_a_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(0o600)
    # Version 2; owner rwx, user 33 r, group and mask and others nothing, as setfacl -d would write them.
    entries = ((1, 7, -1), (2, 4, 33), (4, 0, -1), (16, 4, -1), (32, 0, -1))
    acl = b"\x02\0\0\0" + b"".join(
        tag.to_bytes(2, "little") + rights.to_bytes(2, "little") + who.to_bytes(4, "little", signed=True)
        for tag, rights, who in entries
    )
    try:
        os.setxattr(tmp_path, "system.posix_acl_default", acl)
    except OSError:
        pytest.skip("this file system has no ACLs")
    replaced(path, b"new")
    assert "system.posix_acl_access" not in os.listxattr(path)
    assert path.stat().st_mode & 0o7777 == 0o600


def test_link_stays_and_what_it_leads_to_is_changed(place: Place) -> None:
    session = place.session()
    plan = place.made(place.edit(".env", NEW))
    outcome = mending.apply(session, plan, nothing)
    assert outcome.state == "applied"
    assert os.readlink(place.path(".env")) == "mailcow.conf"
    assert (place.root / "mailcow.conf").read_bytes() == NEW
    assert mending.take_back(session, outcome.change, nothing).state == "undone"
    assert place.look() == place.before


def test_whole_plan_there_and_back(place: Place) -> None:
    session = place.session()
    told: list[mending.Progress] = []
    assert mending.apply(session, place.plan, told.append).state == "applied"
    assert place.look() == place.after
    assert ("output", 1, "turned off") in told
    assert mending.take_back(session, "1", told.append).state == "undone"
    assert place.look() == place.before
    assert place.directories() == {"etc"}
    assert parts(place.root) == []


def test_two_edits_of_one_file(place: Place) -> None:
    session = place.session()
    path = place.path("mailcow.conf")
    last = NEW.replace(b"SKIP_CLAMD=y", b"SKIP_CLAMD=other")
    plan = place.made(Edit(path, OLD, NEW), Edit(place.path(".env"), NEW, last))
    assert mending.apply(session, plan, nothing).state == "applied"
    assert (place.root / "mailcow.conf").read_bytes() == last
    assert [step.after for step in mending.backward(session, "1").steps if isinstance(step, Edit)] == [
        NEW,
        OLD,
    ]
    assert mending.take_back(session, "1", nothing).state == "undone"
    assert place.look() == place.before


# --- what is in the way ---


def refused(place: Place, plan: Plan, said: str) -> None:
    """The plan is refused before anything is begun, and nothing is different."""
    before = place.look()
    with pytest.raises(HostError, match=said):
        mending.apply(place.session(), plan, nothing)
    assert place.look() == before
    assert Journal(place.session().state).list() == ()


def test_what_is_not_what_was_shown(place: Place) -> None:
    plan = place.made(place.edit("mailcow.conf", NEW), place.edit("etc/new", b"x"))
    place.write("mailcow.conf", OLD + b"#\n", 0o600)
    with pytest.raises(Changed):
        mending.apply(place.session(), plan, nothing)
    refused(place, plan, "mailcow.conf was changed since it was shown")
    place.write("mailcow.conf", OLD, 0o600)
    place.write("etc/new", b"somebody else's", 0o600)
    refused(place, plan, "etc/new was changed since it was shown")
    (place.root / "etc/new").unlink()
    (place.root / "mailcow.conf").unlink()
    refused(place, plan, "mailcow.conf was changed since it was shown")


def test_link_that_leads_nowhere(place: Place) -> None:
    os.symlink("nowhere", place.path("link"))
    refused(place, place.made(Edit(place.path("link"), None, b"x")), "is a link that leads nowhere")
    os.symlink("round", place.path("round"))
    refused(place, place.made(Edit(place.path("round"), None, b"x")), "round")


def test_what_is_no_file(place: Place) -> None:
    refused(place, place.made(Edit(place.path("etc"), None, b"x")), "etc is a directory")
    os.mkfifo(place.path("pipe"))
    refused(place, place.made(Edit(place.path("pipe"), None, b"x")), "pipe is not a file")
    refused(place, place.made(Edit("/dev/null", b"", b"x")), "/dev/null is not a file")
    refused(place, place.made(Edit("/no\0where", None, b"x")), "a path that no file can have")
    with open(place.path("large"), "wb") as file:
        file.truncate(1 << 25)
    with pytest.raises(TooLarge):
        mending.apply(place.session(), place.made(Edit(place.path("large"), b"", b"x")), nothing)


def test_nothing_to_do(place: Place) -> None:
    plan = place.made(place.edit("mailcow.conf", OLD))
    assert not mending.works(plan)
    refused(place, plan, "there is nothing to do")


def test_full_disk_changes_nothing(small: Path, place: Place) -> None:
    one, other = small / "one", small / "other"
    for path in (one, other):
        path.write_bytes(b"old\n")
    fill(small)
    plan = place.made(
        place.edit("mailcow.conf", NEW), Edit(str(one), b"old\n", b"new\n"), place.shell("touch etc/late")
    )
    outcome = mending.apply(place.session(), plan, nothing, back=True)
    assert (outcome.state, outcome.error) == ("undone", f"{one} cannot be written: its disk is full")
    assert place.look() == place.before
    assert (one.read_bytes(), other.read_bytes()) == (b"old\n", b"old\n")
    assert parts(small) == []


def test_full_disk_in_the_middle(small: Path, place: Place) -> None:
    files = [small / str(number) for number in range(4)]
    for path in files:
        path.write_bytes(b"o" * 4096)
    (small / "filling").write_bytes(b"x" * 4096 * 9)
    plan = place.made(*(Edit(str(path), b"o" * 4096, b"n" * 4096 * 2) for path in files))
    outcome = mending.apply(place.session(), plan, nothing, back=True)
    assert outcome.state == "undone"
    assert "its disk is full" in outcome.error
    assert [path.read_bytes() for path in files] == [b"o" * 4096] * 4
    assert parts(small) == []


def test_full_state_directory(small: Path, place: Place) -> None:
    place.state = small / "state"
    fill(small)
    plan = place.made(place.edit("mailcow.conf", NEW))
    with pytest.raises(HostError, match="could not be"):
        mending.apply(place.session(), plan, nothing)
    assert place.look() == place.before


def test_state_directory_that_fills_up_meanwhile(small: Path, place: Place) -> None:
    place.state = small / "state"
    filling = small / "filling"
    plan = place.made(
        place.edit("mailcow.conf", NEW), place.shell(f"cat /dev/zero >>{filling}; true"), place.shell("true")
    )
    outcome = mending.apply(place.session(), plan, nothing)
    # What was kept for the end of a change is enough to write it.
    assert (outcome.state, outcome.error) == ("applied", "")
    assert [one.state for one in Journal(place.session().state).list()] == ["applied"]
    filling.unlink()
    assert mending.take_back(place.session(), outcome.change, nothing).state == "undone"
    assert place.look() == place.before


@NEEDS_ROOT
def test_state_directory_that_becomes_read_only_meanwhile(place: Place) -> None:
    """As a disk that fails does: that is said, and nothing is tried until it can be written down."""
    state = place.session().state.path
    os.mkdir(state, 0o700)
    if subprocess.run(["mount", "--bind", state, state], check=False).returncode:
        pytest.skip("nothing can be mounted here")
    mounts = f"mount --bind {state} {state} && mount -o remount,ro,bind {state}"
    plan = place.made(place.edit("mailcow.conf", NEW), place.shell(mounts, "true"), place.shell("true"))
    try:
        outcome = mending.apply(place.session(), plan, nothing)
        assert (outcome.state, outcome.error[-16:]) == ("interrupted", " is not writable")
        with pytest.raises(HostError, match="is not writable"):
            mending.take_back(place.session(), outcome.change, nothing)
    finally:
        for _mount in range(2):
            subprocess.run(["umount", state], check=False)
    assert mending.take_back(place.session(), outcome.change, nothing).state == "undone"
    assert place.look() == place.before


def test_record_that_is_removed_meanwhile(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    """What was done is there: nobody may say that nothing was changed."""
    session = place.session()
    plan = place.made(place.edit("mailcow.conf", NEW), place.shell(f"rm -r {session.state.changes}; true"))
    outcome = mending.apply(session, plan, nothing)
    assert Path(place.path("mailcow.conf")).read_bytes() == NEW
    assert outcome.state == "interrupted"
    making.say_what_is(session, outcome)
    said = " ".join(capsys.readouterr().err.split())
    assert "was removed meanwhile: what was done of this change stays" in said


@NEEDS_ROOT
def test_read_only_file_system(place: Place) -> None:
    etc = place.path("etc")
    if subprocess.run(["mount", "--bind", etc, etc], check=False).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", etc], check=True)
        plan = place.made(place.edit("mailcow.conf", NEW), place.edit("etc/main.cf", b"x"))
        outcome = mending.apply(place.session(), plan, nothing, back=True)
        assert outcome.state == "undone"
        assert outcome.error == f"{etc}/main.cf is on a file system that is mounted read-only"
        assert place.look() == place.before
    finally:
        subprocess.run(["umount", etc], check=True)


@NEEDS_ROOT
def test_file_that_is_a_mount(place: Place, tmp_path: Path) -> None:
    path = place.path("mailcow.conf")
    if subprocess.run(["mount", "--bind", path, path], check=False).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        with pytest.raises(CannotWrite, match="is a mount of its own"):
            CHANGING.replace(path, OLD, NEW, None, "test")
        assert place.look() == place.before
    finally:
        subprocess.run(["umount", path], check=True)


@NEEDS_ROOT
@pytest.mark.parametrize("name", ["mailcow.conf", "."])
def test_immutable(name: str, place: Place) -> None:
    if subprocess.run(["chattr", "+i", place.path(name)], capture_output=True, check=False).returncode:
        pytest.skip("this file system has no immutable files")
    try:
        plan = place.made(place.edit("mailcow.conf", NEW))
        outcome = mending.apply(place.session(), plan, nothing, back=True)
        assert outcome.state == "undone"
        assert "may not be changed; if lsattr shows an i" in outcome.error
        assert place.look() == place.before
    finally:
        subprocess.run(["chattr", "-i", place.path(name)], check=True)


@NEEDS_ROOT
def test_somebody_elses_file() -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as where:
        path = Path(where) / "file"
        path.write_bytes(b"old")
        for one in (path, Path(where)):
            one.chmod(0o777)
        os.seteuid(65534)
        try:
            with pytest.raises(Denied, match="may not be changed by this user"):
                replaced(path, b"new")
            assert os.listdir(where) == ["file"]
        finally:
            os.seteuid(0)
        assert path.read_bytes() == b"old"
