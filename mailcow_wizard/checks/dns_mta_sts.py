"""Judge of MTA-STS: optional, but what is announced must be there and must name this server."""

from __future__ import annotations

from mailcow_wizard import requirements_dns as need
from mailcow_wizard.checks.by_clock import see_the_clock
from mailcow_wizard.checks.dns_states import certainty, evidence, values
from mailcow_wizard.facts.dns.mta_sts import (
    PATH,
    MtaSts,
    StsPolicy,
    announcements,
    bad_announcement,
    bad_report_record,
    mta_sts,
    permits,
    report_records,
    sts_policy,
)
from mailcow_wizard.facts.dns.state import ends, texts
from mailcow_wizard.language import _
from mailcow_wizard.model import Check, Evidence, Judgement

_MODES = {
    "enforce": _("senders must use TLS with a valid certificate (mode: enforce)"),
    "testing": _("senders report, but still deliver, where TLS fails (mode: testing)"),
    "none": _("it is switched off (mode: none)"),
}


def judge_mta_sts(facts: tuple[MtaSts, ...]) -> tuple[Judgement, ...]:
    """Nothing at all, or an announcement, a policy and records that agree."""
    return tuple(_judge(one) for one in facts)


def _judge(facts: MtaSts) -> Judgement:
    common = Judgement(
        "pass",
        "",
        found=_found(facts),
        evidence=(*evidence(facts.announced), *_fetched(facts)),
        certainty=certainty(facts.announced),
        severity="advice",
        subject=facts.domain,
    )
    if not ends(facts.announced):
        return common._replace(
            status="unknown",
            summary=_(
                "whether {domain} has an MTA-STS policy could not be asked: {trouble}",
                domain=facts.domain,
                trouble=facts.announced.silence,
            ),
        )
    announced = announcements(facts.announced)
    if not announced:
        return _with_reports(_nothing(common, facts), facts)
    wrong = _wrong_announcement(facts, announced)
    if wrong:
        return common._replace(
            status="warn",
            summary=wrong,
            remedies=(
                _(
                    'Keep one record: _mta-sts.{domain}. TXT "v=STSv1; id=20260101000000"',
                    domain=facts.domain,
                ),
            ),
        )
    return _with_reports(_policy(common, facts), facts)


def _nothing(common: Judgement, facts: MtaSts) -> Judgement:
    domain = facts.domain
    if any("sts" in one.lower() for one in texts(facts.announced)):
        return common._replace(
            status="warn",
            summary=_("the text at _mta-sts.{domain} is not one of MTA-STS", domain=domain),
            remedies=(
                _("Remove the TXT record _mta-sts.{domain}, or let it begin with v=STSv1.", domain=domain),
            ),
        )
    return common._replace(summary=_("{domain} announces no MTA-STS policy, and need not", domain=domain))


def _wrong_announcement(facts: MtaSts, announced: tuple[str, ...]) -> str:
    if len(announced) > 1:
        return _(
            "_mta-sts.{domain} has {number} records, and must have one; senders take none",
            domain=facts.domain,
            number=len(announced),
        )
    bad = bad_announcement(announced[0])
    return _("the record _mta-sts.{domain} is not valid: {bad}", domain=facts.domain, bad=bad) if bad else ""


