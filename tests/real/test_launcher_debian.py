"""The launcher, really: a first start on a bare Debian 12."""

from __future__ import annotations

import fcntl
import shlex
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real.bare_debian import Machine, make_bare_debian
from tests.real.launcher import CACHE, VERSION, Terminal, assert_version, need_root

pytestmark = [pytest.mark.real, pytest.mark.slow]


@pytest.fixture(scope="module")
def bare_debian() -> Path:
    """Debian 12 with its own python3 and nothing besides; made once, kept outside the tree."""
    need_root()
    base = CACHE / "debian-12-python3"
    if not base.is_dir():
        if shutil.which("mmdebstrap") is None:
            pytest.skip("no mmdebstrap here")
        CACHE.mkdir(parents=True, exist_ok=True)
        with (CACHE / "debian-12-python3.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not base.is_dir():
                make_bare_debian(base)
    return base


@pytest.fixture
def machine(bare_debian: Path, tmp_path: Path) -> Iterator[Machine]:
    yield Machine(bare_debian, tmp_path)
    shutil.rmtree(tmp_path, ignore_errors=True)


def test_bare_debian_first_start(machine: Machine) -> None:
    began = time.monotonic()
    done = machine.run("./wizard --version")
    print(f"first start on a bare Debian 12: {time.monotonic() - began:.1f} s")
    assert_version(done)
    assert done.stderr.splitlines() == [
        "Installing python3.11-venv…",
        "Setting up (once, about half a minute)…",
    ]
    again = machine.run("stat -c %y .venv/setup.log; ./wizard --yes --version; stat -c %y .venv/setup.log")
    before, version, after = again.stdout.splitlines()
    assert (before, version, again.stderr) == (after, VERSION, "")


@pytest.mark.long
def test_bare_debian_asks_on_the_terminal(machine: Machine, tmp_path: Path) -> None:
    terminal = Terminal(shlex.join(machine.command("./wizard --version")), tmp_path)
    assert (
        terminal.read_until("[Y/n]").strip()
        == "python3.11-venv is missing. Install it now with apt-get? [Y/n]"
    )
    terminal.write("n\n")
    code, text = terminal.end()
    assert code == 64
    assert "nothing was installed. By hand: apt-get" in text


@pytest.mark.long
def test_bare_debian_without_root(machine: Machine) -> None:
    assert machine.run("chown -R nobody .").returncode == 0
    done = machine.run("./wizard --version", user="nobody")
    assert done.returncode == 77, done.stderr
    assert done.stderr.rstrip().endswith("apt-get update && apt-get install -y python3.11-venv")
    assert len(done.stderr.splitlines()) == 1


def test_bare_debian_without_python(machine: Machine) -> None:
    done = machine.run("rm /usr/bin/python3*; ./wizard --version")
    assert done.returncode == 64, done.stderr
    assert "no Python 3.10 or newer was found. As root: apt-get install python3 python3-venv" in done.stderr
