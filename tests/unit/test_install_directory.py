"""Directories that mailcow cannot be installed in: said before anything begins."""

import subprocess
import sys
from pathlib import Path

import pytest

NAMES = {
    "a:b": "Docker can mount nothing below a name with a colon",
    "a b": "mailcow's own scripts take a name with a blank for two names",
    "a\nb": "mailcow's own scripts take a name with a blank for two names",
    "a*": "mailcow's own scripts take *, ? and [ for a pattern",
    "[x]": "mailcow's own scripts take *, ? and [ for a pattern",
    "\x1b[2J": "",
    "\u202e": "it has letters that cannot be shown",
    "\udcff": "it has letters that cannot be shown",
}
FINE = ('$HOME-${HOME}$$it\'s-"x"%n%%a\\b\\x41', "#a;b&c|d,ä🐄=x", "-x", "~")


def install(tmp_path: Path, name: str, *words: str) -> "subprocess.CompletedProcess[str]":
    """Installs in a directory of this name."""
    (tmp_path / name).mkdir()
    argv = [sys.executable, "-m", "mailcow_wizard", "install", *words, "--offline"]
    argv += ["--dir", str(tmp_path / name), "--hostname", "mail.example.org"]
    argv += ["--state-dir", str(tmp_path / "state")]
    return subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("name", NAMES)
def test_refused(name: str, tmp_path: Path) -> None:
    done = install(tmp_path, name, "--yes")
    assert done.returncode == 64, done.stdout + done.stderr
    assert "mailcow cannot be installed in" in done.stderr
    assert NAMES[name] in done.stderr
    assert not (tmp_path / "state").exists()
    assert not any((tmp_path / name).iterdir())


def test_a_dry_run_says_so_too(tmp_path: Path) -> None:
    done = install(tmp_path, "a:b", "--dry-run")
    assert done.returncode == 0
    assert NAMES["a:b"] in done.stderr


@pytest.mark.parametrize("name", FINE)
def test_taken(name: str, tmp_path: Path) -> None:
    done = install(tmp_path, name, "--dry-run")
    assert (done.returncode, done.stderr) == (0, "")
