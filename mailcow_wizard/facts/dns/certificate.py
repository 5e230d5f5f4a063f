"""What mailcow's acme will do with each name that it tries for the certificate, as far as DNS tells.

After mailcow's own script (data/Dockerfiles/acme/functions.sh, check_domain): the IPv6 address wins where
there is one, a name without an address drops out, CAA is looked at only at the name above.
"""

from __future__ import annotations

from collections.abc import Mapping

from mailcow_wizard.facts.addresses import Addresses
from mailcow_wizard.facts.dns.acme_settings import AcmeSettings, Candidate, acme_settings, candidates
from mailcow_wizard.facts.dns.authorities import Authorities, Climb, authorities, said
from mailcow_wizard.facts.dns.caa import DNS, HTTP, MOST_NAMES, MOST_PARTS, forbids, mailcow_forbids, too_deep
from mailcow_wizard.facts.dns.domain_records import CLIENTS, DomainRecords, Domains, domains
from mailcow_wizard.facts.dns.host_records import HostRecords, host_records
from mailcow_wizard.facts.dns.mail_server import MailServer
from mailcow_wizard.facts.dns.published import Seen, Wanted, is_answer, look
from mailcow_wizard.facts.dns.state import texts
from mailcow_wizard.facts.network.ipv6 import leads_nowhere
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.language import _
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Literal

    Fate = Literal["asked for", "left out", "refused", "open"]
    Pair = tuple[Seen, Seen]

NOT_ASKED = _(
    "mailcow is set not to ask Let's Encrypt (SKIP_LETS_ENCRYPT=y): bring a certificate of your own."
)
APART = _("The names of each domain get a certificate of their own (ENABLE_SSL_SNI=y).")
_ONE_FOR_ALL = _("It then issues none of the names that are on one certificate.")


class Verdict(NamedTuple):
    """A name and its fate: mailcow asks Let's Encrypt for it; mailcow leaves it out; Let's Encrypt refuses,
    and with it the whole certificate; or it is open. `words` say why, as a part of a sentence."""

    name: str
    fate: Fate
    words: str


class Tried(NamedTuple):
    """The server's records, those of its mail domains, and what acme is told."""

    host: HostRecords
    domains: Domains
    settings: AcmeSettings


class HostTried(NamedTuple):
    """The server's records, and what acme is told; `nowhere` that the address that IPv6 would have there is
    missing, or another is in its place, and leads nowhere."""

    host: HostRecords
    settings: AcmeSettings
    nowhere: bool = False


class Certificate(NamedTuple):
    """Whether mailcow asks for a certificate at all, and the fate of each name; `apart` that the names of
    each domain get one of their own."""

    asks: bool
    apart: bool
    verdicts: tuple[Verdict, ...]


class Allowed(NamedTuple):
    """What CAA says of each name, and the fate of each, as far as it could be asked."""

    authorities: Authorities
    fates: Mapping[str, Verdict]
    extra: frozenset[str] = frozenset()


def allowed(facts: Facts) -> Allowed:
    """CAA, and what else decides about the names; `extra` are those of ADDITIONAL_SAN. Raises HostError."""
    facts.begin((authorities,), (certificate,))
    known, settings = facts.get(authorities), facts.get(acme_settings)
    try:
        fates = {one.name: one for one in facts.get(certificate).verdicts}
    except HostError:
        fates = {}
    usual = candidates(known.server, settings._replace(prefixes=(), names=()))
    return Allowed(known, fates, frozenset(fates) - {one.name for one in usual})


def host_tried(facts: Facts) -> HostTried:
    """For the server's own name. Raises HostError."""
    host = facts.get(host_records)
    ours, seen = host.server.v6, host.aaaa
    right = seen.values and not seen.aliases and set(seen.values) <= set(ours.every)
    lacks = bool(ours.public and seen.answered and not right)
    return HostTried(host, facts.get(acme_settings), lacks and facts.get(leads_nowhere))


def tried(facts: Facts) -> Tried:
    """For the names of clients. Raises HostError."""
    facts.begin((domains,), (host_records,))
    return Tried(facts.get(host_records), facts.get(domains), facts.get(acme_settings))


