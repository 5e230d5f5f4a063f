"""Judge of the records that bring mail to the server (MX), and of the name servers that tell them."""

from __future__ import annotations

from mailcow_wizard import requirements_dns as need
from mailcow_wizard.checks.dns_states import Record, is_address, judged, of_guess
from mailcow_wizard.facts.dns.domain_records import DomainRecords
from mailcow_wizard.facts.dns.exchangers import Exchangers, exchangers
from mailcow_wizard.facts.dns.expected import right_mx
from mailcow_wizard.facts.dns.mail_server import MailServer
from mailcow_wizard.facts.dns.message import NXDOMAIN
from mailcow_wizard.facts.dns.published import Seen
from mailcow_wizard.facts.dns.state import state, texts
from mailcow_wizard.language import _, ngettext
from mailcow_wizard.model import Check, Evidence, Judgement


def judge_mx(facts: Exchangers) -> tuple[Judgement, ...]:
    """Mail for each domain goes to this server and nowhere else, and all name servers of its zone say so."""
    server = facts.domains.server
    return tuple(_with_silent(of_guess(server, _mx(facts, one)), one) for one in facts.domains.records)


def _with_silent(judgement: Judgement, records: DomainRecords) -> Judgement:
    """With the name servers of the domain's zone that are silent while others answer."""
    silent = records.silent
    if not silent:
        return judgement
    domain = records.domain
    named = ", ".join(
        _("{name} ({address})", name=name, address=f"{address}: {code}" if code else address)
        for name, address, code in silent
    )
    shown = judgement._replace(
        evidence=(
            *judgement.evidence,
            *(
                Evidence(f"dig +norec {domain} SOA @{address}", code or _("no answer"))
                for _name, address, code in silent
            ),
        ),
        remedies=(
            *judgement.remedies,
            _(
                "Start {named}, let port 53 in to it, or take it out of the delegation of {domain}.",
                named=named,
                domain=domain,
            ),
        ),
    )
    if judgement.status != "pass":
        return shown
    return shown._replace(
        status="warn",
        severity="degrades",
        summary=ngettext(
            "{right}, but the name server {named} gives no answer",
            "{right}, but the name servers {named} give no answer",
            len(silent),
            right=judgement.summary,
            named=named,
        ),
        found=_("{values}; no answer from {named}", values=judgement.found, named=named),
        why=_(
            "It is a name server of {domain}: whoever asks it waits before asking another one, and where "
            "that one fails, too, no mail arrives.",
            domain=domain,
        ),
    )


def _mx(facts: Exchangers, records: DomainRecords) -> Judgement:
    server, domain, seen = facts.domains.server, records.domain, records.at("", "MX")
    line = f"{domain}. MX 10 {server.name}."
    record = Record(_("the mail exchanger (MX) of {domain}", domain=domain), line, "required")

    found = state(seen, right_mx(server))
    judgement = judged(
        record,
        seen,
        found,
        _("mail for {domain} goes to {server}", domain=domain, server=server.name),
        domain,
    )
    if found.kind == "missing" and all(one.code == NXDOMAIN for one in seen.answered):
        return judgement._replace(
            summary=_("{domain} does not exist in DNS", domain=domain),
            remedies=(
                _("See whether {domain} is spelled right, and registered.", domain=domain),
                *judgement.remedies,
            ),
        )
    if found.kind == "missing" and domain == server.name:
        return judgement._replace(
            status="warn",
            summary=_("{domain} has no MX record; other servers then deliver to its address", domain=domain),
            severity="degrades",
        )
    if found.kind == "wrong":
        judgement = judgement._replace(remedies=_others_away(domain, server, seen) or judgement.remedies)
        return _by_other_names(judgement, facts, seen) or judgement._replace(
            summary=_wrong_mx(domain, server, seen)
        )
    if judgement.status == "pass" and facts.alias:
        return judgement._replace(
            status="fail",
            summary=_alias_named(domain, server.name, facts.alias),
            remedies=(
                _("Publish the addresses of {server} in place of the alias (dns.a).", server=server.name),
            ),
        )
    return (
        _led_by_alias(judgement, seen, server) if judgement.status == "pass" and seen.aliases else judgement
    )


def _led_by_alias(judgement: Judgement, seen: Seen, server: MailServer) -> Judgement:
    """Senders follow an alias (RFC 5321, 5.1), but some then write its target into the address."""
    return judgement._replace(
        status="warn",
        severity="degrades",
        summary=_(
            "mail for {domain} goes to {server}, but {domain} is an alias (CNAME) of {aliases}",
            domain=judgement.subject,
            server=server.name,
            aliases=", ".join(seen.aliases),
        ),
        why=_(
            "Some senders (sendmail) then write to {aliases} in its place, and mailcow refuses that unless "
            "it is a mail domain, too.",
            aliases=", ".join(seen.aliases),
        ),
        remedies=(
            _(
                "Publish the records that {domain} needs in place of the alias: {line}",
                domain=judgement.subject,
                line=f"{judgement.subject}. MX 10 {server.name}.",
            ),
        ),
    )


