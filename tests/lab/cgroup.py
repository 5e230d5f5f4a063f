"""Control groups of the tests' own, made where cgroup2 is mounted and gone when the test ends."""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

from .inside import LabError

_PREFIX = "mailcow-wizard-tests-"
_NUMBERS = count()
_JOIN = 'echo $$ > "$0" && exec "$@"'


def mount_point() -> Path:
    """Where cgroup2 is mounted: /sys/fs/cgroup, or /sys/fs/cgroup/unified beside version 1."""
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        before, _, after = line.partition(" - ")
        if after.startswith("cgroup2 "):
            return Path(before.split()[4])
    raise LabError("cgroup2 is not mounted")


def joining(group: Path, argv: Sequence[str | bytes]) -> list[str | bytes]:
    """The command, run as a member of the group."""
    return ["sh", "-c", _JOIN, f"{group}/cgroup.procs", *argv]


@contextmanager
def own_cgroup() -> Iterator[Path]:
    """A new group below the root, as an init system makes them; removed with all below it."""
    root = mount_point()
    _sweep(root)
    group = root / f"{_PREFIX}{os.getpid()}-{next(_NUMBERS)}"
    try:
        group.mkdir()
    except OSError as error:
        raise LabError(f"no cgroup can be made: {error}") from None
    try:
        yield group
    finally:
        _remove(group)


def _sweep(root: Path) -> None:
    """Takes away what test runs left that were killed; a group with a process in it stays."""
    for group in root.glob(f"{_PREFIX}*"):
        pid = group.name.removeprefix(_PREFIX).partition("-")[0]
        if not Path(f"/proc/{pid}").exists():
            with suppress(OSError):
                _remove(group, seconds=0)


def _remove(group: Path, seconds: float = 3.0) -> None:
    """A group stays busy until the kernel has buried its last process."""
    deadline = time.monotonic() + seconds
    while group.exists():
        for directory, _, _ in os.walk(group, topdown=False):
            try:
                os.rmdir(directory)
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
                break
