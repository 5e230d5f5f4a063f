"""The network of mailcow's containers, and what else claims its addresses."""

from __future__ import annotations

from mailcow_wizard import requirements_network as need
from mailcow_wizard.facts import docker
from mailcow_wizard.facts.free_subnet import free_subnet, subnets_of, subnets_v6_of
from mailcow_wizard.facts.mailcow_conf import (
    DEFAULT_NETWORK,
    DEFAULT_NETWORK_V6,
    DEFAULT_PROJECT,
    MailcowConf,
    mailcow_conf,
)
from mailcow_wizard.facts.network.routes import SPLIT_DEFAULT, Route, own_v4, routes, rows_v6
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError, Missing
from mailcow_wizard.language import _
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from ipaddress import IPv4Network, IPv6Network
    from typing import Any, Literal, TypeVar

    Network = TypeVar("Network", IPv4Network, IPv6Network)
    Kind = Literal["docker", "address", "route", "wide"]
    TakenV6 = tuple["Claim", IPv6Network]

_NOWHERE = "*"
"""The interface of a route that refuses or swallows packets: blackhole, unreachable, prohibit."""
_VPN = ("tun", "tap", "wg", "ppp", "tailscale", "zt", "nordlynx", "ipsec", "vti", "gre")


class Claim(NamedTuple):
    """Who else uses addresses of mailcow's network, `by` in words: a Docker network, an address of this
    machine, a route to it or a part of it, or a route to a wider network that holds it."""

    kind: Kind
    network: str
    by: str


class Subnet(NamedTuple):
    """mailcow's network in CIDR form (empty where mailcow.conf has none, and `trouble` says why), what claims
    it, a free one or nothing, and what Docker did not tell.

    `pool` is the pool of which Docker may give the same addresses to another network; `mine` that mailcow's
    own network is there already; `routes_unread` why the routes of other tables could not be read.
    `claims_v6` are Docker's networks over that of IPv6 (`network_v6`) and routes to it or a part of it, and
    `free_v6` is another one.
    `open` says that nobody has chosen one yet: there is no mailcow.conf, and nothing was answered for it;
    `source` is where it is chosen.
    """

    network: str
    claims: tuple[Claim, ...]
    free: str
    unread: tuple[str, ...]
    pool: str = ""
    mine: bool = False
    trouble: str = ""
    routes_unread: str = ""
    network_v6: str = ""
    claims_v6: tuple[Claim, ...] = ()
    free_v6: str = ""
    open: bool = False
    source: str = "mailcow.conf"

    @property
    def left_to_install(self) -> bool:
        """Whether an install takes the free one by itself, and is through with all that claims the other."""
        return self.open and bool(self.free) and not self.claims_v6


def subnet(facts: Facts) -> Subnet:
    """Reads mailcow.conf, the routes of all tables, and Docker's networks. Raises HostError."""
    import ipaddress

    conf = facts.get(mailcow_conf)
    prefix = conf.get("IPV4_NETWORK", DEFAULT_NETWORK)
    try:
        network = ipaddress.IPv4Network(f"{prefix}.0/24")
    except ValueError:
        said = _("IPV4_NETWORK is '{prefix}' and not the first three numbers of a network", prefix=prefix)
        return Subnet("", (), _free(facts), (), trouble=said, source=_source(conf))
    networks: list[Claim] = []
    unread = []
    mine, pool, told = False, "", True
    taken_v6: list[TakenV6] = []
    try:
        networks, mine = _docker(facts, network, network_name(conf))
        taken_v6 = list(_docker_v6(facts, conf))
        pool = _pool(facts, network)
    except HostError as error:
        told, mine = False, _has_bridge(facts, network)
        engine = facts.get(docker.engine)
        # Without a Docker there are no networks of it.
        if engine.installed or not isinstance(error, Missing):
            unread.append(engine.trouble or str(error))
    claims = [*networks, *_routes(facts, network, told)]
    routes_unread = ""
    try:
        claims += _addresses(facts, network)
        taken_v6 += _routes_v6(facts, told)
    except HostError as error:
        routes_unread = str(error)  # the routes of other tables stand in the same file
    claims_v6, free_v6 = _of_v6(conf, taken_v6)
    if mine or networks:
        claims = [one for one in claims if one.kind != "address" or not _is_gateway(one, network)]
    found = tuple(dict.fromkeys(claims))
    return Subnet(
        str(network),
        found,
        _free(facts) if found else "",
        tuple(unread),
        pool,
        mine,
        routes_unread=routes_unread,
        network_v6=conf.get("IPV6_NETWORK", DEFAULT_NETWORK_V6),
        claims_v6=tuple(claims_v6),
        free_v6=free_v6,
        open=not conf.exists and not conf.get("IPV4_NETWORK"),
        source=_source(conf),
    )


def _source(conf: MailcowConf) -> str:
    return "mailcow.conf" if conf.exists else conf.source


def _free(facts: Facts) -> str:
    try:
        return facts.get(free_subnet)
    except HostError:
        return ""


def _has_bridge(facts: Facts, network: IPv4Network) -> bool:
    """Whether mailcow's bridge holds the network: it stays when Docker ends, and has its address then too."""
    return Route(str(network), need.MAILCOW_BRIDGE) in facts.get(routes)


def _is_gateway(claim: Claim, network: IPv4Network) -> bool:
    return claim.network == f"{network[1]}/32"


