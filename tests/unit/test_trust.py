"""What other users of the machine put in the way: links, directories that they may write, files of theirs."""

import grp
import os
import pwd
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mailcow_wizard.host.errors import Denied, HostError, Missing
from mailcow_wizard.host.files.changing import Changing
from mailcow_wizard.host.files.log import LogFile
from mailcow_wizard.host.files.state import write_private
from mailcow_wizard.host.files.trust import changeable, followed, stranger
from mailcow_wizard.host.processes import search_path
from mailcow_wizard.host.processes.commands import Commands

NOBODY = 65534
SOMEBODY = 12345
THEIR_FIRST = pwd.getpwuid(NOBODY).pw_gid
"""A group that names no members, and is the first one of a user."""
_HAD = {one.pw_gid for one in pwd.getpwall()}
NOBODYS = next((one.gr_gid for one in grp.getgrall() if not one.gr_mem and one.gr_gid not in _HAD), 0)
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to make what belongs to others")


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """A directory such as /tmp."""
    place = tmp_path / "shared"
    place.mkdir()
    place.chmod(0o1777)
    return place


def others_link(shared: Path, target: Path) -> Path:
    """A link that another user laid there."""
    link = shared / "box.json"
    link.symlink_to(target)
    os.chown(link, NOBODY, NOBODY, follow_symlinks=False)
    return link


WRITERS: dict[str, Callable[[str], object]] = {
    "record": lambda path: write_private(path, {"a": 1}),
    "log": lambda path: LogFile(path, "first"),
    "edit": lambda path: Changing().replace(path, b"mine\n", b"other\n", None, "t"),
}


@pytest.mark.parametrize("writer", WRITERS)
def test_anothers_link_in_a_shared_directory_is_not_followed(
    shared: Path, tmp_path: Path, writer: str
) -> None:
    target = tmp_path / "precious"
    target.write_text("mine\n")
    link = others_link(shared, target)
    with pytest.raises(HostError, match="link that nobody put"):
        WRITERS[writer](str(link))
    assert target.read_text() == "mine\n"
    assert sorted(os.listdir(shared)) == ["box.json"]


@pytest.mark.parametrize("writer", WRITERS)
def test_an_own_link_is_followed(shared: Path, tmp_path: Path, writer: str) -> None:
    target = tmp_path / "precious"
    target.write_text("mine\n")
    (shared / "box.json").symlink_to(target)
    WRITERS[writer](str(shared / "box.json"))
    assert (shared / "box.json").is_symlink()
    assert target.read_text() != "mine\n"


def test_a_link_on_the_way_counts_too(shared: Path, tmp_path: Path) -> None:
    others_link(shared, tmp_path)
    with pytest.raises(Denied):
        followed(f"{shared}/box.json/new")


def test_links_are_resolved_as_the_kernel_does(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "short").symlink_to("a/b")
    (tmp_path / "a/b/up").symlink_to("../../end")
    (tmp_path / "loop").symlink_to("loop")
    for words in ("short/../x", "short/up", "a//b/./up/y", "short", "none/../z", "loop"):
        path = str(tmp_path / words) if ".." not in words else f"{tmp_path}/{words}"
        assert followed(path) == os.path.realpath(path)


def test_anothers_file_is_no_log(shared: Path) -> None:
    log = shared / "log"
    log.write_text("")
    os.chown(log, NOBODY, NOBODY)
    with pytest.raises(Denied, match="not this user's own"):
        LogFile(str(log), "first")
    assert log.read_text() == ""


