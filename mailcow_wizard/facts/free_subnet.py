"""A private /24 for mailcow's containers that no route and no Docker network of this machine uses (G07)."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator

from mailcow_wizard.facts.containers import docker_socket
from mailcow_wizard.facts.mailcow_conf import DEFAULT_NETWORK
from mailcow_wizard.facts.network.routes import SPLIT_DEFAULT, own_v4, routes
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.door import HostError
from mailcow_wizard.language import _
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from ipaddress import IPv4Network

_MAILCOWS = "_mailcow-network"


def free_subnet(facts: Facts) -> str:
    """The first three numbers of a free network: mailcow's own default where that is free.

    Raises HostError where none is free; routes or networks that cannot be read count as none.
    """
    import ipaddress

    taken = [*_routes(facts), *_networks(facts)]
    for network in _candidates():
        if not any(ipaddress.IPv4Network(f"{network}.0/24").overlaps(one) for one in taken):
            return network
    raise HostError(_("no private network is free: every one of 172.22 to 172.31 and 10.22 is in use"))


def _candidates() -> Iterator[str]:
    yield DEFAULT_NETWORK
    for first, third in itertools.product(
        ("172.22", *(f"172.{n}" for n in range(23, 32)), "10.22"), range(1, 255)
    ):
        yield f"{first}.{third}"


def _routes(facts: Facts) -> list[IPv4Network]:
    """The networks of all routing tables, but for the ways to everywhere else, and our own addresses."""
    import ipaddress

    found: list[str] = []
    with contextlib.suppress(HostError):
        found += [one.network for one in facts.get(routes)]
    with contextlib.suppress(HostError):
        found += facts.get(own_v4)
    networks = [ipaddress.IPv4Network(one) for one in found]
    return [one for one in networks if one.prefixlen > SPLIT_DEFAULT]


def _networks(facts: Facts) -> list[IPv4Network]:
    """Docker's networks, but for the one that mailcow has already."""
    import ipaddress
    import json

    found = []
    try:
        reply = facts.host.http(docker_socket(facts), "/networks")
        for one in json.loads(reply.body) if reply.status == 200 else ():
            for pool in (one.get("IPAM") or {}).get("Config") or ():
                subnet = str(pool.get("Subnet", ""))
                if not str(one.get("Name", "")).endswith(_MAILCOWS) and ":" not in subnet:
                    found.append(ipaddress.IPv4Network(subnet))
    except (HostError, ValueError, TypeError, AttributeError, RecursionError):
        return found
    return found