def _routes(facts: Facts, network: IPv4Network, docker_told: bool) -> list[Claim]:
    import ipaddress

    found = []
    for one in facts.get(routes):
        other = ipaddress.IPv4Network(one.network)
        if one.interface == need.MAILCOW_BRIDGE or other.prefixlen <= SPLIT_DEFAULT:
            continue
        # Docker's own bridges are told by Docker, with their names, where it answers.
        if not other.overlaps(network) or (docker_told and one.interface.startswith(("br-", "docker"))):
            continue
        wide = other.prefixlen < network.prefixlen
        if one.interface == _NOWHERE and wide:
            continue  # nobody has these addresses, and the way to mailcow's is the narrower one
        vpn = one.interface.startswith(_VPN)
        if one.interface == _NOWHERE:
            by = _("a route that leads nowhere (blackhole, unreachable or prohibit)")
        elif not one.interface:
            by = _("a route of table {table} (policy routing, as VPNs use it)", table=one.table)
        elif vpn:
            by = _("a route over {interface} (a VPN)", interface=one.interface)
        else:
            by = _("a route over {interface}", interface=one.interface)
        found.append(Claim("wide" if wide else "route", one.network, by))
    return found


def _addresses(facts: Facts, network: IPv4Network) -> list[Claim]:
    import ipaddress

    return [
        Claim("address", f"{one}/32", _("{address}, an address of this machine", address=one))
        for one in facts.get(own_v4)
        if ipaddress.IPv4Address(one) in network
    ]


def network_name(conf: MailcowConf) -> str:
    """What Docker calls mailcow's network."""
    return f"{conf.get('COMPOSE_PROJECT_NAME', DEFAULT_PROJECT)}_{need.MAILCOW_NETWORK}"


def _docker(facts: Facts, network: IPv4Network, own: str) -> tuple[list[Claim], bool]:
    """Docker's networks over ours, and whether ours is one of them. Raises HostError."""
    found, mine = [], False
    for one in facts.get(docker.networks):
        name = str(one.get("Name", ""))
        if name == own:
            mine = True
            continue
        claimed = [other for other in _read(subnets_of, one) if other.overlaps(network)]
        words = _("the Docker network {name}", name=name)
        found += [Claim("docker", str(other), words) for other in claimed]
    return found, mine


def _read(subnets: Callable[[Mapping[str, Any]], list[Network]], network: Mapping[str, Any]) -> list[Network]:
    """The subnets of one of Docker's networks. Raises HostError where it has another shape."""
    try:
        return subnets(network)
    except ValueError:
        target = f"/networks ({network.get('Name', '')})"
        raise HostError(_("Docker's answer to {target} is not readable", target=target)) from None


def _of_v6(conf: MailcowConf, taken: list[TakenV6]) -> tuple[list[Claim], str]:
    """Who else has addresses of our network of IPv6; and a network in which nobody has any."""
    import ipaddress

    try:
        network = ipaddress.IPv6Network(conf.get("IPV6_NETWORK", DEFAULT_NETWORK_V6))
    except ValueError:
        return [], ""  # what is no network, the check of the values tells
    # Of a wider route mailcow takes addresses that nobody there was given: a /64 is chosen at random.
    near = [one for one in taken if one[0].kind == "docker" or one[1].prefixlen >= network.prefixlen]
    found = [claim for claim, other in near if other.overlaps(network)]
    if not found or conf.ipv6 == "false":
        return [], ""
    after, size = int(network.network_address), network.num_addresses
    starts = (one for one in range(after + size, after + 256 * size, size) if one < 1 << 128)
    following = (ipaddress.IPv6Network((one, network.prefixlen)) for one in starts)
    used = [network, *(other for _claim, other in near)]
    return found, next((str(one) for one in following if not any(map(one.overlaps, used))), "")


def _docker_v6(facts: Facts, conf: MailcowConf) -> Iterator[TakenV6]:
    """Docker's networks of IPv6, but for mailcow's own. Raises HostError."""
    own = network_name(conf)
    for one in facts.get(docker.networks):
        name = str(one.get("Name", ""))
        words = _("the Docker network {name}", name=name)
        for other in _read(subnets_v6_of, one) if name != own else []:
            yield Claim("docker", str(other), words), other


def _routes_v6(facts: Facts, docker_told: bool) -> Iterator[TakenV6]:
    """The routes of IPv6, but for those over Docker's bridges, which Docker tells. Raises HostError."""
    for one in facts.get(rows_v6):
        bridge = docker_told and one.interface.startswith(("br-", "docker"))
        if one.up and not bridge and one.interface != need.MAILCOW_BRIDGE:
            words = _("a route over {interface}", interface=one.interface)
            yield Claim("route", str(one.network), words), one.network


def _pool(facts: Facts, network: IPv4Network) -> str:
    """The pool of which Docker may give addresses of ours to any other network; empty: it will not."""
    import ipaddress

    listed = docker.ask(facts, "/info").get("DefaultAddressPools")
    rows = listed if isinstance(listed, list) else []
    bases = [str(one.get("Base", "")) for one in rows if isinstance(one, dict)]
    for base in bases or need.DOCKER_POOLS:
        try:
            if ipaddress.IPv4Network(base, strict=False).overlaps(network):
                return base
        except ValueError:
            continue
    return ""