def test_a_second_name_of_a_file_is_no_log(shared: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("")
    os.link(precious, shared / "log")
    with pytest.raises(Denied):
        LogFile(str(shared / "log"), "first")
    assert precious.read_text() == ""


def test_a_pipe_that_nobody_reads_is_no_log(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "log")
    with pytest.raises(HostError, match="could not be written"):
        LogFile(str(tmp_path / "log"), "first")


# What can be wrong with a state directory: its mode and owner, then those of the one above it.
STATES = {
    "ours": ((0o700, 0), (0o755, 0), ""),
    "not there": (None, (0o755, 0), ""),
    "below a shared one": ((0o700, 0), (0o1777, 0), ""),
    "another's": ((0o700, NOBODY), (0o755, 0), "belongs to nobody"),
    "all may write": ((0o777, 0), (0o755, 0), "can be written by others (mode 0777)"),
    "shared itself": ((0o1777, 0), (0o755, 0), "can be written by others (mode 1777)"),
    "below another's": ((0o700, 0), (0o755, NOBODY), "belongs to nobody"),
    "below one that all may write": ((0o700, 0), (0o777, 0), "can be written by others (mode 0777)"),
}


@pytest.mark.parametrize("case", STATES)
def test_state_that_others_could_write_is_not_used(tmp_path: Path, case: str) -> None:
    own, above, reason = STATES[case]
    state = tmp_path / "above/state"
    state.parent.mkdir()
    if own:
        state.mkdir()
        state.chmod(own[0])
        os.chown(state, own[1], own[1])
    state.parent.chmod(above[0])
    os.chown(state.parent, above[1], above[1])
    assert reason in stranger(str(state))
    assert bool(stranger(str(state))) == bool(reason)
    done = subprocess.run(
        [sys.executable, "-m", "mailcow_wizard", "undo", "--list", "--state-dir", str(state)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == (64 if reason else 0), done.stderr
    assert reason in done.stderr


@pytest.mark.parametrize(
    ("mode", "owner", "group", "reason"),
    [
        (0o700, SOMEBODY, SOMEBODY, ""),
        (0o775, SOMEBODY, SOMEBODY, ""),
        (0o755, 0, 0, ""),
        (0o777, SOMEBODY, SOMEBODY, "can be written by others (mode 0777)"),
        (0o1777, 0, 0, "can be written by others (mode 1777)"),
        (0o755, NOBODY, NOBODY, "belongs to nobody"),
        (0o775, SOMEBODY, THEIR_FIRST, "can be written by others (mode 0775)"),
        (0o775, SOMEBODY, NOBODYS, ""),
    ],
)
def test_nor_by_another_user_than_root(
    reachable: Path, mode: int, owner: int, group: int, reason: str
) -> None:
    """What lies there says which commands are run when a change is taken back."""
    state = reachable / "state"
    state.mkdir()
    os.chown(state, owner, group)
    state.chmod(mode)
    words = (sys.executable, "-m", "mailcow_wizard", "undo", "--list", "--state-dir", str(state))
    done = subprocess.run(
        ["setpriv", f"--reuid={SOMEBODY}", f"--regid={SOMEBODY}", "--clear-groups", *words],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == (64 if reason else 0), done.stderr
    assert reason in done.stderr


@pytest.mark.parametrize(("group", "trusted"), [(THEIR_FIRST, False), (SOMEBODY, False), (NOBODYS, True)])
@pytest.mark.parametrize("above", [False, True])
def test_a_group_counts_where_somebody_has_it(tmp_path: Path, group: int, trusted: bool, above: bool) -> None:
    """Nobody has Debian's group of /usr/local. For root one without a name does not do."""
    state = tmp_path / "above/state"
    state.mkdir(parents=True)
    place = state.parent if above else state
    os.chown(place, 0, group)
    place.chmod(0o2775)
    assert stranger(str(state)) == ("" if trusted else f"{place} can be written by others (mode 2775)")


@pytest.mark.parametrize(
    ("mode", "group", "owner", "trusted"),
    [
        *((0o1777, 0, NOBODY, False), (0o1775, NOBODYS, NOBODY, False)),
        *((0o1777, 0, 0, True), (0o755, 0, NOBODY, True)),
    ],
)
def test_nor_behind_anothers_link_that_its_owner_may_replace(
    shared: Path, tmp_path: Path, mode: int, group: int, owner: int, trusted: bool
) -> None:
    link = others_link(shared, tmp_path / "ours")
    (tmp_path / "ours").mkdir()
    os.chown(link, owner, owner, follow_symlinks=False)
    os.chown(shared, 0, group)
    shared.chmod(mode)
    said = "" if trusted else f"{link} belongs to nobody"
    assert (stranger(str(link)), changeable(str(link))) == (said, said)


def test_nor_where_a_link_leads(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    (theirs / "state").mkdir(0o700, parents=True)
    os.chown(theirs, NOBODY, NOBODY)
    (tmp_path / "state").symlink_to(theirs / "state")
    assert stranger(str(tmp_path / "state")) == f"{theirs} belongs to nobody"


def test_nor_where_a_link_of_another_user_stands_on_the_way(tmp_path: Path) -> None:
    """They may let it lead elsewhere, wherever it ends now; so may a circle of links."""
    theirs, own, state = tmp_path / "theirs", tmp_path / "own", tmp_path / "state"
    for place in (theirs, own / "state"):
        place.mkdir(0o700, parents=True)
    (theirs / "hop").symlink_to("../own")
    os.chown(theirs, NOBODY, NOBODY)
    state.symlink_to(theirs / "hop/state")
    assert stranger(str(state)) == changeable(str(state)) == f"{theirs} belongs to nobody"
    os.chown(theirs, 0, 0)
    assert stranger(str(state)) == changeable(str(state)) == ""
    (theirs / "hop").unlink()
    (theirs / "hop").symlink_to(state)
    assert stranger(str(state)) == ""


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Two directories for commands, the first asked first, and `tool` in both."""
    found = (tmp_path / "local", tmp_path / "bin")
    for place in found:
        place.mkdir()
        (place / "tool").write_text(f"#!/bin/sh\necho {place.name} $PATH\n")
        (place / "tool").chmod(0o755)
    monkeypatch.setattr(search_path, "DIRECTORIES", tuple(map(str, found)))
    return found


def test_root_runs_the_first_command_that_is_roots_alone(places: tuple[Path, Path]) -> None:
    local, own = places
    assert Commands().run(("tool",), 5).out == f"local {local}:{own}\n"


SPOILT = {  # owner, group and mode of the first directory; where the tool and what it starts come from
    "another's": (NOBODY, 0, 0o755, "bin {own}"),
    "open to all": (0, 0, 0o777, "bin {own}"),
    "sticky": (0, 0, 0o1777, "local {own}"),
    "a group with members": (0, NOBODY, 0o775, "bin {own}"),
    "a group without members": (0, 12345, 0o775, "local {local}:{own}"),
}


@pytest.mark.parametrize("name", SPOILT)
def test_a_directory_that_others_may_write_is_not_in_roots_path(places: tuple[Path, Path], name: str) -> None:
    local, own = places
    owner, group, mode, expected = SPOILT[name]
    os.chown(local, owner, group)
    local.chmod(mode)
    assert Commands().run(("tool",), 5).out == expected.format(local=local, own=own) + "\n"


def test_a_command_that_belongs_to_another_is_passed_over_then_refused(places: tuple[Path, Path]) -> None:
    local, own = places
    os.chown(local / "tool", NOBODY, NOBODY)
    assert search_path.which("tool") == f"{own}/tool"
    (own / "tool").unlink()
    with pytest.raises(Denied, match=f"others could change: {local}/tool belongs to nobody"):
        search_path.which("tool")
    with pytest.raises(Missing):
        search_path.which("none")


def test_where_a_link_to_a_command_leads_counts(places: tuple[Path, Path], tmp_path: Path) -> None:
    local, own = places
    elsewhere = tmp_path / "home"
    elsewhere.mkdir()
    os.rename(local / "tool", elsewhere / "tool")
    (local / "tool").symlink_to(elsewhere / "tool")
    assert search_path.which("tool") == f"{local}/tool"
    os.chown(elsewhere, NOBODY, NOBODY)
    assert search_path.which("tool") == f"{own}/tool"


def test_the_systems_own_directories_are_in_roots_path() -> None:
    assert {"/usr/bin", "/usr/sbin"} <= set(search_path.search_path().split(":"))
