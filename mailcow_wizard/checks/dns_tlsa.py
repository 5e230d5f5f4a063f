"""Judge of TLSA (DANE): optional, of use with DNSSEC only, and harmful where it names another key."""

from __future__ import annotations

from mailcow_wizard import requirements_dns as need
from mailcow_wizard.checks.dns_states import Record, evidence, judged, left
from mailcow_wizard.facts.dns.published import Seen
from mailcow_wizard.facts.dns.state import state, texts
from mailcow_wizard.facts.dns.tlsa import Association, NoAssociation, Tlsa, association, digest, names, tlsa
from mailcow_wizard.language import _, heard
from mailcow_wizard.model import Check, Judgement

_OF_AUTHORITIES = (0, 1)
_OF_AN_ISSUER = 2
_MOST_SHOWN = 4


def judge_tlsa(facts: Tlsa) -> Judgement:
    """No records, or records of the key that is served."""
    (_unused, seen), *others = facts.seen
    name = facts.server.name
    value = _value(facts)
    line = f"{seen.name}. TLSA {value or _('3 1 1, and the hash of the key that is served')}"
    record = Record(_("the TLSA record of {name}, port 25", name=name), line, "optional")
    found = state(seen, lambda values: not _trouble(values, facts))
    judgement = judged(record, seen, found, "", name)
    if found.kind == "could not ask":
        return judgement
    if found.kind == "missing":
        return _missing(judgement, facts, value, others)
    if found.kind == "not everywhere yet":
        return judgement._replace(
            summary=_(
                "the TLSA record of {name} is not the same everywhere yet{left}",
                name=name,
                left=left(found.left),
            )
        )
    if found.kind == "wrong":
        return judgement._replace(
            severity="breaks" if facts.signed == "valid" else "advice",
            summary=_(
                "the TLSA record of {name}, port 25, is wrong: {trouble}",
                name=name,
                trouble=_trouble(texts(seen), facts),
            ),
            why=_("Servers that check TLSA (DANE) deliver no mail to a server with another key."),
            remedies=_mends(seen, line, value),
        )
    return _praised(judgement, facts, seen, others)


def _missing(judgement: Judgement, facts: Tlsa, value: str, others: list[tuple[int, Seen]]) -> Judgement:
    wrong = _wrong_elsewhere(judgement, others)
    if wrong:
        return wrong
    name = facts.server.name
    if facts.signed != "valid":
        return judgement._replace(
            summary=_("{name} has no TLSA record, and need not; it would help only with DNSSEC", name=name),
            remedies=(),
        )
    return judgement._replace(
        summary=_(
            "{name} has no TLSA record, and need not; its zone is signed, so one would help", name=name
        ),
        remedies=(_("Publish, if wanted: _25._tcp.{name}. TLSA {value}", name=name, value=value),)
        if value
        else (),
    )


def _value(facts: Tlsa) -> str:
    """The record for the key that is served; empty where none is."""
    try:
        return f"3 1 1 {digest(facts.certificate)}" if facts.certificate else ""
    except ValueError:
        return ""


def _records(values: tuple[str, ...]) -> list[Association]:
    """The records that can be read."""
    found = []
    for one in values:
        try:
            found.append(association(one))
        except NoAssociation:
            continue
    return found


def _trouble(values: tuple[str, ...], facts: Tlsa) -> str:
    """What is wrong with the records of port 25; empty where nothing is, or nothing is known to be."""
    if not values:
        return _("there is none")
    records = _records(values)
    if not records:
        return _unreadable(values)
    usable = [one for one in records if one.usage not in _OF_AUTHORITIES]
    if not usable:
        return _("its first number is 0 or 1, which mail servers do not use (RFC 7672, 3.1.3)")
    if not facts.certificate or any(one.usage == _OF_AN_ISSUER for one in usable):
        return ""
    try:
        fits = any(names(one, facts.certificate) for one in usable)
    except ValueError:
        return ""
    return "" if fits else _("it names another key than the one that this server shows")


def _unreadable(values: tuple[str, ...]) -> str:
    for one in values:
        try:
            association(one)
        except NoAssociation as error:
            return str(error)
    return ""


