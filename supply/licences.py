"""THIRD-PARTY.md: whose work the wizard uses, and under which licence."""

from __future__ import annotations

from pathlib import Path

from supply.packages import Package

FILE = "THIRD-PARTY.md"
_HEAD = """\
# Third-party packages

The launcher installs these; flit-core only builds. Written by `python -m supply` from what they say.

| package | version | licence (SPDX) | home |
|---|---|---|---|
"""


def text(packages: list[Package]) -> str:
    """The whole page."""
    rows = (
        f"| {one.pinned.name} | {one.pinned.version} | {one.licence} | {one.home} |\n" for one in packages
    )
    return _HEAD + "".join(rows)


def write(root: Path, packages: list[Package]) -> None:
    """Writes it."""
    (root / FILE).write_text(text(packages))
