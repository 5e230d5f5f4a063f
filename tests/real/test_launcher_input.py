"""The launcher, really: pipes, terminals, and neither."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.real.launcher import LIMIT, ROOT, Terminal, copy_checkout, environment

pytestmark = [pytest.mark.real, pytest.mark.slow]


PROBE = """#!/bin/sh
[ -t 0 ] && echo "[$*] a terminal" || echo "[$*] $(cat)"
"""


@pytest.fixture
def probe(tmp_path: Path) -> Path:
    """A checkout that is set up as far as the launcher looks, with a program that says what it was given."""
    checkout = copy_checkout(tmp_path / "mailcow-wizard")
    venv = checkout / ".venv"
    (venv / "bin").mkdir(parents=True)
    (venv / "bin/python").symlink_to(sys.executable)
    (venv / "bin/mailcow-wizard").write_text(PROBE)
    (venv / "bin/mailcow-wizard").chmod(0o755)
    (venv / "place").write_text(f"{checkout}\n")
    shutil.copy(checkout / "pyproject.toml", venv / "stamp")
    return checkout


@pytest.mark.parametrize("shell", ["sh", "busybox sh"])
def test_terminal_through_a_pipe(probe: Path, shell: str) -> None:
    if shutil.which(shell.split()[0]) is None:
        pytest.skip(f"no {shell} here")
    for command, expected in [
        (f"{shell} < wizard", "[] a terminal"),
        (f"cat wizard | {shell} -s -- check --plain", "[check --plain] a terminal"),
        (f"echo data | {shell} wizard --demo", "[--demo] data"),  # contract: stdin has to be a terminal
        (f"echo data | {shell} wizard check --host /dev/stdin", "[check --host /dev/stdin] data"),
        (f"{shell} wizard check", "[check] a terminal"),
        (f"{shell} wizard --yes --demo", "[--demo] a terminal"),
        (f"{shell} wizard --yes fix x", "[--yes fix x] a terminal"),
    ]:
        code, text = Terminal(command, probe).end()
        assert (code, text.strip()) == (0, expected), command


def test_input_without_a_terminal(probe: Path) -> None:
    for command, expected in [
        ("sh < wizard", "[] "),
        ("cat wizard | sh -s -- --yes check", "[--yes check] "),
        ("echo data | ./wizard check", "[check] data"),
    ]:
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=probe,
            capture_output=True,
            text=True,
            env=environment(),
            start_new_session=True,
            timeout=LIMIT,
            check=False,
        )
        assert (done.returncode, done.stdout.rstrip("\n")) == (0, expected), command


def test_piped_script_outside_its_checkout_says_where_to_go(tmp_path: Path) -> None:
    with (ROOT / "wizard").open() as script:
        done = subprocess.run(
            ["sh"], stdin=script, cwd=tmp_path, capture_output=True, text=True, timeout=LIMIT, check=False
        )
    assert done.returncode == 64
    assert "Change into the folder that holds pyproject.toml" in done.stderr
