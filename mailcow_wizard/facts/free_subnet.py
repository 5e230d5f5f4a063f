"""A private /24 for mailcow's containers that no route and no Docker network of this machine uses (G07)."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterator

from mailcow_wizard.facts.containers import docker_socket
from mailcow_wizard.facts.mailcow_conf import DEFAULT_NETWORK
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.door import HostError
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
    raise HostError("no private network is free: every one of 172.22 to 172.31 and 10.22 is in use")


def _candidates() -> Iterator[str]:
    yield DEFAULT_NETWORK
    for first, third in itertools.product(
        ("172.22", *(f"172.{n}" for n in range(23, 32)), "10.22"), range(1, 255)
    ):
        yield f"{first}.{third}"


def _routes(facts: Facts) -> list[IPv4Network]:
    """The networks of the routing table, but for the default route; words as the kernel writes them."""
    import ipaddress

    try:
        rows = [line.split() for line in facts.host.text("/proc/net/route").splitlines()[1:]]
    except HostError:
        return []
    found = []
    for row in rows:
        try:
            network, mask = (
                struct.unpack(">I", struct.pack("=I", int(row[place], 16)))[0] for place in (1, 7)
            )
            if mask:
                found.append(ipaddress.IPv4Network((network, bin(mask).count("1"))))
        except (ValueError, IndexError, struct.error):
            continue
    return found


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
