"""Which limits everyday mail meets the end of, and which filters at an interface may end a packet's way."""

import json
from typing import Any

import pytest

from mailcow_wizard.facts.firewall.early import Bound, early
from mailcow_wizard.facts.firewall.limits import is_few
from mailcow_wizard.facts.store import Facts
from tests.fake_host import FakeHost


@pytest.mark.parametrize(
    ("number", "per", "burst", "each", "few"),
    [
        (1, "minute", 5, False, False),
        (59, "hour", 5, False, True),
        (60, "hour", 5, False, False),
        (3, "h", 5, True, False),
        (3, "h", 4, True, True),
        (1000, "day", 5, False, True),
        (1, "second", 1, False, False),
    ],
)
def test_below_one_in_a_minute(number: int, per: str, burst: int, each: bool, few: bool) -> None:
    """Where every sender has a limit of its own, the first few pass."""
    assert is_few(number, per, burst, each) is few


def _action(kind: str, control: str, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "control_action": {"type": control}, **more}


@pytest.mark.parametrize(
    ("row", "drops"),
    [
        ({"kind": "bpf", "options": {"direct-action": True}}, True),
        ({"kind": "u32", "options": {"actions": [_action("gact", "drop")]}}, True),
        ({"kind": "u32", "options": {"actions": [_action("gact", "pass")]}}, False),
        ({"kind": "u32", "options": {"actions": [_action("mirred", "stolen", to_dev="eth1")]}}, True),
        ({"kind": "u32", "options": {"actions": [_action("mirred", "stolen", to_dev="ifb0")]}}, False),
        ({"kind": "u32", "options": {"actions": [_action("police", "drop")]}}, False),
        ({"kind": "matchall", "options": {"actions": [_action("bpf", "pipe")]}}, True),
        ({"kind": "u32"}, False),
    ],
)
def test_filters_at_the_interface(row: dict[str, Any], drops: bool) -> None:
    """Who shapes what comes in sends it through another device, or drops what is too much."""
    host = FakeHost(commands={"tc -j filter show dev eth0 ingress": json.dumps([row])})
    found = early(Facts(host), (4, "eth0", "10.1.1.5")).bound
    assert found == ((Bound("eth0", "tc"),) if drops else ())
