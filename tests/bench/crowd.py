"""A complete `check --json` on this machine, bare and crowded: time, processor, memory."""

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import NamedTuple

from lab.inside import Inside, LabError, needs
from lab.netns import Namespace

from bench import load
from bench.measure import WIZARD
from bench.table import Row, absent, below

CONNECTIONS, PROCESSES, DESCRIPTORS = 100_000, 5_000, 20
MOUNTS, INTERFACES, RULES = 2_000, 500, 10_000
_ROUNDS = 5
_MOST_CPU_S, _MOST_MIB = 1.0, 60.0
# What it takes besides its slowest question.
_REST_S = 0.1
# Crowded, everything may be twice that.
_FACTOR = 2
_SLOWEST = ("nft", "-s", "-j", "list", "ruleset")

_CROWD = f"""set -e
for n in $(seq {INTERFACES // 2}); do
    echo "link add a$n type veth peer name b$n"
    echo "addr add 10.$((100 + n / 250)).$((n % 250)).1/24 dev a$n"
    echo "link set a$n up"
    echo "link set b$n up"
done | ip -batch -
mount -t tmpfs tmpfs "$1"
for n in $(seq {MOUNTS}); do mkdir "$1/$n"; mount -t tmpfs -o size=4k "crowd$n" "$1/$n"; done
{{
    echo "table inet crowd {{ chain input {{ type filter hook input priority 0; policy accept;"
    for n in $(seq {RULES}); do
        echo "ip saddr 198.51.$((n / 250)).$((n % 250)) tcp dport $((1024 + n)) drop"
    done
    printf "}}\\n}}\\n"
}} | nft -f -
"""


class Cost(NamedTuple):
    """What a run took: seconds, seconds of processor with its children's, MiB of the largest process."""

    wall: float
    cpu: float
    mib: float


def rows() -> Iterator[Row]:
    """Both machines, without asking the network: what that costs stands in other rows."""
    needs("nft", "unshare", "nsenter")
    with Namespace.create() as namespace, tempfile.TemporaryDirectory() as place, _apart(namespace) as inside:
        bare = _cost(inside, place)
        yield from _both("check --json --offline, everything", bare, 1)
        try:
            inside.run(["bash", "-c", _CROWD, "crowd", place], timeout=300, check=True)
            with load.connections(inside, CONNECTIONS), load.processes(PROCESSES, DESCRIPTORS):
                crowded = _cost(inside, place)
                slowest = median(_once(list(map(str, inside.command(_SLOWEST)))).wall for _ in range(_ROUNDS))
        except (LabError, subprocess.SubprocessError) as error:
            yield absent("the same, crowded", str(error))
            return
        yield from _both(_CROWDED, crowded, _FACTOR)
        beside = f"{' '.join(_SLOWEST)} {slowest:.2f} s; bare {bare.wall:.2f} s"
        yield below("the same, its time", crowded.wall, "s", _FACTOR * (slowest + _REST_S), beside)


_CROWDED = (
    f"the same with {CONNECTIONS:,} connections, {PROCESSES:,} processes, {MOUNTS:,} mounts, "
    f"{INTERFACES} interfaces, {RULES:,} nft rules"
)


def _both(what: str, cost: Cost, factor: int) -> Iterator[Row]:
    yield below(f"{what}: processor", cost.cpu, "s", _MOST_CPU_S * factor, f"wall {cost.wall:.2f} s")
    yield below("the same, memory", cost.mib, "MiB", _MOST_MIB * factor)


@contextmanager
def _apart(namespace: Namespace) -> Iterator[Inside]:
    """Mounts of its own for what runs in the namespace."""
    holder = subprocess.Popen(
        [
            *("ip", "netns", "exec", namespace.name, "unshare", "--mount", "--propagation", "private"),
            *("sh", "-c", "echo ready; exec sleep infinity"),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    )
    try:
        assert holder.stdout
        holder.stdout.readline()
        yield Inside(["nsenter", "-t", str(holder.pid), "--mount", "--net"])
    finally:
        holder.kill()
        holder.wait()


def _cost(inside: Inside, place: str) -> Cost:
    argv = [WIZARD, "check", "--json", "--offline", "--state-dir", str(Path(place) / "state")]
    taken = [_once(list(map(str, inside.command(argv)))) for _ in range(_ROUNDS)]
    return Cost(*(median(values) for values in zip(*taken, strict=True)))


def _once(argv: Sequence[str]) -> Cost:
    start = time.perf_counter()
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    _, _, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    return Cost(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
