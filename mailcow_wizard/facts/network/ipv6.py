"""IPv6 of this machine: switched on, an address, a way out, an answer from outside; and what mailcow's own
detection will make of it."""

from __future__ import annotations

from mailcow_wizard import requirements_network as need
from mailcow_wizard.facts.dns.message import NOERROR, NXDOMAIN
from mailcow_wizard.facts.identity import hostname
from mailcow_wizard.facts.mailcow_conf import mailcow_conf
from mailcow_wizard.facts.network.names import ask, own_address
from mailcow_wizard.facts.network.outward import Try
from mailcow_wizard.facts.network.routes import Address6, Default6, defaults_v6, own_v6
from mailcow_wizard.facts.presence import has_command, is_there
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.replies import Probe
from mailcow_wizard.typed import NamedTuple

_NET = "/proc/sys/net/ipv6/conf"
_WAIT_S = 2.5
_WEB = 443
_NAMES = 53
_UNSENT = ("not allowed", "failed")


class Ipv6(NamedTuple):
    """What there is of IPv6, from the kernel up to an answer from outside.

    `configured` is ENABLE_IPV6 in mailcow.conf, empty where it is not set; `published` the AAAA records of
    the server's name, which is `name` (None: no resolver told them); `has_ping` whether the command is there
    that mailcow's detection uses, `default_shown` whether `ip` names the default route that it looks for.
    """

    enabled: bool
    addresses: tuple[Address6, ...]
    defaults: tuple[Default6, ...]
    own: str
    pings: tuple[Try, ...]
    connections: tuple[Try, ...]
    has_ping: bool
    configured: str
    name: str
    published: tuple[str, ...] | None
    default_shown: bool = True

    @property
    def pinged(self) -> tuple[str, ...]:
        """The addresses outside that answered an echo request."""
        return tuple(one.probe.address for one in self.pings if one.result.outcome == "open")

    @property
    def tries(self) -> tuple[Try, ...]:
        """All attempts to reach something outside; where some could be sent, those."""
        every = (*self.connections, *self.pings)
        return tuple(one for one in every if one.result.outcome not in _UNSENT) or every

    @property
    def passes(self) -> bool:
        """Whether anything came back from outside: a refusal, too, has been there."""
        return any(one.returned for one in self.tries)

    @property
    def held(self) -> bool:
        """Whether a rule holds back what this machine sends: mailcow, which has IPv6 on already, sends by
        other rules, and nobody knows whether that gets out."""
        held = any(one.result.outcome == "blocked" for one in self.tries)
        return held and self.configured == "true" and not self.passes


class Advertised(NamedTuple):
    """A default route's interface, and how the kernel is set there (None: it does not say)."""

    route: Default6
    accept: int | None
    forwarding: int | None


class Advertisements(NamedTuple):
    """What is learned from routers, and whether mailcow is to use IPv6 (None: nobody has said). Without a
    default route: interfaces that have `lost` it, and those to which an advertisement would bring it back."""

    defaults: tuple[Advertised, ...]
    lost: tuple[str, ...]
    wanted: bool | None
    awaited: tuple[str, ...] = ()


def ipv6(facts: Facts) -> Ipv6:
    """Looks at the machine, then outside where there is a way."""
    enabled = _enabled(facts)
    own = facts.get(own_address, 6) if enabled else ""
    pings = tuple(Probe("ping", one) for one in need.IPV6_PINGS)
    connections = tuple(Probe("tcp", one, port) for one in need.IPV6_PINGS for port in (_NAMES, _WEB))
    name = facts.get(hostname).name
    tries: tuple[Try, ...] = ()
    if own:
        results = facts.host.probe((*pings, *connections), _WAIT_S)
        tries = tuple(Try(*one) for one in zip((*pings, *connections), results, strict=True))
    return Ipv6(
        enabled,
        facts.get(own_v6),
        facts.get(defaults_v6),
        own,
        tries[: len(pings)],
        tries[len(pings) :],
        has_command(facts.host, "ping"),
        _configured(facts),
        name,
        _published(facts, name),
        _default_shown(facts),
    )


def leads_nowhere(facts: Facts) -> bool:
    """Whether this machine has IPv6 and a route for it, and nothing comes back from outside: mailcow will not
    use it then, and mail does not leave by it. False where nobody knows: nothing could be sent, or it is
    `held` back here."""
    try:
        found = facts.get(ipv6)
    except HostError:
        return False
    sent = all(one.result.outcome not in _UNSENT for one in found.tries)
    return bool(found.own) and sent and not (found.passes or found.held)


def _default_shown(facts: Facts) -> bool:
    """Whether mailcow's detection finds a default route (_modules/scripts/ipv6_controller.sh). It looks at
    the main table; the kernel lists those of policy routing, too, which WireGuard uses."""
    if not facts.get(defaults_v6):
        return False
    try:
        said = facts.host.run(("ip", "-6", "route", "show", "default"))
    except HostError:
        return True
    return not said.code and any(one.startswith("default") for one in said.out.splitlines())


def _enabled(facts: Facts) -> bool:
    if not is_there(facts.host, f"{_NET}/all"):
        return False
    return _number(facts, f"{_NET}/all/disable_ipv6") != 1


def _configured(facts: Facts) -> str:
    return facts.get(mailcow_conf).ipv6


def _published(facts: Facts, name: str) -> tuple[str, ...] | None:
    """The AAAA records of the server's name, as resolvers have them; None where none says."""
    if "." not in name:
        return ()
    try:
        (heard,) = ask(facts, ((name, "AAAA"),))
    except HostError:
        return None
    if heard.code == NOERROR:
        return heard.values("AAAA")
    return () if heard.code == NXDOMAIN else None


def advertisements(facts: Facts) -> Advertisements:
    """The default routes, who told them, and what becomes of them once this machine forwards packets."""
    configured = _configured(facts)
    found = tuple(
        Advertised(one, _of(facts, one.interface, "accept_ra"), _of(facts, one.interface, "forwarding"))
        for one in facts.get(defaults_v6)
    )
    addresses = facts.get(own_v6)
    # An interface that has an address by advertisement and forwards: whether it takes advertisements still.
    out = [one.interface for one in addresses if not found and not _is_within(one.address)]
    forwarding = [one for one in out if _of(facts, one, "forwarding")]
    lost, awaited = (
        tuple(dict.fromkeys(one for one in forwarding if _of(facts, one, "accept_ra") == accept))
        for accept in (1, 2)
    )
    return Advertisements(found, lost, {"true": True, "false": False}.get(configured), awaited)


def _is_within(address: str) -> bool:
    """Whether an address has no way out that could be lost, as a VPN's (fc00::/7, RFC 4193)."""
    first = address.partition(":")[0]
    return len(first) == len("fc00") and first.startswith(("fc", "fd"))


def _of(facts: Facts, interface: str, key: str) -> int | None:
    # A VLAN's interface has a dot in its name, and the file system no trouble with it.
    return _number(facts, f"{_NET}/{interface}/{key}") if "/" not in interface else None


def _number(facts: Facts, path: str) -> int | None:
    try:
        return int(facts.host.text(path, 64))
    except (HostError, ValueError):
        return None
