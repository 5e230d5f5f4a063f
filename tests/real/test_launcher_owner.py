"""The launcher as root in a checkout that is somebody else's."""

import os
import pwd
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.real.launcher import assert_version, copy_checkout, environment, start

OWNER = 12345
THEIR_FIRST = pwd.getpwnam("nobody").pw_gid
"""A group that names no members, and is the first one of a user."""

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="needs root and setpriv"),
]


@pytest.fixture
def theirs(reachable: Path) -> Path:
    """A checkout of a user without a name, in a place that this user reaches."""
    checkout = copy_checkout(reachable / "theirs" / "mailcow-wizard")
    give(checkout.parent, OWNER)
    return checkout


def give(place: Path, uid: int) -> None:
    """Everything below a place is this user's."""
    subprocess.run(["chown", "-R", f"{uid}:{uid}", str(place)], check=True)


def owners(place: Path) -> set[int]:
    """Whose the files below a place are."""
    return {path.lstat().st_uid for path in (place, *place.rglob("*"))}


def others_may_change(place: Path) -> list[Path]:
    """What others may change below a place, whatever the umask of who made it."""
    made = (one for one in place.rglob("*") if not one.is_symlink())
    return [one for one in made if one.lstat().st_mode & 0o022]


def test_with_sudo_their_files_stay_theirs(theirs: Path) -> None:
    with_sudo = environment(SUDO_UID=str(OWNER), SUDO_GID=str(OWNER), SUDO_USER="somebody")
    for _ in range(2):
        assert_version(start(theirs, "--version", env=with_sudo))
        done = start(theirs, "check", "ports.smtp", "--demo", "--plain", env=with_sudo)
        assert "ports.smtp" in done.stdout
        assert owners(theirs) == {OWNER}


def test_another_users_checkout_is_not_run(tmp_path: Path) -> None:
    """What is said is all that has to be done."""
    checkout = copy_checkout(tmp_path / "it's their own")
    give(checkout, OWNER)
    done = start(checkout, "--version")
    assert (done.returncode, done.stdout) == (64, "")
    assert f"it belongs to user {OWNER}" in done.stderr
    assert not (checkout / ".venv").exists()
    subprocess.run(["sh", "-c", done.stderr.rpartition("To make it root's: ")[2]], check=True)
    # Without a Python it says so, and makes nothing.
    assert "PYTHON=/nowhere" in start(checkout, "--version", env=environment(PYTHON="/nowhere")).stderr


def test_who_became_root_without_sudo_is_told_at_once_that_the_home_is_anothers(theirs: Path) -> None:
    """As with `su -`: made root's it would lie in another user's directory, and be refused again."""
    done = start(theirs, "--version")
    assert (done.returncode, done.stdout) == (64, "")
    assert f"cp -r {theirs} /root/ && chown -R root: /root/{theirs.name} && /root/" in done.stderr
    assert not (theirs / ".venv").exists()


@pytest.mark.parametrize(("mode", "group"), [(0o777, 0), (0o757, 0), (0o775, OWNER), (0o2775, THEIR_FIRST)])
def test_a_checkout_that_others_can_write_is_not_run(tmp_path: Path, mode: int, group: int) -> None:
    checkout = copy_checkout(tmp_path / "open")
    (checkout / "mailcow_wizard").chmod(mode)
    os.chown(checkout / "mailcow_wizard", 0, group)
    done = start(checkout, "--version")
    assert (done.returncode, done.stdout) == (64, "")
    assert "can write there" in done.stderr
    assert not (checkout / ".venv").exists()


def test_roots_checkout_in_another_users_directory_is_not_run(theirs: Path) -> None:
    """Who may rename it may put something else in its place."""
    give(theirs, 0)
    done = start(theirs, "--version")
    assert (done.returncode, done.stdout) == (64, "")
    assert f"{theirs.parent} belongs to user {OWNER}" in done.stderr
    assert f"cp -r {theirs} /root/" in done.stderr
    assert not (theirs / ".venv").exists()


