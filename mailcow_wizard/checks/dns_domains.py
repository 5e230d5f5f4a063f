"""Judges of the records that bring clients to their settings (autodiscover, autoconfig), and of wildcards."""

from __future__ import annotations

from mailcow_wizard import requirements_dns as need
from mailcow_wizard.checks.dns_mx import without_dot
from mailcow_wizard.checks.dns_states import Record, certainty, evidence, judged, values, with_fate
from mailcow_wizard.facts.dns.certificate import Tried, by_address, tried
from mailcow_wizard.facts.dns.domain_records import WILD_TYPES, DomainRecords, Domains, domains, nobody
from mailcow_wizard.facts.dns.expected import client_record, right_client
from mailcow_wizard.facts.dns.mail_server import MailServer
from mailcow_wizard.facts.dns.published import Seen
from mailcow_wizard.facts.dns.state import state, texts
from mailcow_wizard.language import _
from mailcow_wizard.model import Check, Judgement

_READ = ("v=dmarc1", "v=dkim1", "k=", "p=", "v=stsv1", "v=tlsrptv1")


def judge_autodiscover(facts: Tried) -> tuple[Judgement, ...]:
    """Outlook and Exchange clients find their settings."""
    return tuple(_with_fate(facts, one, "autodiscover") for one in facts.domains.records)


def judge_autoconfig(facts: Tried) -> tuple[Judgement, ...]:
    """Thunderbird and others find their settings."""
    return tuple(_with_fate(facts, one, "autoconfig") for one in facts.domains.records)


def _with_fate(facts: Tried, records: DomainRecords, client: str) -> Judgement:
    """The record, and what becomes of the name on the certificate."""
    server = facts.domains.server
    judgement = _client(server, records, client)
    settings, name = facts.settings, f"{client}.{records.domain}"
    pair = (records.at(client, "A"), records.at(client, "AAAA"))
    if not settings.asks or settings.only_server or not settings.clients:
        return judgement
    return with_fate(judgement, by_address(name, pair, facts.host, settings))


def _client(server: MailServer, records: DomainRecords, client: str) -> Judgement:
    """An alias of the server's name, or the server's own addresses."""
    domain, name = records.domain, f"{client}.{records.domain}"
    seen, v4 = client_record(server, records, client), records.at(client, "A")
    record = Record(name, f"{name}. CNAME {server.name}.", "recommended")
    found = state(seen, right_client(server, seen))
    judgement = judged(
        record, seen, found, _("{name} leads to {server}", name=name, server=server.name), domain
    )
    if (judgement.status == "pass" or found.kind == "not everywhere yet") and _only_by_wildcard(
        records, seen
    ):
        return judgement._replace(
            summary=_("{name} leads to {server}, but only by a wildcard", name=name, server=server.name),
            status="warn",
            severity="advice",
            remedies=(_("Publish: {line}", line=record.line),),
        )
    if found.kind == "wrong" and seen.aliases == (without_dot(server, domain),):
        return judgement._replace(
            summary=_(
                "{name} is an alias of {alias}: in the zone file the dot behind {server} is missing",
                name=name,
                alias=seen.aliases[0],
                server=server.name,
            ),
            status="warn",
        )
    if found.kind == "wrong" and seen.type == "AAAA" and state(v4, right_client(server, v4)).holds:
        return judgement._replace(
            summary=_(
                "{name} leads to {server}, but not by IPv6: {values}",
                name=name,
                server=server.name,
                values=", ".join(texts(seen)),
            ),
            status="warn",
        )
    if found.kind == "wrong":
        return judgement._replace(
            summary=_("{name} is {values}, not {server}", name=name, values=values(seen), server=server.name),
            status="warn",
        )
    return judgement


def _only_by_wildcard(records: DomainRecords, seen: Seen) -> bool:
    nowhere = records.at(nobody(records.domain), seen.type)
    return nowhere.exists and (nowhere.aliases, nowhere.values) == (seen.aliases, seen.values)


