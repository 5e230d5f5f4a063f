"""Whether mailcow is set up here already, at a glance, for a first screen that waits for nobody."""

from __future__ import annotations

from mailcow_wizard.facts.mailcow_conf import BRIDGE, mailcow_conf
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError


def is_set_up(facts: Facts) -> bool:
    """Whether mailcow was started here, at a glance: its bridge is there. Asks nobody. Raises nothing."""
    try:
        return facts.host.exists(BRIDGE) and facts.get(mailcow_conf).exists
    except HostError:
        return False


def is_set_up_elsewhere(facts: Facts) -> bool:
    """Whether mailcow's bridge is there and nothing of mailcow in its directory: it was started from another
    one. Asks nobody. Raises nothing."""
    try:
        if not facts.host.exists(BRIDGE):
            return False
        from mailcow_wizard.facts.config import MARKS

        return not any(facts.host.exists(facts.settings.within(mark)) for mark in MARKS)
    except HostError:
        return False
