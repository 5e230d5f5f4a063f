"""What a terminal sends is heard, and what no terminal should send ends nothing."""

import pytest
from textual import events

from mailcow_wizard.tui.display.received import Received

_NO_KEY = "\x1b[57111411200u"
"""A key with a number above Unicode's last."""


def _heard(typed: str, length: int = 1000) -> list[events.Event | str]:
    received = Received()
    data = typed.encode()
    pieces = [data[start : start + length] for start in range(0, len(data), length)]
    messages = [one for piece in pieces for one in received.messages(piece)]
    return [
        one.key if isinstance(one, events.Key) else one for one in messages if isinstance(one, events.Event)
    ]


@pytest.mark.parametrize(
    "noise",
    [
        _NO_KEY,
        "\x1b[99999999999999999999999999u",
        "\x1b[:;:~",
        "\x1b[48;0;0;10;10t\x1b[<0;5;5M",
        "\x1b[<0;²;5M",
    ],
    ids=["above-unicode", "many-digits", "no-digits", "place-on-no-screen", "no-number"],
)
@pytest.mark.parametrize("length", [1, 3, 1000])
def test_after_noise_keys_are_heard_as_before(noise: str, length: int) -> None:
    assert _heard(f"a{noise}\x1b[Bn", length)[-2:] == ["down", "n"]


def test_what_is_pasted_behind_noise_is_no_key() -> None:
    *_before, pasted = _heard(f"{_NO_KEY}\x1b[200~q\x1b[201~")
    assert isinstance(pasted, events.Paste)
    assert pasted.text == "q"