def certificate(facts: Facts) -> Certificate:
    """The fate of every name that acme tries. Raises HostError."""
    settings = facts.get(acme_settings)
    if not settings.asks:
        return Certificate(False, settings.apart, ())
    facts.begin((domains,), (host_records,), (authorities,))
    host, known = facts.get(host_records), facts.get(domains)
    climbs = {one.name: one for one in (facts.get(authorities).climbs + facts.get(authorities).others)}
    names = [one for one in candidates(known.server, settings) if _is_meant(one, known.records)]
    pairs = _pairs(facts, names, host, known.records)
    verdicts = tuple(_verdict(one, pairs.get(one.name), host, settings, climbs[one.name]) for one in names)
    return Certificate(True, settings.apart, _within_limit(tuple(names), verdicts, settings))


def _within_limit(
    names: tuple[Candidate, ...], verdicts: tuple[Verdict, ...], settings: AcmeSettings
) -> tuple[Verdict, ...]:
    """The verdicts, where one certificate would have more names than Let's Encrypt puts on one."""
    together = {
        verdict.name
        for one, verdict in zip(names, verdicts, strict=True)
        if verdict.fate == "asked for" and not one.covered and (not settings.apart or not one.domain)
    }
    if len(together) <= MOST_NAMES or settings.directory:
        return verdicts
    words = _(
        "{number} names on one certificate, and {most} at most are possible",
        number=len(together),
        most=MOST_NAMES,
    )
    if not settings.apart:
        words = _("{words}. ENABLE_SSL_SNI=y makes one for each domain.", words=words)
    return tuple(
        one._replace(fate="refused", words=words) if one.name in together else one for one in verdicts
    )


def _is_meant(candidate: Candidate, records: tuple[DomainRecords, ...]) -> bool:
    """Of mta-sts only where the domain has something of the kind: mailcow tries it once it is switched on."""
    if candidate.whose != "mta-sts":
        return True
    own = next(one for one in records if one.domain == candidate.domain)
    return any(own.at(*one).exists for one in (("_mta-sts", "TXT"), ("mta-sts", "A"), ("mta-sts", "AAAA")))


def _pairs(
    facts: Facts, names: list[Candidate], host: HostRecords, records: tuple[DomainRecords, ...]
) -> Mapping[str, Pair]:
    """The A and AAAA records of each name; those that no check asks for are asked here, all at once."""
    found: dict[str, Pair] = {host.server.name: (host.a, host.aaaa)}
    for one in records:
        for client in (*CLIENTS, "mta-sts"):
            found[f"{client}.{one.domain}"] = (one.at(client, "A"), one.at(client, "AAAA"))
    more = [one for one in names if one.name not in found and not one.covered and "*" not in one.name]
    wanted = tuple(
        Wanted(one.name, type, one.domain or one.name.partition(".")[2] or one.name)
        for one in more
        for type in ("A", "AAAA")
    )
    seen = iter(look(facts, wanted) if wanted else ())
    return {**found, **{one.name: (next(seen), next(seen)) for one in more}}


def _verdict(
    candidate: Candidate, pair: Pair | None, host: HostRecords, settings: AcmeSettings, climb: Climb
) -> Verdict:
    name, wild = candidate.name, candidate.name.startswith("*.")
    if candidate.covered:
        return Verdict(name, "asked for", _("{covered} stands for it", covered=candidate.covered))
    if wild and not settings.by_dns:
        return Verdict(name, "left out", _("a wildcard needs ACME_DNS_CHALLENGE=y"))
    above = above_forbids(climb)
    if above:
        return Verdict(name, "left out", above)
    if settings.by_dns or pair is None:
        found = Verdict(name, "asked for", _("proved by a record in DNS, no address is compared"))
    else:
        found = by_address(name, pair, host, settings)
    if found.fate == "left out":
        return found
    if settings.directory and climb.relevant is not None:
        words = _(
            "CAA at {name} may keep {directory} out", name=climb.relevant.name, directory=settings.directory
        )
        return Verdict(name, "open", words)
    if too_deep(name) and not settings.directory:
        why = _("it has more than {number} parts", number=MOST_PARTS)
        return Verdict(name, "refused", f"{why}. {_ONE_FOR_ALL}")
    if climb.relevant is None:
        if climb.silent and found.fate == "asked for":
            return Verdict(name, "open", _("CAA at {silent} could not be asked", silent=climb.silent.name))
        return _as(candidate, found)
    why = forbids(said(climb.relevant), wild, DNS if settings.by_dns else HTTP)
    if why:
        return Verdict(
            name,
            "refused",
            _(
                "CAA at {relevant}: {why}. {one_for_all}",
                relevant=climb.relevant.name,
                why=why,
                one_for_all=_ONE_FOR_ALL,
            ),
        )
    return _as(candidate, found)


