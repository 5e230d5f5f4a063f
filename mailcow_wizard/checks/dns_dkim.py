"""Judge of the published DKIM keys."""

from __future__ import annotations

from mailcow_wizard import requirements_dns as need
from mailcow_wizard.checks.dns_states import Record, judged
from mailcow_wizard.facts.dns.dkim import ADVISED_BITS, Dkim, Key, dkim, is_key_record, key_of, trouble
from mailcow_wizard.facts.dns.expected import right_key
from mailcow_wizard.facts.dns.published import Seen
from mailcow_wizard.facts.dns.state import at_once, state, texts
from mailcow_wizard.language import _
from mailcow_wizard.model import Check, Judgement

_PAGE = _("Configuration, Options, ARC/DKIM keys")
_NOT_COMPARED = _("whether mailcow signs with it could not be seen")


def judge_dkim(facts: tuple[Dkim, ...]) -> tuple[Judgement, ...]:
    """One whole key for each domain. mailcow makes it when the domain is added, so none yet is a warning."""
    return tuple(_dkim(one) for one in facts)


def _dkim(facts: Dkim) -> Judgement:
    domain, seen, ours = facts.domain, facts.seen, facts.key
    name = f"{ours.selector}._domainkey.{domain}"
    line = (
        f'{name}. TXT "{ours.record}"'
        if ours.public
        else _("{name}. TXT, as mailcow shows it under {page}", name=name, page=_PAGE)
    )
    record = Record(_("the DKIM key of {domain}", domain=domain), line, "recommended")
    found = state(seen, right_key(ours.public))
    keys = [key_of(one) for one in texts(seen)]
    judgement = judged(record, seen, found, _right(facts, keys), domain)
    if found.kind == "missing" or (found.kind == "wrong" and _is_of_others(seen)):
        return _missing(judgement, facts)
    if found.kind == "wrong":
        return _wrong(judgement, facts, name)
    if judgement.status != "pass":
        return judgement
    if ours.trouble:
        said = f"{judgement.found}; {_NOT_COMPARED}: {ours.trouble}"
        judgement = judgement._replace(found=said, certainty="inferred")
    return _doubts(judgement, facts, keys[0], name)


def _is_of_others(seen: Seen) -> bool:
    """Whether there are texts at the name, and none of them is meant for a key."""
    there = texts(seen)
    return bool(there) and not any(map(is_key_record, there))


def _right(facts: Dkim, keys: list[Key]) -> str:
    if not keys:
        return ""
    with_it = _(", the one that mailcow signs with") if facts.key.public else ""
    return _(
        "{domain} publishes a DKIM key of {bits} bits{with_it}",
        domain=facts.domain,
        bits=keys[0].bits,
        with_it=with_it,
    )


def _missing(judgement: Judgement, facts: Dkim) -> Judgement:
    ours, domain = facts.key, facts.domain
    if ours.public:
        return judgement._replace(
            summary=_("{domain} does not publish the DKIM key that mailcow signs with", domain=domain)
        )
    add = _("After the install add the domain in mailcow and publish the key that it shows.")
    if ours.runs:
        add = _("Make a key for {domain} in mailcow under {page}, and publish it.", domain=domain, page=_PAGE)
    return judgement._replace(summary=_("{domain} publishes no DKIM key yet", domain=domain), remedies=(add,))


def _wrong(judgement: Judgement, facts: Dkim, name: str) -> Judgement:
    there = at_once(facts.seen, lambda values: values)
    if len(there) > 1:
        return judgement._replace(
            summary=_("{name} has {number} records, and must have one", name=name, number=len(there)),
            severity="breaks",
        )
    if not there:
        return judgement._replace(summary=_("{name} is not a key", name=name), severity="breaks")
    why = trouble(there[0])
    if why:
        return judgement._replace(
            summary=_("the DKIM key at {name} cannot be used: {why}", name=name, why=why), severity="breaks"
        )
    return judgement._replace(
        status="fail",
        summary=_("the DKIM key at {name} is another than the one that mailcow signs with", name=name),
        why=_("Every mail carries a signature that does not fit the published key, so it looks forged."),
        severity="breaks",
        remedies=(
            *judgement.remedies,
            _(
                "Where another server still signs with the published key, such as the old one of a move, "
                "leave the record and import that one's private key in mailcow instead: {page}.",
                page=_PAGE,
            ),
        ),
    )


def _doubts(judgement: Judgement, facts: Dkim, key: Key, name: str) -> Judgement:
    """What is not as it could be about a key that receivers can use."""
    ours, domain = facts.key, facts.domain
    if ours.runs and not ours.public:
        return judgement._replace(
            status="warn",
            summary=_(
                "{domain} publishes a DKIM key, but mailcow has none: it does not sign this mail",
                domain=domain,
            ),
            remedies=(
                _(
                    "Make a key for {domain} in mailcow under {page}, and publish it at {name}.",
                    domain=domain,
                    page=_PAGE,
                    name=name,
                ),
            ),
        )
    if key.kind != "rsa" and not ours.public:
        return judgement._replace(
            status="warn",
            summary=_(
                "the DKIM key of {domain} is of a kind that mailcow does not make ({kind}): it will sign "
                "with another",
                domain=domain,
                kind=key.kind,
            ),
            remedies=(_("After the install publish the key that mailcow shows under {page}.", page=_PAGE),),
        )
    if key.kind == "rsa" and key.bits < ADVISED_BITS:
        return judgement._replace(
            status="warn",
            summary=_(
                "the DKIM key of {domain} has {bits} bits; {advised_bits} are advised",
                domain=domain,
                bits=key.bits,
                advised_bits=ADVISED_BITS,
            ),
            severity="advice",
        )
    if "y" in key.flags:
        return judgement._replace(
            status="warn",
            summary=_(
                "the DKIM key of {domain} is marked as a test (t=y): receivers ignore it", domain=domain
            ),
            severity="degrades",
            remedies=(_("Remove y from t= in the record {name}.", name=name),),
        )
    return judgement


CHECKS: tuple[Check, ...] = (
    Check(
        id="dns.dkim",
        title=_("Signing key (DKIM)"),
        needed=_(
            "a whole DKIM key of at least 1024 bits for each mail domain, the one that mailcow signs with"
        ),
        why=_("Receivers trust signed mail; with a wrong key every mail looks forged."),
        doc=need.DOC_DNS,
        severity="degrades",
        source=dkim,
        judge=judge_dkim,
        per="domain",
        network=True,
        deadline=12.0,
    ),
)
