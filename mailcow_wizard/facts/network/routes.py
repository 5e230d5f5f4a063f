"""Routes and addresses as the kernel lists them (proc(5)): networks that lead somewhere, addresses that are
this machine's own. Rows that are damaged are passed over."""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterator

from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError, Missing
from mailcow_wizard.numerals import whole
from mailcow_wizard.patterns import pattern
from mailcow_wizard.typed import NamedTuple

SPLIT_DEFAULT = 4
"""Bits at most of a route that means "everything": VPNs write 0.0.0.0/1 and 128.0.0.0/1."""
_UP = 0x0001  # RTF_UP (linux/route.h)
_DEFAULT_FROM_ADVERTISEMENT = 0x00010000 | 0x00040000  # RTF_DEFAULT, RTF_ADDRCONF (linux/ipv6_route.h)
_TEMPORARY, _DEPRECATED, _TENTATIVE = 0x01, 0x20, 0x40  # linux/if_addr.h
_MOST = 4096
_TABLE = pattern(r"^(Main|Local|Id ([0-9]+)):")
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_LEAF = pattern(rf"^ *\|-- ({_OCTET}(?:\.{_OCTET}){{3}})$")
_KIND = pattern(r"^ */([0-9]+) [a-z]+ ([A-Z]+)")


class Row4(NamedTuple):
    """A row of /proc/net/route; `gateway` is 0 where a network is reached without one."""

    network: ipaddress.IPv4Network
    gateway: int
    interface: str
    up: bool
    metric: int


class Row6(NamedTuple):
    """The same of /proc/net/ipv6_route; `advertised`: the kernel learned it from a router's advertisement."""

    network: ipaddress.IPv6Network
    gateway: int
    interface: str
    up: bool
    advertised: bool


class Route(NamedTuple):
    """An IPv4 route: its network in CIDR form, and its interface; `table` is empty for the main one."""

    network: str
    interface: str
    table: str = ""


class Address6(NamedTuple):
    """An IPv6 address of this machine. `temporary`: a privacy address, which changes by the day."""

    address: str
    interface: str
    temporary: bool
    deprecated: bool
    tentative: bool


class Default4(NamedTuple):
    """The default route of IPv4 that counts, empty where there is none; a link without one has no gateway."""

    interface: str
    gateway: str


class Default6(NamedTuple):
    """A default route of IPv6; `advertised` that the kernel learned it from a router's advertisement."""

    interface: str
    advertised: bool
    gateway: str


def rows_v4(facts: Facts) -> tuple[Row4, ...]:
    """The main table of IPv4. Raises HostError."""
    return tuple(_rows_v4(facts.host.text("/proc/net/route")))


def _rows_v4(text: str) -> Iterator[Row4]:
    for line in text.splitlines()[1 : _MOST + 1]:
        row = line.split()
        try:
            place, gateway, mask = (_number(row[column]) for column in (1, 2, 7))
            network = ipaddress.IPv4Network((place, bin(mask).count("1")))
            yield Row4(network, gateway, row[0], bool(int(row[3], 16) & _UP), whole(row[6]))
        except (ValueError, IndexError, struct.error):
            continue


def rows_v6(facts: Facts) -> tuple[Row6, ...]:
    """All tables of IPv6, but for what leads nowhere (over lo): none where the kernel has no IPv6. Raises
    HostError."""
    try:
        return tuple(_rows_v6(facts.host.text("/proc/net/ipv6_route")))
    except Missing:
        return ()


def _rows_v6(text: str) -> Iterator[Row6]:
    for line in text.splitlines()[:_MOST]:
        row = line.split()
        try:
            place, length, gateway, flags = (int(row[column], 16) for column in (0, 1, 4, 8))
            network, interface = ipaddress.IPv6Network((place, length)), row[9]
        except (ValueError, IndexError):
            continue
        if interface != "lo":
            advertised = flags & _DEFAULT_FROM_ADVERTISEMENT == _DEFAULT_FROM_ADVERTISEMENT
            yield Row6(network, gateway, interface, bool(flags & _UP), advertised)


