"""How soon the command line answers."""

from collections.abc import Iterator

from bench.measure import PYTHON, WIZARD, processes
from bench.table import Row, at_most


def rows() -> Iterator[Row]:
    """--version and --help beside a Python that does nothing."""
    nothing, version, help_ = processes(
        [(PYTHON, "-c", "pass"), (WIZARD, "--version"), (WIZARD, "--help")], 60
    )
    yield at_most("--version", version, "python -c pass", nothing, 2.5)
    yield at_most("--help", help_, "python -c pass", nothing, 2.5)