def judge_wildcard(facts: Domains) -> tuple[Judgement, ...]:
    """A wildcard answers for every name, also for those that nobody meant."""
    return tuple(_wildcard(one) for one in facts.records)


def _wildcard(records: DomainRecords) -> Judgement:
    domain = records.domain
    every = [records.at(nobody(domain), type) for type in WILD_TYPES]
    given = [one for one in every if one.exists]
    wild = [one for one in given if one.type != "TXT" or one.aliases or any(map(_is_read, one.values))]
    silent = [one for one in every if not one.answered]
    if wild:
        return _wild(domain, wild)
    if silent:
        return Judgement(
            "unknown",
            _(
                "whether {domain} has a wildcard could not be asked: {trouble}",
                domain=domain,
                trouble=silent[0].trouble,
            ),
            evidence=evidence(silent[0]),
            certainty="untested",
            subject=domain,
        )
    said = ", ".join(values(one) for one in given)
    return Judgement(
        "pass",
        _("*.{domain} has nothing but texts, which confuse nothing", domain=domain)
        if given
        else _("{domain} has no wildcard", domain=domain),
        said or _("none"),
        tuple(row for one in every for row in evidence(one)),
        certainty=certainty(every[0]),
        subject=domain,
    )


def _is_read(text: str) -> bool:
    """Whether a text would be taken for a record at the names that mailcow needs: what lists senders (SPF) is
    read at names that mail comes from alone."""
    return text.lower().lstrip().startswith(_READ)


def _wild(domain: str, wild: list[Seen]) -> Judgement:
    """What a wildcard gives to a name that nobody made."""
    mail = [one for one in wild if one.type == "MX" and one.values]
    given = dict.fromkeys(f"MX {values(one)}" if one in mail else values(one) for one in wild)
    said = ", ".join(given)
    publish = _("Publish each name that mailcow needs, or remove the wildcard of {domain}.", domain=domain)
    no_mail = _(
        "Remove the MX record of *.{domain}, unless mail for names below {domain} is wanted.", domain=domain
    )
    return Judgement(
        "warn",
        _("*.{domain} answers for every name: {values}", domain=domain, values=said),
        found=_("a name that nobody made is {values}", values=said),
        evidence=tuple(row for one in wild for row in evidence(one)),
        remedies=(*((publish,) if wild != mail else ()), *((no_mail,) if mail else ())),
        why=_(
            "Mail for every name below the domain goes where this MX record points to, also for names that "
            "are spelled wrong or made up by spammers."
        )
        if mail
        else None,
        certainty=certainty(wild[0]),
        subject=domain,
    )


def _check(
    id: str, title: str, needed: str, why: str, severity: str, judge: object, source: object = domains
) -> Check:
    return Check(
        id=id,
        title=title,
        needed=needed,
        why=why,
        doc=need.DOC_DNS,
        severity=severity,  # type: ignore[arg-type]
        source=source,  # type: ignore[arg-type]
        judge=judge,  # type: ignore[arg-type]
        per="domain",
        network=True,
        deadline=12.0,
    )


CHECKS: tuple[Check, ...] = (
    _check(
        "dns.autodiscover",
        "autodiscover",
        _("autodiscover.DOMAIN is an alias (CNAME) of the server's name"),
        _(
            "Outlook and phones ask there for their settings; without it people must type them, and "
            "the name drops out of mailcow's certificate."
        ),
        "degrades",
        judge_autodiscover,
        tried,
    ),
    _check(
        "dns.autoconfig",
        "autoconfig",
        _("autoconfig.DOMAIN is an alias (CNAME) of the server's name"),
        _(
            "Thunderbird asks there for its settings; without it people must type them, and the name "
            "drops out of mailcow's certificate."
        ),
        "degrades",
        judge_autoconfig,
        tried,
    ),
    _check(
        "dns.wildcard",
        "Wildcard",
        _("no wildcard record, or one that nothing is confused by"),
        _("With a wildcard every name seems to be published, and a typing error is not noticed."),
        "advice",
        judge_wildcard,
    ),
)
