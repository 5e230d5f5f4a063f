"""Judge of DMARC: what receivers shall do with mail that pretends to come from a domain."""

from __future__ import annotations

from collections.abc import Mapping

from mailcow_wizard import requirements_dns as need
from mailcow_wizard.checks.dns_states import Record, judged
from mailcow_wizard.facts.dns.dmarc import VERSION, Dmarc, dmarc, mistakes, policies
from mailcow_wizard.facts.dns.expected import right_policy
from mailcow_wizard.facts.dns.state import at_once, state, texts
from mailcow_wizard.facts.dns.tags import tags
from mailcow_wizard.language import _
from mailcow_wizard.model import Check, Judgement
from mailcow_wizard.numerals import whole


def judge_dmarc(facts: tuple[Dmarc, ...]) -> tuple[Judgement, ...]:
    """Exactly one policy for each domain, valid, whose receivers of reports agree."""
    return tuple(_dmarc(one) for one in facts)


def _dmarc(facts: Dmarc) -> Judgement:
    domain, seen = facts.domain, facts.seen
    line = f'_dmarc.{domain}. TXT "v=DMARC1; p=quarantine; rua=mailto:postmaster@{domain}"'
    record = Record(_("the DMARC policy of {domain}", domain=domain), line, "recommended")
    found = state(seen, right_policy)
    own = at_once(seen, policies)
    judgement = judged(
        record,
        seen,
        found,
        _("{domain} asks receivers to {words}", domain=domain, words=_words(tags(own[0]) if own else {})),
        domain,
    )
    if judgement.status == "pass":
        return _receivers(judgement, facts)
    if found.kind in ("missing", "wrong") and not own and facts.inherited.domain:
        return _inherited(judgement, facts)
    if found.kind == "wrong" and not own:
        meant = next((one for one in texts(seen) if VERSION.lower() in one.lower()), "")
        if meant:
            return judgement._replace(
                summary=_(
                    "the text at _dmarc.{domain} is ignored: it must begin with v={version}; just so",
                    domain=domain,
                    version=VERSION,
                ),
                found=meant,
            )
        return judgement._replace(
            summary=_("{domain} has no DMARC policy; the text at _dmarc is another", domain=domain)
        )
    if found.kind == "wrong":
        return _invalid(judgement, domain, own)
    return judgement


def _invalid(judgement: Judgement, domain: str, own: tuple[str, ...]) -> Judgement:
    """Several policies, or one that is none."""
    if len(own) > 1:
        return judgement._replace(
            status="warn",
            summary=_(
                "{domain} has {number} DMARC policies; receivers then take none",
                domain=domain,
                number=len(own),
            ),
            remedies=(_("Keep one of the TXT records of _dmarc.{domain}.", domain=domain),),
        )
    return judgement._replace(
        status="warn",
        summary=_(
            "the DMARC policy of {domain} is not valid: {mistakes}",
            domain=domain,
            mistakes="; ".join(mistakes(own[0])),
        ),
    )


def _inherited(judgement: Judgement, facts: Dmarc) -> Judgement:
    """A domain without a policy of its own: what the one above says, if that could be asked, holds."""
    above = facts.inherited
    if above.trouble:
        return judgement._replace(
            status="unknown",
            summary=_(
                "{words} could not be asked: {trouble}",
                words=_("the DMARC policy of {domain}", domain=above.domain),
                trouble=above.trouble,
            ),
            certainty="untested",
        )
    judgement = judgement._replace(certainty="inferred")
    if not right_policy(above.policies):
        return _invalid(judgement, above.domain, above.policies)
    if above.found_by == "few":
        return judgement._replace(
            status="warn",
            summary=_(
                "{domain} has no DMARC policy of its own, and few receivers look for that of {inherited}",
                domain=facts.domain,
                inherited=above.domain,
            ),
        )
    return judgement._replace(
        status="pass",
        summary=_(
            "{domain} has no DMARC policy of its own; that of {inherited} holds",
            domain=facts.domain,
            inherited=above.domain,
        ),
        remedies=(),
    )


def _words(known: Mapping[str, str]) -> str:
    """What is asked of receivers. Of none of the mail (pct=0), and on trial (t=y of RFC 7489's successor), a
    policy is weaker by one step."""
    policy, share = known.get("p", "").lower(), whole(known.get("pct", "100"), 100)
    trial = known.get("t", "").lower() == "y"
    if policy in ("quarantine", "reject") and (trial or share < 100):
        said = f"p={policy}; t=y" if trial else f"p={policy}; pct={share}"
        if share and not trial and policy == "reject":
            return _("refuse {share} % of forged mail ({said})", share=share, said=said)
        if share and not trial:
            return _("treat {share} % of forged mail as spam ({said})", share=share, said=said)
        if policy == "reject":
            return _("treat forged mail as spam, and not to refuse it yet ({said})", said=said)
        return _("let forged mail pass, and only report it ({said})", said=said)
    return {
        "none": _("let forged mail pass, and only report it (p=none)"),
        "quarantine": _("treat forged mail as spam (p=quarantine)"),
        "reject": _("refuse forged mail (p=reject)"),
    }.get(policy, "")


def _receivers(judgement: Judgement, facts: Dmarc) -> Judgement:
    """Reports to another domain are sent only where that one agrees."""
    refused = [one.domain for one in facts.receivers if one.agrees is False]
    silent = [one.domain for one in facts.receivers if one.agrees is None]
    if not refused and silent and judgement.status == "pass":
        return judgement._replace(
            status="unknown",
            severity="advice",
            summary=_(
                "{summary}; whether {receiver} has agreed to receive reports could not be asked",
                summary=judgement.summary,
                receiver=silent[0],
            ),
            certainty="untested",
            remedies=(_("Run this check again."),),
        )
    if not refused:
        return judgement
    return judgement._replace(
        status="warn",
        severity="advice",
        summary=_(
            "reports about {domain} go to {refused}, which has not agreed to receive them",
            domain=facts.domain,
            refused=refused[0],
        ),
        remedies=tuple(
            _(
                'Ask {value} to publish: {domain}._report._dmarc.{value}. TXT "v=DMARC1"',
                value=one,
                domain=facts.domain,
            )
            for one in refused
        ),
    )


CHECKS: tuple[Check, ...] = (
    Check(
        id="dns.dmarc",
        title=_("Forged mail (DMARC)"),
        needed=_("exactly one valid DMARC policy for each mail domain"),
        why=_("Large receivers want one (Google, Yahoo), and it keeps others from writing in your name."),
        doc=need.DOC_DNS,
        severity="degrades",
        source=dmarc,
        judge=judge_dmarc,
        per="domain",
        network=True,
        deadline=14.0,
    ),
)
