"""What turns the kernel's switches for passing packets on to where they belong."""

from __future__ import annotations

from mailcow_wizard.facts.firewall.forwarding import Switch
from mailcow_wizard.language import _

_LOOK = "grep -rs forward /etc/sysctl.conf /etc/sysctl.d"


def switching_on(switch: Switch) -> str:
    """Docker turns on the one for all when it starts, and none of a single interface."""
    if switch.interface:
        return _(
            "Switch it on: sysctl -w {name}=1. See what switches it off: {look}",
            name=switch.name,
            look=_LOOK,
        )
    return _("Restart Docker: it switches that on at its start. See what switches it off: {look}", look=_LOOK)
