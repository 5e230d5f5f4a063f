"""Judge of the records by which programs find mailcow's services (RFC 6186, 6764): all of them optional."""

from __future__ import annotations

from mailcow_wizard import requirements_dns as need
from mailcow_wizard.checks.dns_states import certainty, refused, see_why, values
from mailcow_wizard.facts.dns.certificate import is_refused
from mailcow_wizard.facts.dns.domain_records import PATHS, SERVICES, DomainRecords, Domains, domains
from mailcow_wizard.facts.dns.expected import PATH, right_path, right_service, srv_value
from mailcow_wizard.facts.dns.mail_server import MailServer
from mailcow_wizard.facts.dns.published import Seen
from mailcow_wizard.facts.dns.state import state, texts
from mailcow_wizard.language import _, ngettext
from mailcow_wizard.model import Certainty, Check, Evidence, Judgement

_CERTAINTIES: tuple[Certainty, ...] = ("untested", "inferred", "proved")


def judge_srv(facts: Domains) -> tuple[Judgement, ...]:
    """Records that are there name this server and its ports; those that are not are only named."""
    return tuple(_srv(facts.server, one) for one in facts.records)


def _srv(server: MailServer, records: DomainRecords) -> Judgement:
    domain = records.domain
    rows = [(service, records.at(service, "SRV"), srv_value(server, port)) for service, port in SERVICES]
    rows += [(service, records.at(service, "TXT"), PATH) for service in PATHS]
    wrong = [(name, seen, line) for name, seen, line in rows if _kind(seen, line) == "wrong"]
    late = [name for name, seen, line in rows if _kind(seen, line) == "not everywhere yet"]
    missing = [name for name, seen, line in rows if _kind(seen, line) == "missing"]
    unasked = [seen for _unused, seen, line in rows if _kind(seen, line) == "could not ask"]
    evidence = tuple(
        Evidence(f"dig +short {seen.name} {seen.type}", ", ".join(seen.values) or _("nothing"))
        for _unused, seen, _unused in (wrong or rows)[:3]
    )
    sure = min((certainty(seen) for _unused, seen, _unused in wrong or rows), key=_CERTAINTIES.index)
    common = Judgement("pass", "", evidence=evidence, certainty=sure, subject=domain)
    if wrong:
        named = ", ".join(f"{name} {seen.type} ({values(seen)})" for name, seen, _unused in wrong[:3])
        return common._replace(
            status="warn",
            summary=ngettext(
                "{number} of {domain}'s service records points elsewhere: {named}",
                "{number} of {domain}'s service records point elsewhere: {named}",
                len(wrong),
                number=len(wrong),
                domain=domain,
                named=named,
            ),
            found="; ".join(
                _("{seen} {type} is {values}", seen=seen.name, type=seen.type, values=values(seen))
                for _unused, seen, _unused in wrong
            ),
            remedies=tuple(one for _unused, seen, line in wrong for one in _mends(seen, line)),
        )
    if late:
        return common._replace(
            status="warn",
            summary=_("{domain}: not everywhere yet: {late}", domain=domain, late=", ".join(late[:4])),
            found=", ".join(dict.fromkeys(late)),
            severity="advice",
        )
    if unasked:
        return common._replace(
            status="unknown",
            summary=_unasked(domain, unasked, len(rows)),
            certainty="untested",
            remedies=(see_why(unasked[0]),),
        )
    found = _there(common, domain, rows, missing)
    untold = [seen for _unused, seen, line in rows if is_refused(seen) and _kind(seen, line) != "missing"]
    return refused(found, "optional", untold[0]) if untold else found


def _there(
    common: Judgement, domain: str, rows: list[tuple[str, Seen, str]], missing: list[str]
) -> Judgement:
    """How many there are, where none is wrong."""
    there = len(rows) - len(missing)
    if missing:
        return common._replace(
            summary=_(
                "{domain} has {value} of {number} service records; they are optional",
                domain=domain,
                value=there or _("none"),
                number=len(rows),
            ),
            found=_("not published: {names}", names=", ".join(dict.fromkeys(missing))),
            remedies=tuple(
                _("Publish, if wanted: {line}", line=_record(seen, line))
                for name, seen, line in rows
                if _kind(seen, line) == "missing"
            ),
        )
    return common._replace(
        summary=_("all {number} service records of {domain} are right", number=len(rows), domain=domain),
        found=", ".join(dict.fromkeys(one[0] for one in rows)),
    )


def _record(seen: Seen, value: str) -> str:
    """A record as a zone file has it."""
    return f"{seen.name}. {seen.type} " + (f'"{value}"' if seen.type == "TXT" else f"{value.rstrip('.')}.")


def _mends(seen: Seen, line: str) -> tuple[str, ...]:
    """What mends a record: another beside the right one is to go."""
    known = texts(seen)
    foreign = [one for one in known if seen.type == "SRV" and not right_service(line)((one,))]
    if foreign and len(foreign) < len(known):
        return tuple(_("Remove: {line}", line=_record(seen, one)) for one in foreign)
    return (_("Publish: {line}", line=_record(seen, line)),)


def _unasked(domain: str, unasked: list[Seen], number: int) -> str:
    """That all of the records could not be asked, or which of them."""
    trouble = unasked[0].trouble
    if len(unasked) == number:
        return _(
            "the service records of {domain} could not be asked: {trouble}", domain=domain, trouble=trouble
        )
    return _(
        "{value} of {domain}'s {number} service records could not be asked ({named}): {trouble}",
        value=len(unasked),
        domain=domain,
        number=number,
        named=f"{unasked[0].name} {unasked[0].type}",
        trouble=trouble,
    )


def _kind(seen: Seen, line: str) -> str:
    """The state of a record; an alias at whose end there is none, or a text of another kind (a wildcard's,
    mostly) is none."""
    kind = state(seen, right_path if seen.type == "TXT" else right_service(line)).kind
    meant = [one for one in texts(seen) if seen.type != "TXT" or one.lower().startswith("path=")]
    return "missing" if kind == "wrong" and not meant else kind


CHECKS: tuple[Check, ...] = (
    Check(
        id="dns.srv",
        title=_("Services (SRV)"),
        needed=_("service records, where there are any, name this server and its ports"),
        why=_("Programs that look for services by DNS are led to another server by a wrong record."),
        doc=need.DOC_DNS,
        severity="advice",
        source=domains,
        judge=judge_srv,
        per="domain",
        network=True,
        deadline=12.0,
    ),
)
