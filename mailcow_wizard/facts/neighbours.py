"""Who is near: addresses from which a connection proves nothing about the way in from outside.

A knock from this machine, from its containers or from the same network passes no firewall of the provider.
"""

from __future__ import annotations

import ipaddress

from mailcow_wizard.facts.addresses import addresses
from mailcow_wizard.facts.network.routes import own_v4, own_v6, rows_v4, rows_v6
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.requirements_network import LOCAL_NETWORKS, PRIVATE_NETWORKS
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from ipaddress import IPv4Network, IPv6Network

    from mailcow_wizard.facts.network.routes import Row4, Row6

    Networks = tuple[IPv4Network | IPv6Network, ...]

_LEAST_PREFIX = {4: 8, 6: 32}
"""A route for more than that is a way to the world, and no network that this machine stands in."""


def is_near(facts: Facts, address: str) -> bool:
    """Whether a connection from this address does not come from outside."""
    one = ipaddress.ip_address(address)
    return any(one in network for network in facts.get(neighbourhood))


def neighbourhood(facts: Facts) -> Networks:
    """Networks and addresses that are not outside: private ones, this machine's own, those at its cables."""
    # Not what Python calls private: addresses for documentation are nobody's neighbours.
    found = [ipaddress.ip_network(one) for one in (*PRIVATE_NETWORKS, *LOCAL_NETWORKS)]
    for ask in (_own, _cables_v4, _cables_v6):
        try:
            found += ask(facts)
        except HostError:
            continue
    return tuple(found)


def _own(facts: Facts) -> Networks:
    # Behind NAT that leads back (hairpin) this machine comes from its own public address.
    public = [one for family in (4, 6) for one in facts.get(addresses, family).public]
    mine = (*own_v4(facts), *(one.address for one in own_v6(facts)), *public)
    return tuple(ipaddress.ip_network(one) for one in mine)


def _cables_v4(facts: Facts) -> Networks:
    return _cables(facts.get(rows_v4), _LEAST_PREFIX[4])


def _cables_v6(facts: Facts) -> Networks:
    return _cables(facts.get(rows_v6), _LEAST_PREFIX[6])


def _cables(rows: Iterable[Row4 | Row6], least: int) -> Networks:
    """The networks that are reached without a gateway."""
    return tuple(one.network for one in rows if one.up and not one.gateway and one.network.prefixlen >= least)