def _as(candidate: Candidate, verdict: Verdict) -> Verdict:
    if candidate.whose == "mta-sts":
        return verdict._replace(
            words=_(
                "{words}; once MTA-STS is switched on for {domain}",
                words=verdict.words,
                domain=candidate.domain,
            )
        )
    return verdict


def above_forbids(climb: Climb) -> str:
    """Why mailcow leaves a name out for the CAA records of the name above it; empty where it does not."""
    place = 0 if climb.name.startswith("*.") else 1
    above = climb.seen[place] if len(climb.seen) > place else None
    if above is None or not mailcow_forbids(said(above)):
        return ""
    return _("CAA at {above} does not name letsencrypt.org", above=above.name)


def by_address(name: str, pair: Pair, host: HostRecords, settings: AcmeSettings) -> Verdict:
    """What mailcow makes of the addresses of a name, which it compares with those that the world sees."""
    if settings.by_dns:
        return Verdict(name, "asked for", _("proved by a record in DNS, no address is compared"))
    a, aaaa = pair
    server = host.server
    v6, v4 = _ends(aaaa, host.aaaa, server), _ends(a, host.a, server)
    if any(is_refused(one) for one in pair):
        return Verdict(
            name, "left out", _("resolvers that check signatures refuse it, mailcow's own too (dns.dnssec)")
        )
    if v6 is None or (not v6 and v4 is None):
        return Verdict(
            name,
            "open",
            _("its addresses could not be asked: {trouble}", trouble=(aaaa if v6 is None else a).trouble),
        )
    if v6:
        may = server.uses_v6 or server.v6 in server.unseen
        ours = server.v6 if may else server.v6._replace(public=(), trouble="")
        return _compared(name, v6, ours, settings.any_v6)
    if v4:
        return _compared(name, v4, server.v4, settings.any_v4)
    return Verdict(name, "left out", _("it has no address (A or AAAA)"))


def is_refused(seen: Seen) -> bool:
    """Whether the zone's servers have the record, and resolvers fail, each of several: of one alone it may be
    its own trouble."""
    return seen.directly and len(seen.public) > 1 and all(one.code == "SERVFAIL" for one in seen.public)


def _ends(seen: Seen, of_host: Seen, server: MailServer) -> tuple[str, ...] | None:
    """The addresses that a name leads to; None where that is not known."""
    if not seen.answered:
        return None
    found = texts(seen)
    if found or not seen.aliases:
        return found
    if seen.aliases == (server.name,):
        return texts(of_host) if of_host.answered else None
    return () if any(map(is_answer, seen.public)) else None


def _compared(name: str, found: tuple[str, ...], ours: Addresses, any: bool) -> Verdict:
    kind = f"IPv{ours.family}"
    listed = ", ".join(found[:4])
    if any:
        return Verdict(
            name, "asked for", _("{listed}, which is not compared with this server's", listed=listed)
        )
    if ours.trouble and not ours.public:
        return Verdict(
            name,
            "open",
            _("this server's {kind} address is not known: {trouble}", kind=kind, trouble=ours.trouble),
        )
    right = [one for one in found if one in ours.leaving]
    if len(right) == len(found):
        return Verdict(name, "asked for", _("{listed}, if port 80 answers there", listed=listed))
    if right:
        return Verdict(
            name,
            "open",
            _("mailcow compares one of its {number} addresses, whichever comes last", number=len(found)),
        )
    beside = _(", and mailcow looks at it before IPv4") if ours.family == 6 else ""
    here = (
        _("this server is {public}", public=", ".join(ours.leaving))
        if ours.public
        else _("this server does not use {kind}", kind=kind)
    )
    return Verdict(
        name,
        "left out",
        _(
            "its {kind} address is {listed}{beside}; {here}",
            kind=kind,
            listed=listed,
            beside=beside,
            here=here,
        ),
    )
