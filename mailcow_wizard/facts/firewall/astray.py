"""Rules that take a port away from mailcow: what comes to it is sent on to somebody else (a virtual machine,
a program on another port) before Docker could send it on to mailcow's container."""

from __future__ import annotations

from mailcow_wizard.facts.firewall.foreseen import BRIDGE, DOCKERS, OWN_TABLE, Foreseen
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from mailcow_wizard.facts.firewall.rules import Chain
    from mailcow_wizard.facts.firewall.walk import Fate


def astray(later: Foreseen, number: int, end: Fate) -> bool:
    """Whether a rule (`moved_by`) sends a packet to this port to somebody else than mailcow, even where
    another stops it there."""
    rule, packet = end.moved_by, end.packet
    if end.outcome == "unknown" or rule is None or _is_dockers(rule.chain):
        return False
    # Docker's proxy takes what stays on this machine, at whichever of its addresses.
    to_proxy = packet.local and packet.port == number
    return not to_proxy and later.way(packet.address) != BRIDGE


def unrouted(end: Fate, interface: str) -> bool:
    """Whether Docker sends a packet on to a container that no route leads to: it leaves by the interface that
    it came by."""
    rule = end.moved_by
    return rule is not None and _is_dockers(rule.chain) and end.forwarded and end.packet.out == interface


def _is_dockers(chain: Chain) -> bool:
    """Whether it sends on to containers: whose port that is another check tells."""
    return chain.name.startswith(DOCKERS) or chain.table.name == OWN_TABLE
