"""Neighbour discovery (RFC 4861): how routers and containers find this machine over IPv6, and it finds them.

Rules that let connections in do not let these messages in, and connection tracking never calls them
established: where they are dropped nothing reaches this machine over IPv6, whatever its ports' rules say.

A switch that keeps track of listeners (MLD snooping, RFC 4541) hands the questions about an address only to
machines that say, whenever a router asks, that they listen. Redirects (type 137) are not judged: without them
packets take a longer way.
"""

from __future__ import annotations

from mailcow_wizard.facts.firewall.connection import fate_of_one
from mailcow_wizard.facts.firewall.icmp import (
    LISTENER_QUERY,
    LISTENER_REPORT,
    NEIGHBOUR_ADVERT,
    NEIGHBOUR_SOLICIT,
    ROUTER_ADVERT,
    ROUTER_SOLICIT,
)
from mailcow_wizard.facts.firewall.inward import Inward
from mailcow_wizard.facts.firewall.packet import Packet
from mailcow_wizard.facts.firewall.rules import Rules
from mailcow_wizard.facts.firewall.walk import Fate
from mailcow_wizard.facts.network.routes import defaults_v6
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.typed import NamedTuple

ANY_NEIGHBOUR = "fe80::/64"
"""The addresses of one link, where nobody's own is known."""
_ALL_NODES, _ALL_ROUTERS, _ALL_WHO_TRACK = "ff02::1", "ff02::2", "ff02::16"
_SOLICITED = 0xFF02_0000_0000_0000_0000_0001_FF00_0000  # RFC 4291, section 2.7.1
_SOLICITED_BITS = 24
_NO_ARP = 0x80  # linux/if.h: nobody has to be found there


class Link(NamedTuple):
    """A link and who is on it: this machine's address, and the one of the router or container (a network
    where it is not known). `asks` are the addresses that the other one asks from. `advertised`: the default
    route lasts only as long as the router's advertisements come. `tracked`: a switch between the two may
    keep track of who listens to multicast."""

    interface: str
    own: str
    peer: str
    asks: str = ANY_NEIGHBOUR
    advertised: bool = False
    tracked: bool = False


class Lost(NamedTuple):
    """A message that does not get through, or may not: its type in ICMPv6, the interface, whether it comes
    in, and what becomes of it."""

    message: int
    interface: str
    incoming: bool
    fate: Fate


def door(facts: Facts, ways: Inward) -> Link | None:
    """The link that the world comes by over IPv6; None where there is none, or where nobody has to be found
    on it."""
    found = next(((name, address) for family, name, address in ways.doors if family == 6), None)
    if found is None or _is_without_neighbours(facts, found[0]):
        return None
    name, own = found
    route = next((one for one in facts.get(defaults_v6) if one.interface == name), None)
    gateway = route.gateway if route else ""
    asks = gateway if gateway.startswith("fe80:") else ANY_NEIGHBOUR
    return Link(name, own, gateway or ANY_NEIGHBOUR, asks, bool(route and route.advertised), True)


def _is_without_neighbours(facts: Facts, interface: str) -> bool:
    try:
        return bool(int(facts.host.text(f"/sys/class/net/{interface}/flags"), 16) & _NO_ARP)
    except (HostError, ValueError):
        return False


def lost(rules: Rules, link: Link) -> tuple[Lost, ...]:
    """Leads every message that a link needs through the rules."""
    messages = [
        (NEIGHBOUR_SOLICIT, True, link.asks, solicited(link.own)),
        (NEIGHBOUR_ADVERT, False, link.own, link.asks),
    ]
    if link.advertised:
        messages.append((ROUTER_SOLICIT, False, ANY_NEIGHBOUR, _ALL_ROUTERS))
        messages.append((ROUTER_ADVERT, True, link.asks, _ALL_NODES))
    if link.tracked:
        messages.append((LISTENER_QUERY, True, link.asks, _ALL_NODES))
        messages.append((LISTENER_REPORT, False, ANY_NEIGHBOUR, _ALL_WHO_TRACK))
    # What it passes on for others it asks about in the name of its address on the link.
    for own in dict.fromkeys((link.own, ANY_NEIGHBOUR)):
        messages.append((NEIGHBOUR_SOLICIT, False, own, solicited(link.peer)))
        messages.append((NEIGHBOUR_ADVERT, True, link.peer, own))
    found = []
    for message, incoming, source, address in messages:
        packet = Packet(
            6,
            source,
            address,
            0,
            link.interface if incoming else "",
            local=incoming,
            out="" if incoming else link.interface,
            protocol="icmp",
            leaving=not incoming,
            message=message,
        )
        end = fate_of_one(rules, packet)
        if end.outcome != "through":
            found.append(Lost(message, link.interface, incoming, end))
    return tuple(found)


def solicited(address: str) -> str:
    """Where those who have this address are asked: one of the multicast groups, or all of them where more of
    the address is not known."""
    import ipaddress

    network = ipaddress.IPv6Network(address, strict=False)
    low = int(network.network_address) & ((1 << _SOLICITED_BITS) - 1)
    bits = min(_SOLICITED_BITS, 128 - network.prefixlen)
    group = ipaddress.IPv6Network((_SOLICITED | low, 128 - bits), strict=False)
    return str(group.network_address) if not bits else str(group)
