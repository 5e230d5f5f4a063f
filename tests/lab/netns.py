"""Network namespaces that a test makes and takes away again, and cables between them.

with Namespace.create() as here, Namespace.create() as there:
    link(here, there, "10.9.0.1/24", "10.9.0.2/24")
    here.run(["ping", "-c1", "10.9.0.2"])
"""

import itertools
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from .inside import end, needs

_numbers = itertools.count(1)
_PREFIX = "mw-"
_ENDS_WITH_US = ("setpriv", "--pdeathsig", "KILL", "--")
_NAMES, _FILES = Path("/run/netns"), Path("/etc/netns")


class Namespace:
    """A network namespace with `lo` up. What was started in it ends with it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._started: list[subprocess.Popen[bytes]] = []

    @classmethod
    @contextmanager
    def create(cls) -> "Iterator[Namespace]":
        """A fresh namespace; raises LabError where this user may not make one."""
        needs("ip", "setpriv")
        number = next(_numbers)
        if number == 1:
            remove_left_behind()
        namespace = cls(f"{_PREFIX}{os.getpid()}-{number}")
        _ip("netns", "add", namespace.name)
        try:
            _ip("-n", namespace.name, "link", "set", "lo", "up")
            yield namespace
        finally:
            for process in reversed(namespace._started):
                end(process)
            _ip("netns", "del", namespace.name)

    def run(
        self, argv: Sequence[str], timeout: float = 60.0, check: bool = True, text: str | None = None
    ) -> "subprocess.CompletedProcess[str]":
        """Runs a command inside to its end; `text` goes to its standard input."""
        return subprocess.run(
            [*self._enter, *argv],
            input=text or "",
            capture_output=True,
            timeout=timeout,
            check=check,
            text=True,
        )

    def start(self, argv: Sequence[str], env: Mapping[str, str] | None = None) -> "subprocess.Popen[bytes]":
        """Starts a command inside; it is ended with the namespace, earlier by the caller, or when the thread
        that began it is gone: what is left of a killed run holds no namespace."""
        process = subprocess.Popen(
            [*_ENDS_WITH_US, *self._enter, *argv],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **(env or {})},
        )
        self._started.append(process)
        return process

    @property
    def _enter(self) -> tuple[str, ...]:
        return ("ip", "netns", "exec", self.name)


def remove_left_behind() -> None:
    """Takes away what runs that were killed have left: namespaces named after a process that is gone, which
    hold no process, and the files that were theirs."""
    names = {one.name for place in (_NAMES, _FILES) if place.is_dir() for one in place.glob(f"{_PREFIX}*")}
    for name in sorted(names):
        pid = name.removeprefix(_PREFIX).partition("-")[0]
        if not pid.isdecimal() or Path(f"/proc/{pid}").exists() or _holds_processes(name):
            continue
        # Another run may be at it, too.
        subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)
        if not (_NAMES / name).exists():
            shutil.rmtree(_FILES / name, ignore_errors=True)


def _holds_processes(name: str) -> bool:
    """Whether somebody is in it; a name without a namespace holds nobody."""
    listed = subprocess.run(["ip", "netns", "pids", name], check=False, capture_output=True, text=True)
    return bool(listed.stdout.split()) or (listed.returncode != 0 and (_NAMES / name).exists())


def link(one: Namespace, other: Namespace, *addresses: str) -> None:
    """A cable between two namespaces. Addresses with prefix, in turn: for `one`, for `other`, for `one` …"""
    number = next(_numbers)
    ends = (f"mw{number}a", f"mw{number}b")
    peer = ("peer", "name", ends[1], "netns", other.name)
    _ip("-n", one.name, "link", "add", ends[0], "type", "veth", *peer)
    for namespace, device, own in ((one, ends[0], addresses[::2]), (other, ends[1], addresses[1::2])):
        for address in own:
            # No duplicate address detection: an IPv6 address is usable at once.
            nodad = ("nodad",) if ":" in address else ()
            _ip("-n", namespace.name, "addr", "add", address, "dev", device, *nodad)
        _ip("-n", namespace.name, "link", "set", device, "up")


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)
