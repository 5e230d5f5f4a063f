"""The end of a conversation as a whole: a limit for each of its steps is none for who sends a byte now and
then."""

from __future__ import annotations

import time


def left(end: float) -> float:
    """The seconds until then (monotonic). Raises TimeoutError where there are none."""
    seconds = end - time.monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds
