"""The addresses under which the world sees this server, and where they were learned."""

from __future__ import annotations

import ipaddress

from mailcow_wizard.facts.mailcow_conf import mailcow_conf
from mailcow_wizard.facts.sending import sent_with
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.language import _
from mailcow_wizard.requirements_network import ANYWHERE, PRIVATE_NETWORKS
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Literal

    Origin = Literal["option", "route", "outside", "none"]

# What mailcow itself asks, in its order (generate_config.sh, acme); plain HTTP, the answer is the address.
ASKED = {4: ("ip4.mailcow.email", "ip4.nevondo.com"), 6: ("ip6.mailcow.email", "ip6.nevondo.com")}
# Two names one after the other: where nothing gets out that is as long as all other attempts to get out take.
_TIMEOUT_S = 1.9


class Addresses(NamedTuple):
    """The public addresses of one family, and this machine's own source address of that family.

    `origin` says how the public ones were learned: given, the default route's source, told by a server
    outside (then `own` is behind NAT), or not at all, and `trouble` says why. `sent` is the one that what
    mailcow's containers send gets, where that is another, and `chosen` whether somebody named it: else it
    comes of masquerading, past the source that the route names.
    """

    family: int
    public: tuple[str, ...]
    own: str
    origin: Origin
    trouble: str = ""
    sent: str = ""
    chosen: bool = True

    @property
    def leaving(self) -> tuple[str, ...]:
        """Those that mail leaves with."""
        return (self.sent,) if self.sent else self.public

    @property
    def named(self) -> tuple[str, ...]:
        """Those that the server's name should lead to."""
        return self.leaving if self.chosen else self.public

    @property
    def senders(self) -> tuple[str, ...]:
        """Those that mail is sent with, or is meant to be by the route: their names and fame count."""
        return self.leaving if self.chosen else self.every

    @property
    def every(self) -> tuple[str, ...]:
        """Those that this server is reached at, and that mail leaves with."""
        return tuple(dict.fromkeys((*self.public, *self.leaving)))

    @property
    def translated(self) -> bool:
        """Whether packets leave with another address than this machine's own (NAT)."""
        return bool(self.own and self.public and self.own not in self.public)

    @property
    def private(self) -> tuple[str, ...]:
        """Those of the public addresses that are none of the world's, whoever named them (RFC 1918, 4193 and
        6598)."""
        return tuple(one for one in self.public if any(_is_in(one, network) for network in PRIVATE_NETWORKS))

    @property
    def unseen(self) -> bool:
        """Whether packets leave by this family, and nobody outside could say with which address."""
        return bool(self.own and not self.public and self.origin == "none")


def _is_in(address: str, network: str) -> bool:
    return ipaddress.ip_address(address) in ipaddress.ip_network(network)


def addresses(facts: Facts, family: int) -> Addresses:
    """The public addresses of a family (4 or 6), by the contract's precedence."""
    try:
        own = facts.host.source_address(ANYWHERE[family])
    except HostError as error:
        own, trouble = "", str(error)
    else:
        trouble = ""
    if own and ipaddress.ip_address(own.partition("%")[0]).is_link_local:
        own, trouble = (
            "",
            _("there is no address of IPv{family} that reaches further than the next router", family=family),
        )
    given = tuple(one for one in facts.settings.addresses if ipaddress.ip_address(one).version == family)
    if facts.settings.addresses:
        lacks = bool(own and not given)
        trouble = _("none of IPv{family} was named with --address", family=family) if lacks else ""
        return Addresses(family, given, own, "option", trouble)
    if own and ipaddress.ip_address(own).is_global:
        sent = sent_with(facts, family)
        other, chosen = ("", True) if sent.address == own else sent
        return Addresses(family, (own,), own, "route", sent=other, chosen=chosen)
    if not own:
        return Addresses(family, (), "", "none", trouble or _("no route out for IPv{family}", family=family))
    return _from_outside(facts, family, own)


def _from_outside(facts: Facts, family: int, own: str) -> Addresses:
    """Asks as mailcow does: a server outside says which address it sees."""
    if facts.settings.offline:
        return Addresses(family, (), own, "none", _("a server outside was not asked: --offline was given"))
    trouble = ""
    for name in ASKED[family]:
        try:
            at = at_given_resolver(facts, name, family)
            reply = facts.host.fetch(name, "/", family, _TIMEOUT_S, address=at)
            said = reply.body.decode("ascii", "replace").strip()
            address = ipaddress.ip_address(said)
        except HostError as error:
            trouble = trouble or str(error)
            continue
        except ValueError:
            trouble = trouble or _("{name} did not answer with an address", name=name)
            continue
        if address.version == family and is_the_worlds(address):
            return Addresses(family, (str(address),), own, "outside")
        # Who answers with such a one is no server outside: a proxy on the way, or a captive portal.
        trouble = trouble or _("{name} answers {address}, which is not public", name=name, address=address)
    return Addresses(family, (), own, "none", trouble)


def is_the_worlds(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether the world can send something to it."""
    mapped = getattr(address, "ipv4_mapped", None)
    return address.is_global and not (address.is_multicast or mapped)


def at_given_resolver(facts: Facts, name: str, family: int) -> str:
    """The name's address by the resolver that was given, empty where none was. Raises HostError."""
    return at_known_resolvers(facts, name, family) if facts.settings.resolver else ""


def at_known_resolvers(facts: Facts, name: str, family: int) -> str:
    """The name's address by whichever resolver has one, this machine's own or a public one. Raises
    HostError."""
    from mailcow_wizard.facts.network.names import look_up

    looked = look_up(facts, (name,), (family,))[name]
    if not looked.of(family):
        raise HostError(f"{name}: {looked.trouble}")
    return looked.of(family)[0]


def uses_v6(facts: Facts) -> bool:
    """Whether mailcow is to use IPv6: mailcow.conf's word, else whether this machine has an address of it."""
    said = configured_v6(facts)
    return bool(facts.get(addresses, 6).public) if said is None else said


def configured_v6(facts: Facts) -> bool | None:
    """Mailcow.conf's word on whether mailcow is to use IPv6; None where it says nothing."""
    try:
        said = facts.get(mailcow_conf).ipv6
    except HostError:
        return None
    return {"true": True, "false": False}.get(said)
