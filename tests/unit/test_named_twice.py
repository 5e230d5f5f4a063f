"""What the line names twice, also in another spelling, is looked at once: results are told apart by it."""

import pytest

from mailcow_wizard.cli.arguments import parse

TWICE = {
    "domains": (("--domain", "example.org", "--domain=EXAMPLE.org.", "--domain", "example.net"), 2),
    "addresses": (("--address", "2d00:113::10", "--address", "2d00:0113:0::10"), 1),
    "ntp": (("--ntp", "ntp.example.org", "--ntp", "192.88.99.170", "--ntp", "NTP.example.org"), 2),
}


@pytest.mark.parametrize("field", TWICE)
def test_named_twice(field: str) -> None:
    words, number = TWICE[field]
    said = getattr(parse(["check", *words]), field)
    assert len(said) == number
    assert said[0] == words[1]
