"""Docker's engine: what a question over its socket costs, beside Docker's own client."""

from collections.abc import Iterator

from lab import engine
from lab.inside import CHECKOUT, LabError

from bench.measure import PROBES, PYTHON, processes
from bench.table import Row, absent, below, faster

_MOST_MS = 1.0
_ROUNDS = 15


def rows() -> Iterator[Row]:
    """A real engine with some containers."""
    try:
        with engine.started() as docker:
            docker.docker("run", "-d", engine.IMAGE, "/bin/busybox", "sleep", "600")
            probe, env = [PYTHON, str(PROBES / "docker.py")], {"PYTHONPATH": str(CHECKOUT)}
            ours = float(docker.run(probe, env=env, check=True).stdout)
            yield below("a question to Docker's engine, median of its facts'", ours, "ms", _MOST_MS)
            (client,) = processes([docker.command(["docker", "ps"])], _ROUNDS)
            yield faster("the same", ours, "`docker ps`", client, 20)
    except LabError as error:
        yield absent("a question to Docker's engine", str(error))
