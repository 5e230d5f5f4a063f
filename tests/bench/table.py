"""The table: one row for each thing measured, with its target."""

import os
import platform
from collections.abc import Iterable
from importlib.metadata import version
from typing import NamedTuple


class Row(NamedTuple):
    """What was measured, our figure, what it is compared with, their ratio, and what it should be.

    `good` is None where there is no target.
    """

    what: str
    ours: str
    compared: str
    ratio: str
    target: str
    good: bool | None


def at_most(what: str, ours: float, other: str, theirs: float, most: float) -> Row:
    """A row of two times in ms of which ours may be so many times the other's."""
    ratio = ours / theirs
    return Row(what, ms(ours), f"{other} {ms(theirs)}", f"{ratio:.2f}x", f"<= {most:g}x", ratio <= most)


def faster(what: str, ours: float, other: str, theirs: float, least: float) -> Row:
    """A row of two times in ms of which the other's should be so many times ours."""
    ratio = theirs / ours
    return Row(what, ms(ours), f"{other} {ms(theirs)}", f"1/{ratio:.0f}", f"<= 1/{least:g}", ratio >= least)


def below(what: str, ours: float, unit: str, most: float, compared: str = "") -> Row:
    """A row of one figure and its limit."""
    return Row(what, f"{ours:.4g} {unit}", compared, "", f"<= {most:g} {unit}", ours <= most)


def shown(what: str, ours: float, unit: str, compared: str = "") -> Row:
    """A row without a target."""
    return Row(what, f"{ours:.4g} {unit}", compared, "", "", None)


def absent(what: str, why: str) -> Row:
    """A row that could not be measured here."""
    return Row(what, "not measured", why, "", "", None)


def ms(value: float) -> str:
    """A time for people."""
    return f"{value:.2f} ms" if value < 10 else f"{value:.0f} ms"


def machine() -> str:
    """Where this was measured."""
    cores = len(os.sched_getaffinity(0))
    kernel, python = platform.release(), platform.python_version()
    return f"{cores} cores, Linux {kernel}, Python {python}, Textual {version('textual')}; medians"


def printed(rows: Iterable[Row]) -> str:
    """The rows as a table of text; what misses its target is marked."""
    titles = Row("", "ours", "compared with", "ratio", "target", None)
    every = [titles, *rows]
    widths = [max(len(str(row[place])) for row in every) for place in range(5)]
    lines = []
    for row in every:
        cells = "  ".join(str(row[place]).ljust(widths[place]) for place in range(5))
        lines.append(f"{cells}  {_MARKS[row.good]}".rstrip())
    return "\n".join(lines)


_MARKS = {True: "met", False: "OVER", None: ""}
