"""Judge of DNSSEC: signed and valid, or not signed; never broken."""

from __future__ import annotations

from mailcow_wizard import requirements_dns as need
from mailcow_wizard.checks.by_clock import see_the_clock
from mailcow_wizard.facts.dns.message import Answer
from mailcow_wizard.facts.dns.signatures import Signed, signatures
from mailcow_wizard.language import _
from mailcow_wizard.model import Check, Evidence, Judgement


def judge_dnssec(facts: tuple[Signed, ...]) -> tuple[Judgement, ...]:
    """One judgement for each domain, and one for the server's zone where that is another."""
    return tuple(_signed(one) for one in facts)


def _signed(signed: Signed) -> Judgement:
    verdicts = [one.verdict for one in signed.opinions]
    said = "; ".join(
        f"{one.checked.server}: {one.verdict or one.checked.error or one.checked.code}"
        + (f" ({one.checked.explained})" if one.checked.explained else "")
        for one in signed.opinions
    )
    server = signed.opinions[0].checked.server if signed.opinions else ""
    common = Judgement(
        "pass",
        "",
        found=said,
        evidence=(Evidence(f"dig +dnssec {signed.zone} SOA @{server}", said),),
        subject=signed.name,
    )
    zone = signed.zone
    if signed.delegated is False and "valid" not in verdicts:
        # Without a DS there is nothing to check: a SERVFAIL has another reason.
        return common._replace(summary=_("{zone} is not signed, which is allowed", zone=zone))
    if "broken" in verdicts:
        broken = [one for one in signed.opinions if one.verdict == "broken"]
        if all(one.blind for one in broken):
            return _broken_here(common, zone, broken[0].checked, "valid" in verdicts)
        return _broken(common, zone, verdicts)
    if "valid" in verdicts:
        return common._replace(summary=_("{zone} is signed, and the signatures are valid", zone=zone))
    if "unsigned" in verdicts and signed.strange:
        return _strange(common, signed)
    if "unsigned" in verdicts and signed.delegated and _by_checkers(signed):
        return common._replace(
            status="unknown",
            summary=_(
                "{zone} is signed, but resolvers that check signatures find it not signed, as when the DS "
                "record is new",
                zone=zone,
            ),
            certainty="untested",
            remedies=(_("Wait until caches have renewed, then run this check again."),),
        )
    if "unsigned" in verdicts and signed.delegated:
        return common._replace(
            status="unknown",
            summary=_("{zone} is signed, but no resolver that could be asked checks signatures", zone=zone),
            certainty="untested",
        )
    return common._replace(
        status="unknown",
        summary=_("whether the signatures of {zone} are valid could not be asked", zone=zone),
        certainty="untested",
    )


def _by_checkers(signed: Signed) -> bool:
    """Whether a resolver that checks signatures finds the zone unsigned."""
    return any(one.validates and one.verdict == "unsigned" for one in signed.opinions)


def _strange(common: Judgement, signed: Signed) -> Judgement:
    """All DS records are of kinds that resolvers do not know, who then take the zone for unsigned."""
    zone = signed.zone
    kinds = ", ".join(
        _("algorithm {algorithm} with digest type {digest}", algorithm=algorithm, digest=digest)
        for algorithm, digest in signed.strange
    )
    return common._replace(
        status="warn",
        summary=_(
            "{zone} is signed in a way that resolvers do not know ({kinds}): for them it is not signed",
            zone=zone,
            kinds=kinds,
        ),
        why=_(
            "Mail arrives as without signatures (RFC 4035, 5.2), but nothing protects the records, and TLSA "
            "records do not count."
        ),
        certainty="proved" if _by_checkers(signed) else "inferred",
        severity="advice",
        remedies=(
            _(
                "Sign {zone} with algorithm 13 (ECDSA P-256) and give its DS record digest type 2 (SHA-256), "
                "or have the DS record removed at the registrar.",
                zone=zone,
            ),
        ),
    )


def _broken(common: Judgement, zone: str, verdicts: list[str]) -> Judgement:
    """Some resolver that checks refuses the zone. Where another finds it valid, a cache is behind."""
    remedies = (
        _(
            "Compare the DS record at the registrar with the keys of {zone}'s name servers; remove "
            "the DS record until they agree.",
            zone=zone,
        ),
        _("See what is wrong: https://dnsviz.net/d/{zone}/", zone=zone),
    )
    if "valid" in verdicts:
        return common._replace(
            status="warn",
            summary=_(
                "the signatures of {zone} are valid for some resolvers and broken for others", zone=zone
            ),
            certainty="inferred",
            severity="degrades",
            remedies=(_("Wait until caches have renewed, then run this check again."), *remedies),
        )
    return common._replace(
        status="fail",
        summary=_(
            "the signatures (DNSSEC) of {zone} are broken: resolvers that check them answer nothing",
            zone=zone,
        ),
        remedies=remedies,
    )


def _broken_here(common: Judgement, zone: str, said: Answer, valid: bool) -> Judgement:
    """It does not tell the root either: what it says is nothing about the zone, which others may find
    `valid`."""
    common = common._replace(
        severity="degrades",
        remedies=(
            *see_the_clock(said.code),
            _("Then restart that resolver, and see whether its keys of the root are up to date."),
        ),
    )
    if not valid:
        words = _(
            "this machine's own resolver ({server}) takes the signatures of {zone} for broken, and no other "
            "that checks them could be asked: whether they are is not known",
            server=said.server,
            zone=zone,
        )
        return common._replace(status="unknown", summary=words, certainty="untested")
    return common._replace(
        status="warn",
        summary=_(
            "the signatures of {zone} are valid, but this machine's own resolver ({server}) takes them for "
            "broken",
            zone=zone,
            server=said.server,
        ),
        certainty="inferred",
    )


CHECKS: tuple[Check, ...] = (
    Check(
        id="dns.dnssec",
        title=_("Signatures (DNSSEC)"),
        needed=_("the zones are signed and valid, or not signed"),
        why=_("Where signatures are broken, resolvers that check them refuse to answer: no mail arrives."),
        doc=need.DOC_DNS,
        severity="breaks",
        source=signatures,
        judge=judge_dnssec,
        per="domain",
        network=True,
        deadline=12.0,
    ),
)
