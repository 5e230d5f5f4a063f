"""A line that is typed."""

import pytest

from mailcow_wizard.tui.typing_line import TypingLine


@pytest.mark.parametrize(
    ("before", "key", "after"),
    [
        ("ab|c", "backspace", "a|c"),
        ("|abc", "backspace", "|abc"),
        ("a|bc", "delete", "a|c"),
        ("abc|", "delete", "abc|"),
        ("ab|c", "ctrl+u", "|c"),
        ("ab|c", "ctrl+k", "ab|"),
        ("mail.example.or|", "ctrl+w", "mail.example.|"),
        ("word|", "ctrl+w", "|"),
        ("ab|c", "left", "a|bc"),
        ("|abc", "left", "|abc"),
        ("abc|", "right", "abc|"),
        ("ab|c", "home", "|abc"),
        ("ab|c", "end", "abc|"),
    ],
)
def test_editing_keys(before: str, key: str, after: str) -> None:
    text, _, rest = before.partition("|")
    new = TypingLine(text + rest, len(text)).key(key)
    assert new is not None
    assert new.text[: new.place] + "|" + new.text[new.place :] == after


def test_other_keys_are_none_of_it() -> None:
    assert TypingLine.of("a").key("f5") is None


def test_what_is_pasted_has_one_line() -> None:
    assert TypingLine("ac", 1).typed("b\n\x1b[2J") == TypingLine("ab[2Jc", 5)
