"""Names of others, looked up as programs on this machine would, and at public resolvers where its own do not
answer: a dead resolver must not hide whether a port is blocked."""

from __future__ import annotations

import ipaddress
import time

from mailcow_wizard.facts.dns.message import NOERROR, NXDOMAIN, Answer, answer
from mailcow_wizard.facts.dns.resolvers import known_resolvers, public_resolvers
from mailcow_wizard.facts.hosts_file import addresses_in_hosts
from mailcow_wizard.facts.named_proxy import named_proxy
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError, NoAnswer
from mailcow_wizard.host.replies import DnsQuestion
from mailcow_wizard.language import _
from mailcow_wizard.requirements_network import ANYWHERE
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

WAIT_S = 1.2
_TCP_WAIT_S = 0.8
NO_SUCH_NAME = _("there is no such name")
NO_ADDRESS = _("the name has no address")
_NOBODY = _("no answer over UDP or TCP")
WHOLE_S = 4.0
"""All that looks outward may take this long: names first, the rest is for the attempts."""
_LEAST_S = 1.6  # a lost SYN is sent again after one second
_NAME = "github.com"  # it exists
_FETCH_S = 0.6
_REFUSED = "refused"  # the door's word where nobody listens
_NO_NAME = "nobody.example.com"  # in a domain that IANA keeps empty (RFC 6761, section 6.5)


class Looked(NamedTuple):
    """A name's addresses, or why there are none; `unanswered` are the families that nobody answered for;
    `pinned` that /etc/hosts gives the addresses, and no resolver is asked."""

    name: str
    v4: tuple[str, ...] = ()
    v6: tuple[str, ...] = ()
    trouble: str = ""
    unanswered: tuple[int, ...] = ()
    pinned: bool = False

    def of(self, family: int) -> tuple[str, ...]:
        """The addresses of one family."""
        return self.v6 if family == 6 else self.v4


class Clock:
    """How much of the whole time is left."""

    def __init__(self) -> None:
        self._begun = time.monotonic()

    @property
    def left(self) -> float:
        """Seconds for what comes next."""
        return max(_LEAST_S, WHOLE_S - (time.monotonic() - self._begun))


def own_address(facts: Facts, family: int) -> str:
    """The address that packets of a family leave this machine with; empty: there is no way out."""
    try:
        own = facts.host.source_address(ANYWHERE[family])
    except HostError:
        return ""
    # A default route without an address leaves the interface's own, which no router passes on.
    return "" if ipaddress.ip_address(own.partition("%")[0]).is_link_local else own


def families(facts: Facts) -> tuple[int, ...]:
    """The families that this machine has an address and a route for."""
    return tuple(one for one in (4, 6) if facts.get(own_address, one))


def ask(facts: Facts, asked: tuple[tuple[str, str], ...]) -> tuple[Answer, ...]:
    """The answer to each name and type, all asked at once. This machine's resolvers are asked first; where
    they are slow, silent or in trouble, public ones join in."""
    transport = facts.get(transport_of_names)
    if not transport:
        return tuple(Answer("", "", error=_NOBODY) for _unused in asked)
    servers = tuple(dict.fromkeys((*known_resolvers(facts), *public_resolvers(facts))))
    over = "" if transport == "udp" else transport
    questions = tuple(DnsQuestion(name, type, servers, transport=over) for name, type in asked)
    return tuple(answer(one) for one in facts.host.ask_dns(questions, WAIT_S)) if questions else ()


def transport_of_names(facts: Facts) -> str:
    """How resolvers can be asked from here: udp; tcp where nobody answers otherwise; empty: not at all.

    What else is blocked can still be found out where only UDP is. That nobody answers is waited for once.
    """
    servers = tuple(dict.fromkeys((*known_resolvers(facts), *public_resolvers(facts))))
    for transport, wait in (("udp", WAIT_S), ("tcp", _TCP_WAIT_S)):
        (reply,) = facts.host.ask_dns((DnsQuestion(".", "NS", servers, transport=transport),), wait)
        if answer(reply).code:
            return transport
    return ""


def resolver_trouble(facts: Facts) -> str:
    """Why this machine's own resolvers give no answer for a name that exists; empty where they do."""
    servers = known_resolvers(facts)
    if not servers:
        return _("/etc/resolv.conf names none")
    if facts.get(transport_of_names) != "udp":
        return _("no answer within {wait_s:g} s", wait_s=WAIT_S)
    (reply,) = facts.host.ask_dns((DnsQuestion(_NAME, "A", servers),), WAIT_S)
    heard = answer(reply)
    return "" if heard.code == NOERROR else heard.said


