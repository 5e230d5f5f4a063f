"""Whether mailcow is set up here already, at a glance, for a first screen that waits for nobody."""

from __future__ import annotations

from mailcow_wizard.facts.mailcow_conf import mailcow_conf
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError

_BRIDGE = "/sys/class/net/br-mailcow"


def is_set_up(facts: Facts) -> bool:
    """Whether mailcow was started here, at a glance: its bridge is there. Asks nobody. Raises nothing."""
    return _has(facts, configured=True)


def is_set_up_elsewhere(facts: Facts) -> bool:
    """Whether mailcow's bridge is there and no mailcow.conf in its directory: it was started from another
    one. Asks nobody. Raises nothing."""
    return _has(facts, configured=False)


def _has(facts: Facts, configured: bool) -> bool:
    try:
        return facts.host.exists(_BRIDGE) and facts.get(mailcow_conf).exists is configured
    except HostError:
        return False
