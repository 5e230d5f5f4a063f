"""Commands run in the namespaces of a process: a booted machine's, an engine's."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
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
    """A place that a command enters: nsenter, `ip netns exec`."""

    def __init__(self, enter: Sequence[str], env: Mapping[str, str] | None = None) -> None:
        """`enter` is written before each command, `env` replaces the environment of what is run."""
        self._enter = tuple(enter)
        self._env = env

    def command(self, argv: Sequence[Text]) -> list[Text]:
        """The whole command, with what enters the place."""
        return [*self._enter, *argv]

    def run(
        self,
        argv: Sequence[Text],
        timeout: float = 60.0,
        check: bool = False,
        env: Mapping[str, str] | None = None,
    ) -> "subprocess.CompletedProcess[str]":
        """Runs a command to its end and returns what it said."""
        return subprocess.run(
            self.command(argv),
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
            self.command(argv),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            env=self._environment(env),
        )

    def _environment(self, more: Mapping[str, str] | None) -> dict[str, str]:
        return {**(os.environ if self._env is None else self._env), **(more or {})}


def in_network(name: str) -> Inside:
    """The network of a named namespace and nothing else: `ip netns exec` would hide the cgroups."""
    return Inside(["nsenter", f"--net=/run/netns/{name}", "--"])


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
    """Asks the process and its children to end, then kills them: nsenter does not pass a signal on to what
    it runs."""
    family = [process.pid, *children(process.pid)] if process.poll() is None else []
    _signal(family, signal.SIGTERM)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        _signal(family, signal.SIGKILL)
        process.wait()
    for pipe in (process.stdout, process.stderr):
        if pipe:
            pipe.close()


def in_own_namespaces(*kinds: str) -> list[str]:
    """What to write before a command for namespaces of its own, mounts, processes, cgroups and `kinds`: they
    end with it, and it ends with this program, however that ends."""
    private = ["unshare", "--mount", "--propagation", "private", "--cgroup", *kinds]
    with_us = ["setpriv", "--pdeathsig", "KILL", "--"]
    return [*with_us, *private, "--pid", "--fork", "--kill-child", "--mount-proc", "--"]


def end_namespaces(process: "subprocess.Popen[bytes]") -> None:
    """Ends what `unshare --pid --fork` holds: with the first process of its namespaces the kernel ends all,
    and `unshare` stays to bury it."""
    _signal(children(process.pid), signal.SIGKILL)
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _signal(pids: Sequence[int], number: int) -> None:
    for pid in reversed(pids):
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def last_words(log: IO[bytes]) -> str:
    """The end of what a process wrote into a temporary file."""
    log.seek(0)
    return log.read().decode(errors="replace").strip()[-300:]
