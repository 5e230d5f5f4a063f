"""The log of an install, which is English, in the language of whoever looks."""

import pytest

from mailcow_wizard import language
from mailcow_wizard.install import spoken


@pytest.fixture
def german() -> None:
    language.use("de")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("packages: done: all are there", "packages: erledigt: alle sind da"),
        ("docker: done: Docker 26.1.5+dfsg1", "docker: erledigt: Docker 26.1.5+dfsg1"),
        ("up:   done: what a command said", "up:   done: what a command said"),
    ],
)
def test_the_end_of_a_stage(german: None, said: str, told: str) -> None:
    assert spoken.line(said) == told