def _policy(common: Judgement, facts: MtaSts) -> Judgement:
    """An announced policy: fetched, valid, and for this server."""
    place = f"https://mta-sts.{facts.domain}{PATH}"
    page = facts.page
    if page is None or page.silent:
        return common._replace(
            status="unknown",
            summary=_(
                "the MTA-STS policy of {domain} could not be fetched: {trouble}",
                domain=facts.domain,
                trouble=page.trouble if page else _("it was not asked for"),
            ),
            certainty="untested",
        )
    if page.trouble:
        return common._replace(
            status="warn",
            severity="degrades",
            summary=_(
                "{domain} announces an MTA-STS policy, but it cannot be fetched: {trouble}",
                domain=facts.domain,
                trouble=page.trouble,
            ),
            remedies=(
                *see_the_clock(page.trouble),
                _("Publish: mta-sts.{domain}. CNAME {server}.", domain=facts.domain, server=facts.server),
                _(
                    "Then switch MTA-STS on for {domain} in mailcow, which serves {place}.",
                    domain=facts.domain,
                    place=place,
                ),
                _("Or remove the TXT record _mta-sts.{domain}.", domain=facts.domain),
            ),
        )
    policy = sts_policy(page.text)
    if policy.mistakes:
        return common._replace(
            status="warn",
            severity="degrades",
            summary=_(
                "the MTA-STS policy of {domain} is not valid: {mistakes}",
                domain=facts.domain,
                mistakes="; ".join(policy.mistakes),
            ),
            remedies=(_("Correct {place}.", place=place),),
        )
    return _for_this_server(common, facts, policy)


def _for_this_server(common: Judgement, facts: MtaSts, policy: StsPolicy) -> Judgement:
    names = dict.fromkeys((facts.server, *facts.exchangers))
    missing = [one for one in names if not permits(policy.patterns, one)]
    if missing and policy.mode != "none":
        return common._replace(
            status="warn",
            severity="breaks" if policy.mode == "enforce" else "degrades",
            summary=_(
                "the MTA-STS policy of {domain} does not permit {missing}, only {patterns}",
                domain=facts.domain,
                missing=missing[0],
                patterns=", ".join(policy.patterns[:4]),
            ),
            why=_("Senders that obey the policy deliver only to the servers that it names."),
            remedies=(
                _(
                    "Add a line to https://mta-sts.{domain}{path}: mx: {missing}",
                    domain=facts.domain,
                    path=PATH,
                    missing=missing[0],
                ),
            ),
        )
    return common._replace(
        summary=_("{domain} has an MTA-STS policy: {modes}", domain=facts.domain, modes=_MODES[policy.mode])
    )


def _with_reports(judgement: Judgement, facts: MtaSts) -> Judgement:
    """Says so where the record for reports about TLS is wrong, and nothing worse is."""
    if judgement.status != "pass" or not ends(facts.reports):
        return judgement
    records = report_records(facts.reports)
    bad = next((bad_report_record(one) for one in records), "")
    if len(records) > 1:
        bad = _("there are {number}, and must be one", number=len(records))
    if not bad:
        also = "" if records or not announcements(facts.announced) else _("; reports about it go nowhere")
        return judgement._replace(summary=f"{judgement.summary}{also}")
    return judgement._replace(
        status="warn",
        summary=_(
            "the record for reports about TLS (_smtp._tls.{domain}) is not valid: {bad}",
            domain=facts.domain,
            bad=bad,
        ),
        remedies=(
            _(
                'Publish: _smtp._tls.{domain}. TXT "v=TLSRPTv1; rua=mailto:postmaster@{domain}"',
                domain=facts.domain,
            ),
        ),
    )


def _found(facts: MtaSts) -> str:
    rows = (facts.announced, facts.host, facts.reports)
    return "; ".join(f"{one.name} {one.type}: {values(one) or _('not known')}" for one in rows)


def _fetched(facts: MtaSts) -> tuple[Evidence, ...]:
    if facts.page is None:
        return ()
    said = facts.page.trouble or " | ".join(facts.page.text.splitlines()[:12])
    return (Evidence(f"curl https://mta-sts.{facts.domain}{PATH}", said),)


CHECKS: tuple[Check, ...] = (
    Check(
        id="dns.mta-sts",
        title=_("TLS policy (MTA-STS)"),
        needed=_(
            "no MTA-STS at all, or an announcement in DNS and a policy over HTTPS that names this server"
        ),
        why=_(
            "Senders that obey MTA-STS do not deliver where the policy and the server do not fit together."
        ),
        doc=need.DOC_DNS,
        severity="advice",
        source=mta_sts,
        judge=judge_mta_sts,
        per="domain",
        network=True,
        deadline=16.0,
    ),
)
