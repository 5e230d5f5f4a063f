"""The address that mailcow's containers send with, where it is not that of this machine's own packets:
mailcow.conf says one, a rule translates to one, or masquerading takes another one than the route names."""

from __future__ import annotations

import ipaddress

from mailcow_wizard.facts.mailcow_conf import mailcow_conf
from mailcow_wizard.facts.network.routes import default_v4, own_v4, own_v6
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.patterns import pattern
from mailcow_wizard.typed import NamedTuple

SNAT = {4: "SNAT_TO_SOURCE", 6: "SNAT6_TO_SOURCE"}
"""What mailcow's own rules make the source of what its containers send, by family."""
_STRANGER = "45.33.32.156"
_TIMEOUT_S = 2.0
_TO_SOURCE = pattern(r"(?:--to-source |\bsnat (?:ip )?to )([0-9.]+)")
_PRIMARY = pattern(r"\binet ([0-9.]+)(?: peer ([0-9.]+))?/([0-9]{1,2})\b")


class Sent(NamedTuple):
    """An address that containers send with; `chosen`: mailcow.conf or a rule names it, and it does not only
    come of masquerading."""

    address: str = ""
    chosen: bool = True


_NONE = Sent()


def asked_for(facts: Facts, family: int) -> str:
    """The source that mailcow.conf asks for, as DNS writes it; empty where it asks for none, for none that is
    an address, or for one that this machine does not have: no mail leaves with that."""
    try:
        address = ipaddress.ip_address(facts.get(mailcow_conf).get(SNAT[family]))
    except (HostError, ValueError):
        return ""
    said = str(address)
    return said if address.version == family and _is_here(facts, said) is not False else ""


def _is_here(facts: Facts, address: str) -> bool | None:
    """Whether this machine has an address; None where its addresses could not be read."""
    try:
        own = [one.address for one in facts.get(own_v6)] if ":" in address else facts.get(own_v4)
    except HostError:
        return None
    return address in own if own else None


def sent_with(facts: Facts, family: int) -> Sent:
    """The containers' address in the world; empty where it is this machine's own, or nobody knows. What is
    translated once more on the way is not known here."""
    said = asked_for(facts, family)
    found = Sent(said) if said else _translated(facts) if family == 4 else _NONE
    return found if found.address and ipaddress.ip_address(found.address).is_global else _NONE


def _translated(facts: Facts) -> Sent:
    """By the rules; asked only where there is a choice."""
    try:
        own = [one for one in facts.get(own_v4) if ipaddress.ip_address(one).is_global]
    except HostError:
        return _NONE
    if len(own) < 2:
        return _NONE
    rule = _rule(facts)
    if rule is None:
        return _NONE
    to = _TO_SOURCE.search(rule)
    masks = not rule or "masquerade" in rule.lower()
    found = Sent(to[1]) if to else Sent(_masqueraded(facts), chosen=False) if masks else _NONE
    return found if found.address in own else _NONE


def _rule(facts: Facts) -> str | None:
    """The rule that translates the source of what a container sends; empty where there is none yet, or nobody
    may look, for then it will be Docker's; None where one is not understood."""
    from mailcow_wizard.facts.firewall.connection import fate
    from mailcow_wizard.facts.firewall.foreseen import BRIDGE, foreseen
    from mailcow_wizard.facts.firewall.packet import Packet

    try:
        later = facts.get(foreseen)
    except HostError:
        return ""
    packet = Packet(4, later.box(4), _STRANGER, 25, BRIDGE)
    end = fate(later.outwards(4), packet, later.way, later.ways.own)
    if end.outcome == "unknown":
        return None
    rule = end.masked_by and end.masked_by.rule
    return rule.text if rule else ""


def _masqueraded(facts: Facts) -> str:
    try:
        door = facts.get(default_v4)
        if not door.interface:
            return ""
        asked = ("ip", "-4", "-o", "addr", "show", "dev", door.interface, "primary", "scope", "global")
        return first_address(facts.host.run(asked, _TIMEOUT_S).out, door.gateway)
    except HostError:
        return ""


def first_address(text: str, gateway: str) -> str:
    """The address that masquerading takes of those that `ip -4 -o addr show primary` lists for an interface:
    the first whose network the gateway is in, else the first of all (inet_select_addr of Linux)."""
    first = ""
    for address, peer, bits in _PRIMARY.findall(text):
        try:
            network = ipaddress.IPv4Network(f"{peer or address}/{bits}", strict=False)
            ipaddress.IPv4Address(address)
        except ValueError:
            continue
        if gateway and ipaddress.IPv4Address(gateway) in network:
            return str(address)
        first = first or str(address)
    return first
