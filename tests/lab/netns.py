"""Network namespaces that a test makes and takes away again, and cables between them.

with Namespace.create() as here, Namespace.create() as there:
    link(here, there, "10.9.0.1/24", "10.9.0.2/24")
    here.run(["ping", "-c1", "10.9.0.2"])
"""

import itertools
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from .inside import end, needs

_numbers = itertools.count(1)


class Namespace:
    """A network namespace with `lo` up. What was started in it ends with it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._started: list[subprocess.Popen[bytes]] = []

    @classmethod
    @contextmanager
    def create(cls) -> "Iterator[Namespace]":
        """A fresh namespace; raises LabError where this user may not make one."""
        needs("ip")
        namespace = cls(f"mw-{os.getpid()}-{next(_numbers)}")
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
        """Starts a command inside; it is ended with the namespace, or earlier by the caller."""
        process = subprocess.Popen(
            [*self._enter, *argv],
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
