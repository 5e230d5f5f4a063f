"""Who besides root could change what root runs: on real files, with real owners."""

import os
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
        _link,
    ],
)
def test_who_could_change_it(tmp_path: Path, change: Callable[[Path], str]) -> None:
    script = str(_script(tmp_path))
    assert changed_by(RealHost(), (script,)) == ""
    expected = change(tmp_path)
    assert changed_by(RealHost(), (script,)) == expected


def test_what_only_root_changes(tmp_path: Path) -> None:
    """A sticky directory above, a group of root's, and what is not there."""
    script = _script(tmp_path)
    (tmp_path / "checkout").chmod(0o1777)
    script.chmod(0o775)
    assert changed_by(RealHost(), (str(script), str(tmp_path / "none"))) == ""
