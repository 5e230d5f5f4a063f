"""Fixtures that several unit tests share."""

from collections.abc import Iterator

import pytest

from tests.unit.ntp_servers import Servers


@pytest.fixture
def servers() -> Iterator[Servers]:
    """Time servers of a test's own, gone after it."""
    made = Servers()
    yield made
    made.close()
