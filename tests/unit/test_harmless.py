"""Text from strangers is shown in one line, without anything that drives a terminal."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from mailcow_wizard.harmless import LIMIT, _flat, _is_unusual, harmless

CASES = {
    "escape": ("\x1b[31mred", "\\x1b[31mred"),
    "newline": ("a\nb\r\tc", "a b  c"),
    "bell": ("\a\b", "\\x07\\x08"),
    "C1": ("\x9b31m", "\\x9b31m"),
    "delete": ("\x7f", "\\x7f"),
    "nul": ("\0", "\\x00"),
    "bidi override": ("a\u202eb", "a\\u202eb"),
    "bidi isolate": ("\u2066x\u2069", "\\u2066x\\u2069"),
    "zero width": ("a\u200bb\ufeff", "a\\u200bb\\ufeff"),
    "line separator": ("a\u2028b", "a\\u2028b"),
    "lone surrogate": ("\udc80", "\\udc80"),
    "beyond the first plane": ("\U000e0001", "\\ue0001"),
    "no-break space": ("1\u00a0000", "1 000"),
    "markup": ("[red]x[/red]", "[red]x[/red]"),
    "letters": ("Zürich 東京 🐄", "Zürich 東京 🐄"),
    "four marks": ("e\u0301\u0302\u0303\u0304", "e\u0301\u0302\u0303\u0304"),
    "a tower of marks": ("e" + "\u0301" * 6, "e" + "\u0301" * 4 + "\\u0301" * 2),
    "fillers": ("a\u3164b\u115fc\uffa0", "a\\u3164b\\u115fc\\uffa0"),
    "the blank of Braille": ("⣿\u2800", "⣿\\u2800"),
    "joiner without looks": ("a\u034fb", "a\\u034fb"),
    "variation selectors": ("x\ufe0f\U000e0100", "x\\ufe0f\\ue0100"),
    "empty": ("", ""),
}


@pytest.mark.parametrize("name", CASES)
def test_case(name: str) -> None:
    text, shown = CASES[name]
    assert harmless(text) == shown


@pytest.mark.parametrize(
    "text", [chr(code) * 3 for code in (*range(0x20), *range(0x7F, 0xA0), 0xD800, 0x202E)]
)
def test_what_comes_out_is_printable_and_can_be_written(text: str) -> None:
    shown = harmless(text)
    assert shown.isprintable()
    assert shown.encode("utf-8")


@pytest.mark.parametrize("text", ["x" * 10_000_000, "\x1b" * 10_000_000, "\udc80" * 401])
def test_length_is_bounded(text: str) -> None:
    shown = harmless(text)
    assert len(shown) == LIMIT
    assert shown.endswith("…")


def test_a_text_of_just_the_limit_stays() -> None:
    assert harmless("x" * LIMIT) == "x" * LIMIT
    assert harmless("abcdef", 5) == "abcd…"


WIDE = ("東" * 500, "x" + "東" * 500, "한글" * 300, "🐄" * 401, "ｗ" * 201, "é" * 401, "e\u0301" * 300)


@pytest.mark.parametrize("text", WIDE)
def test_columns_are_bounded(text: str) -> None:
    shown = harmless(text)
    assert LIMIT - 2 <= cell_len(shown.replace("\u0301", "x")) <= LIMIT
    assert shown.endswith("…")
    assert text.startswith(shown[:-1])


def test_a_wide_text_of_just_the_limit_stays() -> None:
    assert harmless("東" * 3, 6) == "東" * 3
    assert harmless("東" * 3, 5) == "東東…"
    assert harmless("東" * 3, 4) == "東…"
    assert harmless("a東東", 4) == "a東…"


@settings(deadline=None)
@given(st.text(max_size=40), st.integers(1, 30))
def test_no_text_is_wider_than_the_limit(text: str, limit: int) -> None:
    shown = harmless(text, limit)
    assert shown.isprintable()
    assert max(cell_len(shown), len(shown)) <= limit


def test_of_what_is_usual_nothing_is_wide_unseen_or_a_mark() -> None:
    usual = [chr(code) for code in range(0x110000) if chr(code).isprintable() and not _is_unusual(chr(code))]
    assert len(usual) > 700
    assert "".join(usual) == _flat("".join(usual))
    assert all(cell_len(one) == 1 for one in usual)
