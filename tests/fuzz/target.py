"""What is fed: a parser, with examples of what it reads."""

from collections.abc import Callable
from typing import NamedTuple

DEEP = b"[" * 50_000
"""Deeper than Python's own readers go."""
DIGITS = b"9" * 5_000
"""More digits than Python makes a number of."""


class Target(NamedTuple):
    """`feed` takes any bytes, and raises nothing whatever they are; `seeds` are examples that lead far."""

    name: str
    feed: Callable[[bytes], object]
    seeds: tuple[bytes, ...]


def text(data: bytes) -> str:
    """As the door gives text: bytes that are no UTF-8 are replaced."""
    return data.decode("utf-8", "replace")
