"""Addresses that daemon.json gives to Docker's own networks: beside mailcow's, and such as Docker stops at.

`dockerd --validate` takes all of these (tried with 28.5): only its start shows what is wrong with them.
"""

from __future__ import annotations

from collections.abc import Mapping

from mailcow_wizard.facts.mailcow_conf import DEFAULT_NETWORK, DEFAULT_NETWORK_V6, mailcow_conf
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Any

_POOLS = "default-address-pools"


class Setting(NamedTuple):
    """A setting of daemon.json and what it says, in CIDR form where it makes sense."""

    key: str
    value: str


class Addresses(NamedTuple):
    """`shared` are settings that take addresses of mailcow's network, with that network; `odd` are such as
    are no address with its network; `nobodys` the first or the last address of theirs, which nobody can have;
    `narrow` pools, with the length of the prefix that they cannot give."""

    shared: tuple[tuple[Setting, str], ...] = ()
    odd: tuple[Setting, ...] = ()
    nobodys: tuple[Setting, ...] = ()
    narrow: tuple[tuple[str, int], ...] = ()


def addresses(facts: Facts, settings: Mapping[str, Any]) -> Addresses:
    """What the settings say of addresses. Raises nothing."""
    said = [Setting(key, settings[key]) for key in _OWN if isinstance(settings.get(key), str)]
    wrong = tuple(one for one in said if one.value and not _is_interface(one.value))
    good = [one for one in said if one.value and one not in wrong]
    # Without IPv6, Docker does not look at bip6.
    bridge = ("bip", "bip6") if settings.get("ipv6") is True else ("bip",)
    return Addresses(
        tuple((one, own) for one in good if _overlaps(one.value, own := _OWN[one.key](facts))),
        wrong,
        tuple(one for one in good if one.key in bridge and _is_nobodys(one.value)),
        tuple(_narrow(settings.get(_POOLS))),
    )


def _v4(facts: Facts) -> str:
    return f"{_configured(facts, 'IPV4_NETWORK', DEFAULT_NETWORK)}.0/24"


def _v6(facts: Facts) -> str:
    return _configured(facts, "IPV6_NETWORK", DEFAULT_NETWORK_V6)


# What counts beside each setting that gives Docker's usual network (docker0) its addresses.
_OWN = {"bip": _v4, "bip6": _v6, "fixed-cidr-v6": _v6}


def _configured(facts: Facts, key: str, default: str) -> str:
    try:
        return facts.get(mailcow_conf).get(key, default)
    except HostError:
        return default


def _is_interface(value: str) -> bool:
    import ipaddress

    try:
        ipaddress.ip_interface(value)
    except ValueError:
        return False
    return "/" in value


def _is_nobodys(value: str) -> bool:
    """Whether it is the network's own address, or that of everybody in it, which only IPv4 has."""
    import ipaddress

    given = ipaddress.ip_interface(value)
    network = given.network
    if network.num_addresses < 4:
        return False
    return given.ip == network[0] or (network.version == 4 and given.ip == network[-1])


def _overlaps(value: str, own: str) -> bool:
    import ipaddress

    given = ipaddress.ip_interface(value).network
    try:
        network = ipaddress.ip_network(own, strict=False)
    except ValueError:
        return False
    return given.version == network.version and given.overlaps(network)


def _narrow(pools: object) -> list[tuple[str, int]]:
    import ipaddress

    found = []
    for one in pools if isinstance(pools, list) else ():
        base, size = (one.get("base"), one.get("size")) if isinstance(one, dict) else (None, None)
        try:
            network = ipaddress.ip_network(base, strict=False) if isinstance(base, str) else None
        except ValueError:
            continue
        if network and isinstance(size, int) and 0 < size < network.prefixlen:
            found.append((str(network), size))
    return found
