"""A private /24 for mailcow's containers that no route and no Docker network of this machine uses (G07)."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator, Mapping

from mailcow_wizard.facts.docker import networks
from mailcow_wizard.facts.mailcow_conf import DEFAULT_NETWORK
from mailcow_wizard.facts.network.routes import SPLIT_DEFAULT, own_v4, routes
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.language import _
from mailcow_wizard.requirements_network import MAILCOW_NETWORK
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from ipaddress import IPv4Network, IPv6Network
    from typing import Any


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
    try:
        listed = facts.get(networks)
    except HostError:
        return []
    found: list[IPv4Network] = []
    for one in listed:
        if not str(one.get("Name", "")).endswith(f"_{MAILCOW_NETWORK}"):
            with contextlib.suppress(ValueError):
                found += subnets_of(one)
    return found


def subnets_of(network: Mapping[str, Any]) -> list[IPv4Network]:
    """The IPv4 networks of one of Docker's, as its API has it. Before version 25 Docker took an address in
    the network's place (`172.22.1.1/24`), and it still tells what it took then. Raises ValueError where it
    has another shape."""
    import ipaddress

    return [ipaddress.IPv4Network(one, strict=False) for one in _named(network) if ":" not in one]


def subnets_v6_of(network: Mapping[str, Any]) -> list[IPv6Network]:
    """The same of IPv6; one that has it switched off takes no addresses, whatever is written for it."""
    import ipaddress

    if network.get("EnableIPv6") is not True:
        return []
    return [ipaddress.IPv6Network(one, strict=False) for one in _named(network) if ":" in one]


def _named(network: Mapping[str, Any]) -> list[str]:
    ipam = network.get("IPAM") or {}
    pools = (ipam.get("Config") or []) if isinstance(ipam, dict) else None
    if not isinstance(pools, list) or not all(isinstance(one, dict) for one in pools):
        raise ValueError("IPAM")
    return [named for named in (str(one.get("Subnet") or "") for one in pools) if named]
