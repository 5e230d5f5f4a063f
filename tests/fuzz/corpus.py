"""Inputs that led somewhere new, kept in a file for each target: short ones, and few."""

import json
from collections.abc import Iterable
from pathlib import Path

PLACE = Path(__file__).parent / "corpus"
LONGEST = 1_000
MOST_BYTES = 3_000
"""Of one target."""


def _file(name: str) -> Path:
    return PLACE / f"{name.replace(' ', '-')}.json"


def kept(name: str) -> tuple[bytes, ...]:
    """The inputs that are kept for a target."""
    try:
        said = json.loads(_file(name).read_text(encoding="ascii"))
    except FileNotFoundError:
        return ()
    return tuple(one.encode("latin-1") for one in said)


def keep(name: str, inputs: Iterable[bytes]) -> None:
    """Keeps these and no others, the shortest first, as many as there is room for."""
    chosen: list[bytes] = []
    for one in sorted({one for one in inputs if len(one) <= LONGEST}, key=lambda one: (len(one), one)):
        if sum(map(len, chosen)) + len(one) <= MOST_BYTES:
            chosen.append(one)
    PLACE.mkdir(exist_ok=True)
    text = json.dumps([one.decode("latin-1") for one in chosen], indent=0)
    if chosen:
        _file(name).write_text(text + "\n", encoding="ascii")
    else:
        _file(name).unlink(missing_ok=True)