def routes(facts: Facts) -> tuple[Route, ...]:
    """Every IPv4 network that a route leads to, but for default routes. Raises HostError."""
    rows = facts.get(rows_v4)
    main = [Route(str(one.network), one.interface) for one in rows if one.up and one.network.prefixlen]
    known = {one.network for one in main}
    try:
        trie = facts.host.text("/proc/net/fib_trie")
    except HostError:
        trie = ""
    others = tuple(one for one in _of_tables(trie) if one.table and one.network not in known)
    return (*main, *others)


def _number(word: str) -> int:
    """An address as the kernel writes it: a word in this machine's order of bytes."""
    number: int = struct.unpack(">I", struct.pack("=I", int(word, 16)))[0]
    return number


def _of_tables(text: str) -> tuple[Route, ...]:
    """The networks of other tables (policy routing, as VPNs use it), from /proc/net/fib_trie."""
    found, table, place = [], "", ""
    for line in text.splitlines()[: 16 * _MOST]:
        named = _TABLE.match(line)
        if named:
            table = named[2] or ""
            continue
        leaf = _LEAF.match(line)
        if leaf:
            place = leaf[1]
            continue
        kind = _KIND.match(line)
        if kind and place and table and kind[2] == "UNICAST":
            network = _network(place, kind[1])
            found += [Route(network, "", table)] if network else []
    return tuple(dict.fromkeys(found))


def _network(place: str, bits: str) -> str:
    """In CIDR form; empty where it is everything, or none."""
    try:
        network = ipaddress.IPv4Network(f"{place}/{bits}")
    except ValueError:
        return ""
    return str(network) if network.prefixlen else ""


def own_v4(facts: Facts) -> tuple[str, ...]:
    """This machine's IPv4 addresses on all interfaces, but for loopback's. Raises HostError."""
    found, place = [], ""
    for line in facts.host.text("/proc/net/fib_trie").splitlines()[: 16 * _MOST]:
        leaf = _LEAF.match(line)
        if leaf:
            place = leaf[1]
        elif place and line.strip().startswith("/32 host LOCAL") and not place.startswith("127."):
            found.append(place)
    return tuple(dict.fromkeys(found))


def own_v6(facts: Facts) -> tuple[Address6, ...]:
    """This machine's global IPv6 addresses, none where the kernel has no IPv6."""
    try:
        text = facts.host.text("/proc/net/if_inet6")
    except Missing:
        return ()
    found = []
    for line in text.splitlines()[:_MOST]:
        row = line.split()
        try:
            address = ipaddress.IPv6Address(int(row[0], 16))
            flags, interface = int(row[4], 16), row[5]
        except (ValueError, IndexError):
            continue
        if address.is_link_local or address.is_loopback:
            continue
        marks = (bool(flags & bit) for bit in (_TEMPORARY, _DEPRECATED, _TENTATIVE))
        found.append(Address6(str(address), interface, *marks))
    return tuple(found)


def default_v4(facts: Facts) -> Default4:
    """The default route of IPv4 of the least metric. Raises HostError."""
    found = [one for one in facts.get(rows_v4) if not one.network.prefixlen]
    if not found:
        return Default4("", "")
    best = min(found, key=lambda one: one.metric)
    return Default4(best.interface, str(ipaddress.IPv4Address(best.gateway)) if best.gateway else "")


def defaults_v6(facts: Facts) -> tuple[Default6, ...]:
    """The default routes of IPv6, none where the kernel has no IPv6. Raises HostError."""
    return tuple(
        Default6(
            one.interface, one.advertised, str(ipaddress.IPv6Address(one.gateway)) if one.gateway else ""
        )
        for one in facts.get(rows_v6)
        if one.up and not one.network.prefixlen
    )
