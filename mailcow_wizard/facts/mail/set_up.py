"""Whether mailcow is set up here already, at a glance, for a first screen that waits for nobody."""

from __future__ import annotations

from mailcow_wizard.facts.mailcow_conf import mailcow_conf
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError

_BRIDGE = "/sys/class/net/br-mailcow"


def is_set_up(facts: Facts) -> bool:
    """Whether mailcow was started here, at a glance: its bridge is there. Asks nobody. Raises nothing."""
    try:
        bridge = facts.host.exists(_BRIDGE)
        return bridge and facts.get(mailcow_conf).exists
    except HostError:
        return False
