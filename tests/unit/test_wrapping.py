"""Lines for a terminal: broken between words, never within what is copied."""

import pytest

from mailcow_wizard.wrapping import behind, wrapped


@pytest.mark.parametrize(
    "command",
    ["cd /opt/mailcow-dockerized && docker compose up -d", "./wizard verify --first-mailbox a@b.example"],
)
def test_a_command_behind_a_colon_stays_whole(command: str) -> None:
    made = wrapped(f"  To take it up, all of it is made anew: {command}", 40, hanging=2)
    assert made == ["  To take it up, all of it is made anew:", f"    {command}"]


def test_words_stand_below_each_other_behind_a_head() -> None:
    made = behind("  1  applied ", "words that go on and on until they have no room", 40)
    assert made == ["  1  applied  words that go on and on", "              until they have no room"]
    assert behind("  1  applied ", "words " * 30, 0) == ["  1  applied  " + "words " * 30]
    low = behind("x" * 30, "words that have no room behind it", 40)
    assert low == ["x" * 30, "      words that have no room behind it"]
