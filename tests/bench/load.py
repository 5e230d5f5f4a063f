"""Weight for the benchmarks: many established connections, many processes, a service in its own cgroup.

Each is a context manager that ends all it started, and raises LabError where this machine's limits do not
allow it: nothing is begun that cannot be held.
"""

import resource
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from lab.cgroup import joining, own_cgroup
from lab.inside import CHECKOUT, Inside, LabError, needs, running

CONNECTIONS = 50_000
PROCESSES = 2_000
DESCRIPTORS = 50

_WEIGHT = (sys.executable, "-I", "-S", str(CHECKOUT / "tests/lab/weight.py"))
_LISTENER = (sys.executable, "-I", "-S", str(CHECKOUT / "tests/lab/listener.py"))
_READY_S = 180.0
_MOST_EACH = 8_000
_MOST_HOLDERS = 250
_SPARE_DESCRIPTORS = 100
_SPARE_PROCESSES = 1_000
# Both ends of a connection, and a forked process, with the kernel's share: measured, then rounded up.
_CONNECTION_KIB = 12
_PROCESS_KIB = 600


@contextmanager
def connections(place: Inside, count: int = CONNECTIONS) -> Iterator[None]:
    """So many established connections over the loopback of a network namespace.

    Each has both its descriptors, spread over as many processes as the limit of open files asks for."""
    each = min(_MOST_EACH, (resource.getrlimit(resource.RLIMIT_NOFILE)[1] - _SPARE_DESCRIPTORS) // 2)
    shares = [min(each, count - begun) for begun in range(0, count, each)] if each > 0 else []
    if not 0 < len(shares) <= _MOST_HOLDERS:
        raise LabError(f"{count} connections need more open files than the limit of a process allows")
    _must_fit("connections", count * _CONNECTION_KIB)
    if 2 * count > _number("/proc/sys/fs/file-max"):
        raise LabError(f"{count} connections are more open files than fs.file-max allows")
    with ExitStack() as stack:
        started = [
            stack.enter_context(running(place.start([*_WEIGHT, "connections", str(share), str(number)])))
            for number, share in enumerate(shares)
        ]
        _wait_for(started)
        yield


@contextmanager
def processes(count: int = PROCESSES, descriptors: int = DESCRIPTORS) -> Iterator[int]:
    """So many idle processes with so many descriptors each; the pid of their parent."""
    needs()
    there = sum(name.name.isdigit() for name in Path("/proc").iterdir())
    most = min(_number("/proc/sys/kernel/pid_max"), _number("/proc/sys/kernel/threads-max"))
    if there + count + _SPARE_PROCESSES > most:
        raise LabError(f"{count} processes do not fit beside {there}: this machine allows {most}")
    limit = resource.getrlimit(resource.RLIMIT_NPROC)[0]
    if limit != resource.RLIM_INFINITY and count > limit:
        raise LabError(f"{count} processes are more than the limit of {limit} for this user")
    _must_fit("processes", count * _PROCESS_KIB)
    argv = [*_WEIGHT, "processes", str(count), str(descriptors)]
    holder = subprocess.Popen(
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    with running(holder, seconds=30):
        _wait_for([holder])
        yield holder.pid


@contextmanager
def service(place: Inside, address: str, ports: str, name: str = "greedy.service") -> Iterator[int]:
    """A listener in a cgroup of its own, as systemd starts a service; its pid. `name` may be a path."""
    with own_cgroup() as group:
        unit = group / name
        unit.mkdir(parents=True)
        argv = joining(unit, place.command([*_LISTENER, address, ports]))
        listener = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        with running(listener) as process:
            _wait_for([process])
            yield process.pid


def _must_fit(what: str, kib: int) -> None:
    """Twice what is needed has to be available: the benchmark shares the machine."""
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:") and int(line.split()[1]) < 2 * kib:
            raise LabError(f"not enough memory for the {what}: {2 * kib // 1024} MiB wanted")


def _number(path: str) -> int:
    return int(Path(path).read_text())


def _wait_for(started: "list[subprocess.Popen[bytes]]") -> None:
    """Until every process has said that it is ready."""
    deadline = time.monotonic() + _READY_S
    for process in started:
        left = max(0.0, deadline - time.monotonic())
        if not process.stdout or not select.select([process.stdout], [], [], left)[0]:
            raise LabError(f"the weight was not there after {_READY_S:.0f} s")
        if process.stdout.readline() != b"ready\n":
            raise LabError("the weight could not be made: a limit of this machine was reached")
