"""Measures all rows, or those of the topics named, and prints the table."""

import sys
from importlib import import_module

from bench.table import Row, machine, printed

TOPICS = (
    *("start", "ports", "paint", "clock", "names", "docker", "outward"),
    *("traffic", "crowd", "peers", "line"),
)


def main(topics: list[str]) -> None:
    """The table goes to stdout, what is being measured to stderr."""
    rows: list[Row] = []
    for topic in topics or TOPICS:
        print(f"measuring: {topic}", file=sys.stderr)
        rows += import_module(f"bench.{topic}").rows()
    print(machine())
    print(printed(rows))


main(sys.argv[1:])
