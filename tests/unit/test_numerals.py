"""Numbers of strangers: with too many digits, or with digits of other scripts."""

import pytest

from mailcow_wizard.numerals import is_number, whole


@pytest.mark.parametrize(
    "text", ["", "-1", "1.5", " 1", "1\n", "²", "٣", "9" * 21, "9" * 5000, "1_000", "0x1"]
)
def test_what_is_no_number(text: str) -> None:
    assert not is_number(text)
    assert whole(text, 7) == 7


@pytest.mark.parametrize(("text", "value"), [("0", 0), ("007", 7), ("9" * 20, int("9" * 20))])
def test_numbers(text: str, value: int) -> None:
    assert is_number(text)
    assert whole(text) == value
