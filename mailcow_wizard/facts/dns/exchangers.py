"""Where the MX records of the mail domains lead that name another machine than this one, or seem to."""

from __future__ import annotations

from collections.abc import Mapping

from mailcow_wizard.facts.dns.domain_records import Domains, domains
from mailcow_wizard.facts.dns.host_records import host_records
from mailcow_wizard.facts.dns.mail_server import MailServer
from mailcow_wizard.facts.dns.published import Seen, Wanted, look
from mailcow_wizard.facts.dns.state import texts
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.names import NotAName, mail_host_name
from mailcow_wizard.typed import NamedTuple

_MOST = 16


class Exchanger(NamedTuple):
    """A name that an MX record names, with its addresses."""

    a: Seen
    aaaa: Seen

    @property
    def alias(self) -> str:
        """What it is an alias (CNAME) of; empty where it is none."""
        return next(iter((*self.a.aliases, *self.aaaa.aliases)), "")

    @property
    def addresses(self) -> tuple[str, ...]:
        """Its own addresses, none of those at the end of an alias."""
        return () if self.alias else (*self.a.values, *self.aaaa.values)

    @property
    def silent(self) -> bool:
        """Whether nothing is known of it."""
        return not self.a.answered and not self.aaaa.answered


class Exchangers(NamedTuple):
    """The records of the domains, by name what their MX records name besides this server, and all addresses
    that are this server's; what its name is an alias (CNAME) of, empty where it is none."""

    domains: Domains
    others: Mapping[str, Exchanger]
    own: frozenset[str]
    alias: str = ""


def exchangers(facts: Facts) -> Exchangers:
    """Looks up the names that MX records have besides the server's, where there are any. Raises HostError."""
    # Both are asked at once: the server's name must not be an alias where an MX record names it.
    facts.begin((domains,), (host_records,))
    found = facts.get(domains)
    alias = _alias(facts)
    targets = (_target(value) for one in found.records for value in texts(one.at("", "MX")))
    names = tuple(dict.fromkeys(one for one in targets if one not in ("", found.server.name)))[:_MOST]
    if not names:
        return Exchangers(found, {}, frozenset(), alias)
    wanted = tuple(Wanted(name, type, name) for name in names for type in ("A", "AAAA"))
    try:
        seen = look(facts, wanted)
        server = facts.get(host_records)
    except HostError:
        # A machine that was recorded by an older wizard was not asked this.
        return Exchangers(found, {}, frozenset(), alias)
    own = (*_own(found.server, 4, server.a), *_own(found.server, 6, server.aaaa))
    pairs = zip(names, seen[::2], seen[1::2], strict=True)
    return Exchangers(found, {name: Exchanger(a, aaaa) for name, a, aaaa in pairs}, frozenset(own), alias)


def _alias(facts: Facts) -> str:
    """What the server's name is an alias of; what cannot be told, the checks of its addresses say."""
    try:
        server = facts.get(host_records)
    except HostError:
        return ""
    return Exchanger(server.a, server.aaaa).alias


def _own(server: MailServer, family: int, seen: Seen) -> tuple[str, ...]:
    """The server's addresses of a family; where nobody could say them, those that its name has."""
    known = server.v6 if family == 6 else server.v4
    return known.every or (seen.values if known in server.unseen else ())


def _target(value: str) -> str:
    """The name in an MX record's value; empty where it is none that a host can have."""
    name = value.partition(" ")[2]
    try:
        return name if mail_host_name(name) == name else ""
    except NotAName:
        return ""
