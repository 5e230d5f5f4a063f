"""What a key opens that several steps have."""

import pytest

from mailcow_wizard.model import STEPS
from mailcow_wizard.tui.places import PLACES, _behind


@pytest.mark.parametrize(
    ("key", "step", "opens"),
    [
        *((("i", one, "reach.show")) for one in ("welcome", "network", "docker", "config")),
        *((("i", one, "installing.show")) for one in ("install", "verify", "summary")),
        *((("+", one, "records.add_domain")) for one in ("welcome", "ports", "dns", "install")),
        *((("+", one, "first_mailbox.show")) for one in ("verify", "summary")),
        ("w", "welcome", "answering.write"),
    ],
)
def test_a_key_opens_what_is_nearest_before(key: str, step: str, opens: str) -> None:
    assert _behind(key, step) == opens


def test_each_key_opens_something_from_each_step() -> None:
    for step in STEPS:
        for place in PLACES:
            assert _behind(place.key, step.id)
            assert _behind(place.key, place.step) == place.opens