def _others_away(domain: str, server: MailServer, seen: Seen) -> tuple[str, ...]:
    """What mends it where this server is named already; nothing where it is not."""
    known = texts(seen)
    foreign = [one for one in known if _target(one) != server.name]
    if len(foreign) == len(known):
        return ()
    return tuple(_("Remove: {line}", line=f"{domain}. MX {one.rstrip('.')}.") for one in foreign)


def _by_other_names(judgement: Judgement, facts: Exchangers, seen: Seen) -> Judgement | None:
    """Where the names lead, of MX records that all name this server, or may; None: they do not."""
    server, domain = facts.domains.server, judgement.subject
    foreign = [one for one in map(_target, texts(seen)) if one != server.name]
    others = [facts.others.get(one) for one in foreign]
    ours = [one for one in others if one and one.addresses and facts.own.issuperset(one.addresses)]
    if not foreign or not all(one and (one in ours or one.silent) for one in others):
        return _by_alias(judgement, facts, foreign)
    named = ", ".join(foreign)
    if len(ours) < len(others):
        return judgement._replace(
            status="unknown",
            summary=_(
                "mail for {domain} goes to {named}, not to {server}; whether that is this server, too, could "
                "not be asked",
                domain=domain,
                named=named,
                server=server.name,
            ),
            certainty="untested",
        )
    return judgement._replace(
        status="warn",
        severity="degrades",
        summary=_(
            "mail for {domain} goes to {named}, another name of this server ({addresses})",
            domain=domain,
            named=named,
            addresses=", ".join(dict.fromkeys(address for one in ours for address in one.addresses)),
        ),
        why=_(
            "Mail arrives, but mailcow's certificate is for other names: who insists on the right one "
            "(MTA-STS, DANE) does not deliver."
        ),
        remedies=(
            *judgement.remedies,
            _(
                "Or add {named} to ADDITIONAL_SAN in mailcow.conf, so that the certificate has it, and "
                "acknowledge this.",
                named=named,
            ),
        ),
    )


def _by_alias(judgement: Judgement, facts: Exchangers, foreign: list[str]) -> Judgement | None:
    """An MX record must not name an alias (RFC 2181, 10.3); None where none does."""
    alias = next((one for one in foreign if one in facts.others and facts.others[one].alias), "")
    if not alias:
        return None
    return judgement._replace(summary=_alias_named(judgement.subject or "", alias, facts.others[alias].alias))


def _alias_named(domain: str, alias: str, target: str) -> str:
    return _(
        "the MX of {domain} is {alias}, an alias (CNAME) of {target}; it must be the name itself",
        domain=domain,
        alias=alias,
        target=target,
    )


def _target(value: str) -> str:
    return value.partition(" ")[2]


def _wrong_mx(domain: str, server: MailServer, seen: Seen) -> str:
    if seen.aliases and not texts(seen):
        return _(
            "{domain} is an alias (CNAME) of {aliases}, which has no MX record",
            domain=domain,
            aliases=", ".join(seen.aliases),
        )
    targets = [_target(one) for one in texts(seen)]
    if targets == ["."]:
        return _("{domain} says that it takes no mail at all (null MX)", domain=domain)
    addresses = [one for one in targets if is_address(one)]
    if addresses:
        return _(
            "the MX of {domain} is the address {addresses}; it must be a name",
            domain=domain,
            addresses=addresses[0],
        )
    foreign = [one for one in targets if one != server.name]
    if without_dot(server, domain) in foreign:
        return _(
            "the MX of {domain} is {name}: in the zone file the dot behind {server} is missing",
            domain=domain,
            name=without_dot(server, domain),
            server=server.name,
        )
    if len(foreign) < len(targets):
        return _(
            "mail for {domain} goes to {server} and also to {foreign}",
            domain=domain,
            server=server.name,
            foreign=", ".join(foreign),
        )
    return _(
        "mail for {domain} goes to {foreign}, not to {server}",
        domain=domain,
        foreign=", ".join(foreign),
        server=server.name,
    )


def without_dot(server: MailServer, domain: str) -> str:
    """What the server's name becomes in a zone file where the dot at its end was left out."""
    return f"{server.name}.{domain}"


CHECKS: tuple[Check, ...] = (
    Check(
        id="dns.mx",
        title=_("Mail exchanger (MX)"),
        needed=_("one MX record of each mail domain that names this server, and no other"),
        why=_("Other mail servers deliver where this record points to."),
        doc=need.DOC_DNS,
        severity="breaks",
        source=exchangers,
        judge=judge_mx,
        per="domain",
        network=True,
        deadline=12.0,
    ),
)
