"""Who besides root could change what root runs: on real files, with real owners."""

import grp
import os
import pwd
from collections.abc import Callable
from pathlib import Path

import pytest

from mailcow_wizard.facts.run_as_root import changed_by
from mailcow_wizard.host.real import RealHost

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="owners are changed by root alone")
SOMEBODY = 12345


def _script(place: Path) -> Path:
    place.chmod(0o755)
    script = place / "checkout/helper-scripts/reset.sh"
    script.parent.mkdir(parents=True)
    script.write_text("true\n")
    return script


def _mode(of: str, mode: int) -> Callable[[Path], str]:
    def change(place: Path) -> str:
        (place / of).chmod(mode)
        return f"{place / of} can be written by others (mode {mode:04o})"

    return change


def _owner(of: str) -> Callable[[Path], str]:
    def change(place: Path) -> str:
        os.chown(place / of, SOMEBODY, 0)
        return f"{place / of} belongs to {SOMEBODY}"

    return change


def _group(place: Path) -> str:
    os.chown(place / "checkout", 0, SOMEBODY)
    return _mode("checkout", 0o775)(place)


def _first_group(place: Path) -> str:
    """One that names no members, and is somebody's first."""
    os.chown(place / "checkout", 0, pwd.getpwnam("nobody").pw_gid)
    return _mode("checkout", 0o2775)(place)


def _link(place: Path) -> str:
    """The directory is root's; the script is a link into somebody's."""
    other = place / "other"
    other.mkdir()
    os.chown(other, SOMEBODY, 0)
    (other / "reset.sh").write_text("true\n")
    script = place / "checkout/helper-scripts/reset.sh"
    script.unlink()
    script.symlink_to(other / "reset.sh")
    return f"{other} belongs to {SOMEBODY}"


def _link_of_a_link(place: Path) -> str:
    """Root's link leads to somebody's directory, and a link there to where root alone writes."""
    other, whole = place / "other", place / "whole"
    other.mkdir()
    (place / "checkout/helper-scripts").rename(whole)
    (other / "scripts").symlink_to(whole)
    (place / "checkout/helper-scripts").symlink_to("../other/scripts")
    os.chown(other, SOMEBODY, 0)
    return f"{place}/checkout/../other belongs to {SOMEBODY}"


def _link_under_a_sticky_bit(place: Path) -> str:
    """Its owner may lead it elsewhere, though others may not."""
    shared, link = place / "shared", place / "shared/checkout"
    shared.mkdir()
    (place / "checkout").rename(place / "whole")
    link.symlink_to(place / "whole")
    (place / "checkout").symlink_to(link)
    shared.chmod(0o1777)
    os.chown(link, SOMEBODY, 0, follow_symlinks=False)
    return f"{link} belongs to {SOMEBODY}"


def _awaited(below: str) -> Callable[[Path], str]:
    """The script is a link to what somebody may make there."""

    def change(place: Path) -> str:
        other = place / "other"
        other.mkdir()
        os.chown(other, SOMEBODY, 0)
        script = place / "checkout/helper-scripts/reset.sh"
        script.unlink()
        script.symlink_to(f"../../other/{below}")
        return f"{other} belongs to {SOMEBODY}"

    return change


@pytest.mark.parametrize(
    "change",
    [
        _mode("checkout/helper-scripts/reset.sh", 0o757),
        _mode("checkout/helper-scripts", 0o777),
        _mode("checkout", 0o757),
        _owner("checkout/helper-scripts/reset.sh"),
        _owner("checkout/helper-scripts"),
        _owner("checkout"),
        _group,
        _first_group,
        _link,
        _link_of_a_link,
        _link_under_a_sticky_bit,
        _awaited("reset.sh"),
        _awaited("none/reset.sh"),
    ],
)
def test_who_could_change_it(tmp_path: Path, change: Callable[[Path], str]) -> None:
    script = str(_script(tmp_path))
    assert changed_by(RealHost(), (script,)) == ""
    expected = change(tmp_path)
    assert changed_by(RealHost(), (script,)) == expected


def test_what_only_root_changes(tmp_path: Path) -> None:
    """A sticky directory above, a group of root's, and what is not there where root alone writes."""
    script = _script(tmp_path)
    (tmp_path / "checkout").chmod(0o1777)
    script.chmod(0o775)
    assert changed_by(RealHost(), (str(script), str(tmp_path / "none"))) == ""


@pytest.mark.parametrize("path", ["checkout/docker-compose.override.yml", "checkout/none/hooks", "checkout"])
def test_a_sticky_bit_keeps_nobody_from_making_what_is_not_there(tmp_path: Path, path: str) -> None:
    """Hooks of git, and what Compose reads besides."""
    _script(tmp_path)
    (tmp_path / "checkout").chmod(0o1777)
    said = f"{tmp_path}/checkout can be written by others (mode 1777)"
    assert changed_by(RealHost(), (str(tmp_path / path),)) == said


def test_a_group_that_nobody_has_changes_nothing(tmp_path: Path) -> None:
    """As Debian's of /usr/local."""
    script = _script(tmp_path)
    had = {one.pw_gid for one in pwd.getpwall()}
    nobodys = next((one.gr_gid for one in grp.getgrall() if not one.gr_mem and one.gr_gid not in had), 0)
    os.chown(tmp_path / "checkout", 0, nobodys)
    (tmp_path / "checkout").chmod(0o2775)
    assert changed_by(RealHost(), (str(script),)) == ""


def test_for_another_user_a_group_of_its_own_is_none_of_others(tmp_path: Path) -> None:
    """Many users have one (user private groups); one that others have, too, is not."""
    first = [one.pw_gid for one in pwd.getpwall()]
    own = [one for one in pwd.getpwall() if one.pw_gid and first.count(one.pw_gid) == 1]
    user, other = [one for one in own if not grp.getgrgid(one.pw_gid).gr_mem][:2]
    script = _script(tmp_path)
    for group, expected in ((user.pw_gid, ""), (SOMEBODY, ""), (other.pw_gid, "can be written by others")):
        os.chown(tmp_path / "checkout", user.pw_uid, group)
        (tmp_path / "checkout").chmod(0o775)
        found = changed_by(RealHost(), (str(script),), user.pw_uid)
        assert expected in found
        assert bool(found) == bool(expected)