def nobody_looks_up(facts: Facts) -> bool:
    """Whether programs on this machine get no address of any name: nobody listens where its resolvers should
    be, or this machine lets no question out, and what else nsswitch.conf may name does not help. False where
    that is not certain."""
    trouble = facts.get(resolver_trouble)
    dead = trouble == _REFUSED or bool(trouble and not facts.get(transport_of_names))
    if not dead or facts.get(named_proxy).url:
        return False  # a proxy looks up names itself
    try:
        facts.host.fetch(_NAME, "/", 0, _FETCH_S, True)
    except NoAnswer as error:
        return "looked up" in str(error)  # at once: of a silent resolver nobody knows
    except HostError:
        return False
    return False


def look_up(facts: Facts, names: tuple[str, ...], of: tuple[int, ...] = (4, 6)) -> dict[str, Looked]:
    """The addresses of names, of these families."""
    literal = {name: _literal(name) for name in names}
    found = {name: known for name, known in literal.items() if known}
    names = tuple(name for name in literal if name not in found)
    types = {4: "A", 6: "AAAA"}
    asked = tuple((name, types[family]) for name in names for family in of)
    heard = ask(facts, asked) if asked else ()
    for place, name in enumerate(names):
        rows = heard[place * len(of) : (place + 1) * len(of)]
        addresses = {family: row.values(types[family]) for family, row in zip(of, rows, strict=True)}
        trouble = "" if any(addresses.values()) else _trouble(rows)
        none = any(row.code == NXDOMAIN for row in rows)  # which holds for all types
        silent = tuple(one for one, row in zip(of, rows, strict=True) if not row.code and not none)
        found[name] = Looked(name, addresses.get(4, ()), addresses.get(6, ()), trouble, silent)
    return found


def nobodys_addresses(facts: Facts) -> tuple[str, ...]:
    """What resolvers tell for a name that nobody has; none where they tell the truth. Raises HostError."""
    (known,) = look_up(facts, (_NO_NAME,)).values()
    return (*known.v4, *known.v6)


def astray(facts: Facts, addresses: Iterable[str]) -> frozenset[str]:
    """Those of the addresses that names lead to which are none of the names' own: of this machine itself, or
    told for a name that nobody has. A portal or a filter answers so."""
    try:
        lies = facts.get(nobodys_addresses)
    except HostError:
        lies = ()
    return frozenset(one for one in addresses if one in lies or _is_this_machine(one))


def _is_this_machine(address: str) -> bool:
    parsed = ipaddress.ip_address(address)
    return parsed.is_unspecified or parsed.is_loopback


def pinned(facts: Facts, names: tuple[str, ...]) -> dict[str, Looked]:
    """Those of the names that /etc/hosts has. Programs of this machine take these addresses; containers have
    a file of their own."""
    try:
        text = facts.host.text("/etc/hosts")
    except HostError:
        return {}
    found = {}
    for name in names:
        known = tuple(one for one in map(_literal, addresses_in_hosts(text, name)) if one)
        if known:
            v4, v6 = (tuple(one for each in known for one in each.of(family)) for family in (4, 6))
            found[name] = Looked(name, v4, v6, pinned=True)
    return found


def _literal(name: str) -> Looked | None:
    """An address that stands in a name's place; None where it is a name."""
    try:
        version = ipaddress.ip_address(name).version
    except ValueError:
        return None
    return Looked(name, (name,)) if version == 4 else Looked(name, (), (name,))


def why_none(heard: Answer) -> str:
    """An answer without what was asked for, in few words."""
    if heard.code == NOERROR:
        return _("the name has no such record")
    return NO_SUCH_NAME if heard.code == NXDOMAIN else heard.error or heard.code


def _trouble(heard: tuple[Answer, ...]) -> str:
    """Why a name has no address."""
    if any(one.code == NXDOMAIN for one in heard):
        return NO_SUCH_NAME
    if heard and all(one.code == NOERROR for one in heard):
        return NO_ADDRESS
    first = next((one for one in heard if one.code != NOERROR), Answer("", ""))
    if first.code:
        return _("the resolver says {said}", said=first.said)
    return _("no resolver answers ({why})", why=first.error or _("none was asked"))
