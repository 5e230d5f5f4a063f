"""What cannot be had on this machine skips a test, with the reason."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from .inside import LabError


@contextmanager
def or_skip() -> Iterator[None]:
    """Around what needs a real part of the lab."""
    try:
        yield
    except LabError as error:
        pytest.skip(str(error))
