"""Starts of the launcher on copies of the checkout, whose own `.venv` is never touched."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get("MAILCOW_WIZARD_TEST_CACHE", "/var/cache/mailcow-wizard-tests"))
VERSION = "mailcow-wizard 0.1.0"
LIMIT = 180


def copy_checkout(target: Path) -> Path:
    """What a clone of the present state would hold: tracked and new files, nothing that is ignored."""
    listed = None
    if shutil.which("git"):
        command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    if listed is None or listed.returncode != 0:  # an unpacked archive
        leave_out = shutil.ignore_patterns(".venv", ".git", "__pycache__", ".*_cache", ".test-cache")
        shutil.copytree(ROOT, target, symlinks=True, ignore=leave_out)
        return target
    for name in filter(None, os.fsdecode(listed.stdout).split("\0")):
        source = ROOT / name
        if source.is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target / name, follow_symlinks=False)
    return target


def environment(**more: str) -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if k not in ("PYTHON", "VIRTUAL_ENV")} | more


def start(
    checkout: Path, *arguments: str, env: Mapping[str, str] | None = None, prefix: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    """One start without a terminal."""
    return subprocess.run(
        [*prefix, str(checkout / "wizard"), *arguments],
        env=environment() if env is None else dict(env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        start_new_session=True,
        check=False,
    )


def assert_version(done: subprocess.CompletedProcess[str]) -> None:
    assert (done.returncode, done.stdout.strip()) == (0, VERSION), done.stdout + done.stderr


class Terminal:
    """A shell command with a pseudo-terminal as its controlling terminal."""

    def __init__(self, command: str, cwd: Path, env: Mapping[str, str] | None = None) -> None:
        self.master, slave = os.openpty()
        name = shlex.quote(os.ttyname(slave))
        # The first terminal that the leader of a session opens becomes its controlling one.
        self.process = subprocess.Popen(
            ["sh", "-c", f"exec <{name} >{name} 2>&1; {command}"],
            cwd=cwd,
            env=environment() if env is None else dict(env),
            start_new_session=True,
        )
        time.sleep(0.1)
        os.close(slave)
        self.seen = b""

    def read_until(self, text: str, seconds: float = 60) -> str:
        deadline = time.monotonic() + seconds
        os.set_blocking(self.master, False)
        while text.encode() not in self.seen and time.monotonic() < deadline:
            try:
                part = os.read(self.master, 65536)
            except BlockingIOError:
                time.sleep(0.02)
                continue
            except OSError:  # the other end is closed
                break
            self.seen += part
        return self.seen.decode(errors="replace").replace("\r\n", "\n")

    def write(self, text: str) -> None:
        os.write(self.master, text.encode())

    def end(self) -> tuple[int, str]:
        text = self.read_until("\0 never \0")
        code = self.process.wait(LIMIT)
        os.close(self.master)
        return code, text


def need_root() -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root: namespaces, chroot")
