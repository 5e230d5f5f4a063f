"""Which checks a run begins with, and which it has in all."""

import pytest

from mailcow_wizard.checks import all_checks
from mailcow_wizard.engine.selection import Chosen, UnknownSelector, select


def test_a_run_of_all_begins_with_what_waits_longest() -> None:
    chosen = Chosen(())
    assert chosen.all == select(()) == all_checks()
    assert {"network.outbound-hosts", "reputation.asn", "docker.registry", "time.offset"} <= {
        one.id for one in chosen.first
    }
    assert all(one.network and not one.after for one in chosen.first)
    assert set(chosen.first) < set(chosen.all)


def test_what_is_named_begins_as_it_is() -> None:
    chosen = Chosen(["ports", "time.rtc"])
    assert chosen.first == chosen.all == select(["ports", "time.rtc"])


def test_what_nobody_knows_is_said_before_anything_begins() -> None:
    with pytest.raises(UnknownSelector):
        Chosen(["potrs"])