def _mends(seen: Seen, line: str, value: str) -> tuple[str, ...]:
    if value and any(one.usage not in _OF_AUTHORITIES for one in _records(texts(seen))):
        # One key of several has to fit, and mail may still go to the server that shows the other.
        return (
            _("Publish besides what is there: {line}", line=line),
            _(
                "Remove the record of the other key only when no server shows that key any more: one that "
                "still takes mail, such as the old one of a move, would get none from those that check."
            ),
        )
    if value:
        return (_("Publish instead: {line}", line=line),)
    return (
        _("Remove the TLSA records of {seen}, or publish those of the key that is served.", seen=seen.name),
    )


def _praised(judgement: Judgement, facts: Tlsa, seen: Seen, others: list[tuple[int, Seen]]) -> Judgement:
    """Records that may be right: how much is known of them."""
    wrong = _wrong_elsewhere(judgement, others)
    if wrong:
        return wrong
    name = facts.server.name
    bad = _unreadable(texts(seen))
    if bad:
        # Senders pass over it, and go by the others (RFC 7672, 2.2).
        return _none(judgement, 25, seen, bad)
    records = _records(texts(seen))
    compared = bool(facts.certificate) and all(one.usage != _OF_AN_ISSUER for one in records)
    does = _("names the key that this server shows") if compared else _("is published")
    signed = {
        "valid": _("and is signed"),
        "unsigned": _("but without DNSSEC nobody looks at it"),
        "broken": _("but the signatures of its zone are broken (see dns.dnssec)"),
    }.get(facts.signed, _("but whether its zone is signed is not known"))
    reason = facts.not_served or _("it names an issuer")
    unsure = "" if compared else _("; not compared: {reason}", reason=reason)
    words = _(
        "the TLSA record of {name} {does}{gap}{signed}{unsure}",
        name=name,
        does=does,
        gap=" " if facts.signed == "valid" else ", ",
        signed=signed,
        unsure=unsure,
    )
    judgement = judgement._replace(summary=words, certainty=judgement.certainty if compared else "inferred")
    whole = [one for one in records if one.usage == 3 and one.selector == 0]
    if whole and len(whole) == len(records):
        return judgement._replace(
            status="warn",
            summary=_(
                "the TLSA record of {name} is of the whole certificate, which is renewed every 60 days",
                name=name,
            ),
            remedies=(
                _(
                    "Publish instead: {seen}. TLSA {value}",
                    seen=seen.name,
                    value=_value(facts) or _("3 1 1 and the hash of the key"),
                ),
            ),
        )
    if facts.silent and not compared and facts.signed != "unsigned":
        return judgement._replace(
            status="unknown",
            summary=_(
                "whether the TLSA record of {name} names the key that this server shows could not be found "
                "out: {reason}",
                name=name,
                reason=heard(facts.not_served),
            ),
            certainty="untested",
            remedies=(_("See why port 25 shows no certificate, then run this check again."),),
        )
    return judgement


def _wrong_elsewhere(judgement: Judgement, others: list[tuple[int, Seen]]) -> Judgement | None:
    """The records of the other ports are read too; nothing but their form is judged."""
    for port, seen in others:
        bad = _unreadable(texts(seen)[:_MOST_SHOWN])
        if bad:
            return _none(judgement, port, seen, bad)
    return None


def _none(judgement: Judgement, port: int, seen: Seen, bad: str) -> Judgement:
    return judgement._replace(
        status="warn",
        summary=_("the TLSA record of port {port} is not one: {bad}", port=port, bad=bad),
        found=", ".join(texts(seen)[:_MOST_SHOWN]),
        evidence=evidence(seen),
        remedies=(_("Correct or remove the TLSA record {seen}.", seen=seen.name),),
    )


CHECKS: tuple[Check, ...] = (
    Check(
        id="dns.tlsa",
        title=_("Key in DNS (TLSA)"),
        needed=_("no TLSA record, or one of the key that the server shows, in a signed zone"),
        why=_("With DNSSEC, servers that check TLSA know that they speak to the right one."),
        doc=need.DOC_DNS,
        severity="advice",
        source=tlsa,
        judge=judge_tlsa,
        per="name",
        network=True,
        deadline=16.0,
    ),
)
