"""Times of whole processes, taken in turns so that a noisy moment meets all of them."""

import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from lab.inside import CHECKOUT, Text

BIN = CHECKOUT / ".venv/bin"
PYTHON = str(BIN / "python")
WIZARD = str(BIN / "mailcow-wizard")
PROBES = Path(__file__).parent / "probes"

Command = Sequence[Text]


@contextmanager
def own_state() -> Iterator[tuple[str, str]]:
    """The option that gives the wizard an empty directory for its state: what this machine's own one holds,
    changes and runs, is looked at by every start."""
    with tempfile.TemporaryDirectory() as directory:
        yield "--state-dir", directory


def medians(measures: Sequence[Callable[[], float]], rounds: int) -> list[float]:
    """The median of each measure over some rounds, after one round that warms up."""
    for one in measures:
        one()
    taken = [[one() for one in measures] for _ in range(rounds)]
    return [median(times) for times in zip(*taken, strict=True)]


def processes(commands: Sequence[Command], rounds: int) -> list[float]:
    """The median time in ms of each command from its start to its end."""
    return medians([lambda argv=argv: whole(argv) for argv in commands], rounds)  # type: ignore[misc]


def whole(argv: Command) -> float:
    """One command's time in ms."""
    start = time.perf_counter()
    subprocess.run(
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
    )
    return (time.perf_counter() - start) * 1e3
