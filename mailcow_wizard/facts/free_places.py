"""Ports and addresses of this machine that mailcow could use instead of the usual ones."""

import ipaddress

from mailcow_wizard import requirements as need
from mailcow_wizard.facts.bindings import EVERY_ADDRESS_V4, Binding, bindings, conflicts
from mailcow_wizard.facts.mailcow_conf import mailcow_conf
from mailcow_wizard.facts.network.routes import own_v4, rows_v4
from mailcow_wizard.facts.ports import PortFacts
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.requirements_network import LOCAL_NETWORKS, PRIVATE_NETWORKS

# What people use in their place, then what stands beside it.
_USUAL = {
    "ports.smtp": (2525, 10025, 20025),
    "ports.http": (8080, 8180, 8280, 8380),
    "ports.https": (8443, 8543, 8643, 8743),
}
# Interfaces whose addresses are of bridges to containers and guests, not of this machine's networks.
_BRIDGES = ("docker", "br-", "veth", "virbr", "lxc", "lxdbr", "podman", "cni", "flannel")


def candidates(port: need.Port) -> tuple[int, ...]:
    """Ports that could take the place of this one, best first."""
    if port.id in _USUAL:
        return _USUAL[port.id]
    if port.address:
        return tuple(range(port.number + 1, port.number + 5))
    return (10_000 + port.number, 20_000 + port.number, 30_000 + port.number)


def listening(facts: Facts) -> frozenset[int]:
    """The candidates, of all of mailcow's ports, where something listens already."""
    asked = tuple(sorted({number for port in need.PORTS for number in candidates(port)}))
    return frozenset(one.port for one in facts.host.listeners(asked).sockets)


def free_port(facts: Facts, port: need.Port, besides: tuple[int, ...] = ()) -> int:
    """A port for the service that nobody listens on and mailcow does not use; 0 where there is none."""
    conf = facts.get(mailcow_conf)
    ours = {one.number for one in bindings(conf.values, conf.odd)} | {one.number for one in need.PORTS}
    taken = facts.get(listening) | ours | set(need.PORTS_RESERVED_IN_NGINX) | set(besides)
    return next((number for number in candidates(port) if number not in taken), 0)


def free_addresses(facts: Facts, port: PortFacts) -> tuple[str, ...]:
    """The machine's own IPv4 addresses where the port is free though it is not on all: public ones first.

    Empty where mailcow is bound to one address already, or asks for loopback only.
    """
    if port.binding.address not in ("", EVERY_ADDRESS_V4):
        return ()
    own = [one for one in facts.get(network_addresses) if _is_free(port.binding, one, port)]
    said = [one for one in facts.settings.addresses if one in own]
    public = [one for one in own if not _is_private(one)]
    return tuple(dict.fromkeys((*said, *public, *own)))


def _is_free(binding: Binding, address: str, port: PortFacts) -> bool:
    bound = binding._replace(address=address)
    return not any(conflicts(bound, one.listener) for one in port.occupants)


def network_addresses(facts: Facts) -> tuple[str, ...]:
    """The machine's IPv4 addresses in its networks: no loopback, no bridge to containers; in order."""
    bridged = [
        one.network
        for one in facts.get(rows_v4)
        if one.interface.startswith(_BRIDGES) and one.network.prefixlen
    ]
    own = [ipaddress.IPv4Address(one) for one in facts.get(own_v4)]
    kept = [one for one in own if not any(one in network for network in bridged)]
    return tuple(str(one) for one in sorted(kept))


def _is_private(address: str) -> bool:
    one = ipaddress.IPv4Address(address)
    return any(one in ipaddress.ip_network(network) for network in (*PRIVATE_NETWORKS, *LOCAL_NETWORKS))
