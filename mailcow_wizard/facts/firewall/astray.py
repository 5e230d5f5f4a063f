"""Rules that take a port away from mailcow: what comes to it is sent on to somebody else (a virtual machine,
a program on another port) before Docker could send it on to mailcow's container."""

from __future__ import annotations

from mailcow_wizard.facts.firewall.foreseen import BRIDGE, DOCKERS, OWN_TABLE, Foreseen
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from mailcow_wizard.facts.firewall.rules import Chain, Place
    from mailcow_wizard.facts.firewall.walk import Fate


def astray(later: Foreseen, number: int, end: Fate) -> Place | None:
    """The rule that sends a packet to this port elsewhere; None where it ends at mailcow, or nowhere."""
    rule, packet = end.moved_by, end.packet
    if end.outcome != "through" or rule is None or _is_dockers(rule.chain):
        return None
    # Docker's proxy takes what stays on this machine, at whichever of its addresses.
    to_proxy = packet.local and packet.port == number
    return None if to_proxy or later.way(packet.address) == BRIDGE else rule


def _is_dockers(chain: Chain) -> bool:
    """Whether it sends on to containers: whose port that is another check tells."""
    return chain.name.startswith(DOCKERS) or chain.table.name == OWN_TABLE
