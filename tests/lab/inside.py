"""Commands run in the namespaces of a process: a booted machine's, an engine's."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

Text = str | bytes

CHECKOUT = Path(__file__).resolve().parents[2]


class LabError(Exception):
    """A real part cannot be had on this machine; the text says why, for a skipped test."""


def needs(*tools: str) -> None:
    """Raises LabError where we are not root or a command is not installed."""
    if os.geteuid() != 0:
        raise LabError("needs root")
    lacking = [tool for tool in tools if not shutil.which(tool)]
    if lacking:
        raise LabError(f"not installed: {', '.join(lacking)}")


class Inside:
    """A place that `nsenter` can enter, held open by the process `pid`."""

    def __init__(self, pid: int, flags: Sequence[str], env: Mapping[str, str] | None = None) -> None:
        """`flags` are nsenter's, `env` replaces the environment of what is run."""
        self.pid = pid
        self._enter = ["nsenter", "-t", str(pid), *flags, "--"]
        self._env = env

    def run(
        self,
        argv: Sequence[Text],
        timeout: float = 30.0,
        check: bool = False,
        env: Mapping[str, str] | None = None,
    ) -> "subprocess.CompletedProcess[str]":
        """Runs a command to its end and returns what it said."""
        return subprocess.run(
            [*self._enter, *argv],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout,
            check=check,
            env=self._environment(env),
            encoding="utf-8",
            errors="replace",
        )

    def start(self, argv: Sequence[Text], env: Mapping[str, str] | None = None) -> "subprocess.Popen[bytes]":
        """Starts a command with a pipe from its standard output; the caller ends it."""
        return subprocess.Popen(
            [*self._enter, *argv],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            env=self._environment(env),
        )

    def _environment(self, more: Mapping[str, str] | None) -> dict[str, str]:
        return {**(os.environ if self._env is None else self._env), **(more or {})}


def children(pid: int) -> list[int]:
    """The processes whose parent is `pid`; none when it is gone."""
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def command_name(pid: int) -> str:
    """The kernel's short name of a process; empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def wait_until(ready: Callable[[], bool], seconds: float, pause: float = 0.02) -> bool:
    """Whether `ready` became true in time."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True


@contextmanager
def running(process: "subprocess.Popen[bytes]", seconds: float = 5.0) -> Iterator["subprocess.Popen[bytes]"]:
    """A started process, ended and reaped whatever the test does with it."""
    try:
        yield process
    finally:
        end(process, seconds)


def end(process: "subprocess.Popen[bytes]", seconds: float = 5.0) -> None:
    """Asks the process to end, then kills it."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
    process.wait()
    for pipe in (process.stdout, process.stderr):
        if pipe:
            pipe.close()


def last_words(log: IO[bytes]) -> str:
    """The end of what a process wrote into a temporary file."""
    log.seek(0)
    return log.read().decode(errors="replace").strip()[-300:]