@pytest.mark.parametrize(
    ("mode", "group", "runs"),
    [
        *((0o777, 0, False), (0o1777, 0, True), (0o775, OWNER, False), (0o1775, OWNER, True)),
        *((0o775, 0, True), (0o2775, 50, True), (0o775, THEIR_FIRST, False)),
    ],
)
def test_roots_checkout_in_a_directory_that_others_can_write(
    tmp_path: Path, mode: int, group: int, runs: bool
) -> None:
    above = tmp_path / "above it"
    checkout = copy_checkout(above / "mailcow-wizard")
    os.chown(above, 0, group)
    above.chmod(mode)
    # Without a Python it says so, and makes nothing.
    done = start(checkout, "--version", env=environment(PYTHON="/nowhere/python3", TIME_STYLE="long-iso"))
    assert done.returncode == 64
    assert (f"can write to {above} (" in done.stderr) is not runs
    assert (f"cp -r '{checkout}' /root/" in done.stderr) is not runs
    assert ("PYTHON=/nowhere/python3" in done.stderr) is runs


@pytest.mark.parametrize(
    "place",
    [
        *("everybody's", "another user's", "their group's", "their first group's", "."),
        *("below another user's", "a link into another user's", "a link over another user's"),
        *("another's link in a shared one", "a link over a name with a colon"),
    ],
)
def test_root_runs_nothing_from_a_directory_of_path_that_is_others_too(tmp_path: Path, place: str) -> None:
    checkout = copy_checkout(tmp_path / "mailcow-wizard")
    for path in (checkout, checkout / "mailcow_wizard"):
        path.chmod(0o755)
    tools, ran = tmp_path / "their home" / "their tools", tmp_path / "ran"
    tools.mkdir(parents=True)
    for name in ("readlink", "ls", "cmp", "cat", "mkdir", "touch", "getent", "flock", "setsid", "python3"):
        (tools / name).write_text(f"#!/bin/sh\necho {name} >>'{ran}'\nexit 1\n")
        (tools / name).chmod(0o755)
    mode, uid, gid = {
        "everybody's": (0o777, 0, 0),
        "another user's": (0o755, OWNER, 0),
        "their group's": (0o775, 0, OWNER),
        "their first group's": (0o775, 0, THEIR_FIRST),
        "below another user's": (0o755, 0, 0),
        "a link into another user's": (0o755, 0, 0),
        "a link over another user's": (0o755, 0, 0),
        "another's link in a shared one": (0o755, 0, 0),
        "a link over a name with a colon": (0o755, 0, 0),
        ".": (0o755, 0, 0),
    }[place]
    os.chown(tools, uid, gid)
    tools.chmod(mode)
    if "another user's" in place and not uid:
        os.chown(tools.parent, OWNER, OWNER)
    if "over" in place:
        (tools.parent / "their link").symlink_to(tools.rename(tmp_path / "tools"))
        tools = tools.parent / "their link"
    if "colon" in place:
        (tmp_path / "their:link").symlink_to(tools.parent)
        tools = tmp_path / "their:link" / tools.name
    if "link" in place:
        (tmp_path / "link").symlink_to(tools)
    if "shared" in place:
        tmp_path.chmod(0o1777)
        os.chown(tmp_path / "link", OWNER, OWNER, follow_symlinks=False)
    first = "." if place == "." else str(tmp_path / "link" if "link" in place else tools)
    line = ["sh", "-c", f"umask 000; exec {shlex.quote(str(checkout / 'wizard'))} --version"]
    path = f"{first}::{os.environ['PATH']}"
    # However root wants to see the times of files. All that a set-up runs is found by one PATH: where no
    # Python starts it ends behind the first of its tools, some 6 s sooner.
    whole = place == "everybody's"
    python = {} if whole else {"PYTHON": "/nowhere/python3"}
    wanted = environment(PATH=path, TIME_STYLE="long-iso", **python)
    done = subprocess.run(
        line, env=wanted, cwd=tools, capture_output=True, text=True, timeout=180, check=False
    )
    if whole:
        assert_version(done)
        assert not others_may_change(checkout / ".venv")
    else:
        assert (done.returncode, "PYTHON=/nowhere/python3 does not start" in done.stderr) == (64, True)
    assert not ran.exists(), ran.read_text()


@pytest.mark.long
def test_a_group_that_is_roots_may_write(tmp_path: Path) -> None:
    checkout = copy_checkout(tmp_path / "umask-002")
    for path in (checkout, checkout / "mailcow_wizard"):
        path.chmod(0o775)
    assert_version(start(checkout, "--version"))
