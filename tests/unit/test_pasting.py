"""What is pasted is text, whatever is in it, and however it comes in pieces."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailcow_wizard.tui.display.pasting import Pasting

BEGINS, ENDS = "\x1b[200~", "\x1b[201~"


@pytest.mark.parametrize(
    ("typed", "plain"),
    [
        ("\x1b", "\x1b"),
        ("f\x1b[A\r", "f\x1b[A\r"),
        (f"{BEGINS}mail\x1b[31mfy\x07{ENDS}\x1b", f"{BEGINS}mail[31mfy{ENDS}\x1b"),
        (f"n{BEGINS}a\r\n\tb{ENDS}{BEGINS}\x1bq\x9b{ENDS}q", f"n{BEGINS}a\r\n\tb{ENDS}{BEGINS}q{ENDS}q"),
        (f"{BEGINS}\x1b[201{ENDS}", f"{BEGINS}[201{ENDS}"),
        (f"{ENDS}\x1b[3~", f"{ENDS}\x1b[3~"),
        (f"{BEGINS}{BEGINS}x{ENDS}", f"{BEGINS}[200~x{ENDS}"),
    ],
)
@pytest.mark.parametrize("length", [1, 2, 3, 1000])
def test_only_what_is_pasted_loses_its_controls(typed: str, plain: str, length: int) -> None:
    pasting = Pasting()
    pieces = [typed[start : start + length] for start in range(0, len(typed), length)]
    assert "".join(map(pasting.plain, pieces)) == plain


@settings(deadline=None)
@given(st.lists(st.text(alphabet="\x1b[201~aé\x07\r", max_size=12)))
def test_no_key_is_held_back_and_pieces_make_no_difference(pieces: list[str]) -> None:
    apart, whole = Pasting(), Pasting()
    said = [apart.plain(piece) for piece in pieces]
    assert "".join(said) == whole.plain("".join(pieces))
    if BEGINS not in "".join(pieces):
        assert said == pieces
