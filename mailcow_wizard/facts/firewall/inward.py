"""The ways into this machine: the interface and address that packets from outside come to, and the interface
that leads to an address."""

from __future__ import annotations

import ipaddress

from mailcow_wizard.facts.network.routes import default_v4, defaults_v6, own_v4, own_v6, routes, rows_v6
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.requirements_network import ANYWHERE
from mailcow_wizard.typed import NamedTuple

# Interfaces that lead to containers, virtual machines and tunnels, not to the world.
INNER = ("lo", "docker", "br-", "veth", "virbr", "vnet", "lxc", "lxd", "cni", "podman", "tun", "tap", "wg")


class Net(NamedTuple):
    """A network (its IP version, first and last address as numbers) and the interface that leads there."""

    version: int
    first: int
    last: int
    interface: str


def net_of(network: str, interface: str) -> Net:
    """`10.0.0.0/8` as numbers: hundreds of them are compared with each address."""
    found = ipaddress.ip_network(network)
    return Net(found.version, int(found.network_address), int(found.broadcast_address), interface)


class Inward(NamedTuple):
    """By family (4, 6), where it has one: the interface that the world comes by and the address that it
    comes to. `own` are all addresses of this machine; `nets` are networks with the interface that leads
    there, the narrowest first."""

    doors: tuple[tuple[int, str, str], ...]
    own: frozenset[str]
    nets: tuple[Net, ...]

    def way(self, address: str) -> str:
        """The interface that leads to an address; `?` where that is not known."""
        try:
            wanted = ipaddress.ip_address(address)
        except ValueError:
            return "?"
        version, number = wanted.version, int(wanted)
        for one in self.nets:
            if one.first <= number <= one.last and one.version == version:
                return one.interface
        return next((name for family, name, _ in self.doors if family == version), "?")


def inward(facts: Facts) -> Inward:
    """Reads addresses and routes."""
    v4 = _own(facts)
    v6 = tuple(one.address for one in facts.get(own_v6))
    nets = [*_nets_v4(facts), *_routes_v6(facts)]
    nets.sort(key=lambda one: -int(one[0].partition("/")[2]))
    doors = [*_door_v4(facts, v4, nets), *_door_v6(facts)]
    return Inward(
        tuple(doors), frozenset((*v4, *v6, "127.0.0.1", "::1")), tuple(net_of(*one) for one in nets)
    )


def _own(facts: Facts) -> tuple[str, ...]:
    try:
        return facts.get(own_v4)
    except HostError:
        return ()


def _nets_v4(facts: Facts) -> list[tuple[str, str]]:
    try:
        return [(one.network, one.interface) for one in facts.get(routes) if not one.table]
    except HostError:
        return []


def _door_v4(facts: Facts, own: tuple[str, ...], nets: list[tuple[str, str]]) -> list[tuple[int, str, str]]:
    """By the default route; without one, by the first network that is none of containers."""
    name = _default_v4(facts)
    try:
        address = facts.host.source_address(ANYWHERE[4])
    except HostError:
        address = ""
    if name and address:
        return [(4, name, address)]
    for network, interface in nets:
        if ":" in network or interface.startswith(INNER) or (name and interface != name):
            continue
        inside = [one for one in own if ipaddress.ip_address(one) in ipaddress.ip_network(network)]
        if inside:
            return [(4, interface, inside[0])]
    return []


def _default_v4(facts: Facts) -> str:
    try:
        return facts.get(default_v4).interface
    except HostError:
        return ""


def _door_v6(facts: Facts) -> list[tuple[int, str, str]]:
    """Only with an address that the world could reach."""
    known = [
        one for one in facts.get(own_v6)
        if not one.deprecated and not one.interface.startswith(INNER)
        and not one.address.startswith(("fc", "fd"))
    ]  # fmt: skip
    names = [one.interface for one in facts.get(defaults_v6)]
    known.sort(key=lambda one: (one.interface not in names, one.temporary))
    return [(6, known[0].interface, known[0].address)] if known else []


def _routes_v6(facts: Facts) -> list[tuple[str, str]]:
    try:
        rows = facts.get(rows_v6)
    except HostError:
        return []
    found = [
        (str(one.network), one.interface)
        for one in rows
        if one.network.prefixlen and not one.network.is_multicast and not one.network.is_link_local
    ]
    return list(dict.fromkeys(found))
