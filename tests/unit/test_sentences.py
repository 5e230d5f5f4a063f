"""What begins a sentence."""

import pytest

from mailcow_wizard.sentences import capitalized


@pytest.mark.parametrize(
    ("text", "begins"),
    [
        ("port 25 is free", "Port 25 is free"),
        ("übrig ist nichts", "Übrig ist nichts"),
        ("mailcow's own", "mailcow's own"),
        ("nobody's, it seems", "Nobody's, it seems"),
        ("two: one, and one", "Two: one, and one"),
        ("autodiscover.example.org leads to mail.example.org", "autodiscover.example.org leads to"),
        ("exim4 is listening on port 25", "exim4 is listening"),
        ("/etc/hosts could not be read", "/etc/hosts could"),
        ("mailcow is here already", "mailcow is here"),
        ("", ""),
    ],
)
def test_a_name_keeps_its_letters(text: str, begins: str) -> None:
    assert capitalized(text).startswith(begins)
    assert capitalized(text).lower() == text.lower()
