"""A rule of ufw's that is taken back, unless somebody has made it theirs. On a real ufw in tests/real."""

import subprocess
import sys
from pathlib import Path

import pytest

from mailcow_wizard.host.programs.paths import program
from mailcow_wizard.host.programs.ufw_back import standing

_OURS = "ufw allow 25,465/tcp comment 'mailcow-wizard'"
_WORDS = ("mailcow-wizard", "25,465/tcp")


def _run(place: Path, listed: str, ends: int = 0, words: tuple[str, ...] = _WORDS) -> tuple[int, str, str]:
    """The exit code, what is said, and what ufw was told to delete."""
    told = place / "told"
    script = f'if [ "$1" = show ]; then cat <<"END"\n{listed}\nEND\nexit {ends}; fi\necho "$@" >"{told}"\n'
    (place / "ufw").write_text(f"#!/bin/sh\n{script}")
    (place / "ufw").chmod(0o755)
    argv = [sys.executable, *program("ufw_back")[1:], *words]
    ran = subprocess.run(argv, env={"PATH": f"{place}:/usr/bin:/bin"}, capture_output=True, text=True)
    return ran.returncode, ran.stdout.strip(), told.read_text().strip() if told.exists() else ""


def test_ours_is_deleted(tmp_path: Path) -> None:
    assert _run(tmp_path, f"ufw allow 22\n{_OURS}\nufw deny 25/tcp") == (0, "", "delete allow 25,465/tcp")


def test_ours_on_an_interface(tmp_path: Path) -> None:
    what = "in on eth0 to any port 25 proto tcp"
    found = _run(tmp_path, f"ufw allow {what} comment 'x'", words=("x", *what.split()))
    assert found == (0, "", f"delete allow {what}")


@pytest.mark.parametrize(
    "listed",
    [
        "ufw allow 25,465/tcp",
        "ufw allow 25,465/tcp comment 'mine'",
        "ufw deny 25,465/tcp comment 'mailcow-wizard'",
        "ufw limit log 25,465/tcp",
        f"{_OURS}\nufw allow 25,465/tcp",  # of IPv4 and of IPv6
    ],
)
def test_what_somebody_has_made_theirs_stays(tmp_path: Path, listed: str) -> None:
    assert _run(tmp_path, listed) == (0, "the rule stays, for somebody has changed it since", "")


@pytest.mark.parametrize(
    ("listed", "ends", "code", "said"),
    [
        ("(None)", 0, 0, "the rule is not there any more"),
        ("ufw allow 25,465,587/tcp", 0, 0, "the rule is not there any more"),
        ("ERROR: You need to be root", 1, 1, "ufw: exit code 1"),
    ],
)
def test_what_ufw_shows(tmp_path: Path, listed: str, ends: int, code: int, said: str) -> None:
    assert _run(tmp_path, listed, ends) == (code, said, "")


def test_without_ufw(tmp_path: Path) -> None:
    argv = [sys.executable, *program("ufw_back")[1:], *_WORDS]
    ran = subprocess.run(argv, env={"PATH": str(tmp_path)}, capture_output=True, text=True)
    assert (ran.returncode, ran.stdout[:5]) == (1, "ufw: ")


def test_its_words() -> None:
    argv = [sys.executable, *program("ufw_back")[1:], "mailcow-wizard"]
    assert subprocess.run(argv, capture_output=True).returncode == 64


def test_verdicts_and_comments() -> None:
    listed = "ufw reject log-all 25/tcp comment 'a b'\nufw route allow 25/tcp\nufw allow from any port 25\n"
    assert standing(listed, "25/tcp") == [("reject", "a b")]
