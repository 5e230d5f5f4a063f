"""Judges of the server's reputation: blocklists, and the network that it is in."""

from __future__ import annotations

from mailcow_wizard import requirements_dns as need
from mailcow_wizard.checks.by_clock import see_the_clock
from mailcow_wizard.checks.dns_states import unseen
from mailcow_wizard.checks.troubles import word
from mailcow_wizard.facts.reputation import Opinion, Reputation, Subject, kind, reputation, words
from mailcow_wizard.facts.reputation_asn import AsnAnswer, asn
from mailcow_wizard.language import _, heard, ngettext
from mailcow_wizard.model import Check, Evidence, Judgement, Severity, Status

_WEIGHTS: dict[str, tuple[Status, Severity]] = {
    "refuses": ("fail", "breaks"),
    "counts": ("warn", "degrades"),
    "advice": ("warn", "advice"),
}
# Without the first of a kind nothing that the others say is much of a comfort.
_LEADING = ("zen.spamhaus.org", "dbl.spamhaus.org")
_MOST_NAMED = 3
_FIRST_OF_NAME = _(
    "Find out first what sent spam in its name, or whose it was before: what sends on is listed again."
)
_FIRST = _("Find out first what sent spam, or who had this address before: what sends on is listed again.")
_NEEDLESS = _("Nothing needs to be done: hardly anybody refuses mail because of this list alone.")


def judge_blocklists(facts: Reputation) -> tuple[Judgement, ...]:
    """Each address, the name and each mail domain, on no list."""
    found = [_subject(facts, one) for one in facts.subjects]
    if not facts.server.addresses:
        trouble = facts.server.v4.trouble or facts.server.v6.trouble
        unknown = Judgement(
            "unknown",
            _(
                "no public address of this server is known, so blocklists could not be asked: {trouble}",
                trouble=trouble,
            ),
            certainty="untested",
            remedies=(_("Say it with --address, then run this check again."),),
        )
        found.insert(0, unknown)
        return tuple(found)
    return (*found, *(unseen(one) for one in facts.server.untold))


def _subject(facts: Reputation, one: Subject) -> Judgement:
    listed = [opinion for opinion in one.opinions if opinion.state == "listed"]
    listed.sort(key=lambda opinion: list(_WEIGHTS).index(opinion.list.weight))
    clean = [opinion for opinion in one.opinions if opinion.state == "clean"]
    mute = [opinion for opinion in one.opinions if opinion.state not in ("listed", "clean")]
    common = Judgement(
        "pass",
        _("{subject} is {nowhere}", subject=one.subject, nowhere=_nowhere(clean)),
        found=_found(facts, listed, clean, mute),
        evidence=_evidence(listed, one.opinions),
        certainty="proved" if len(clean) >= len(mute) else "inferred",
        subject=one.subject,
    )
    if listed:
        return _listed(common, one.subject, listed)
    leading = next((opinion for opinion in mute if opinion.list.zone in _LEADING), None)
    if not clean and not leading:
        leading = next(iter(mute), None)
    if leading:
        return _unknown(common, one.subject, leading, clean)
    return common


def _listed(common: Judgement, subject: str, listed: list[Opinion]) -> Judgement:
    status, severity = _WEIGHTS[listed[0].list.weight]
    named = ", ".join(_named(opinion) for opinion in listed[:_MOST_NAMED])
    rest = len(listed) - _MOST_NAMED
    more = _(" and {rest} more", rest=rest) if rest > 0 else ""
    by_hand = tuple(
        _(
            "Ask {list} for removal of {subject}: {removal}",
            list=opinion.list.name,
            subject=subject,
            removal=opinion.list.removal,
        )
        for opinion in listed
    )
    about = _FIRST_OF_NAME if kind(subject) == "n" else _FIRST
    first = about if status == "fail" or severity != "advice" else _NEEDLESS
    return common._replace(
        status=status,
        severity=severity,
        summary=_(
            "{subject} is on {lists}: {named}{more}",
            subject=subject,
            lists=_lists(len(listed)),
            named=named,
            more=more,
        ),
        certainty="proved",
        remedies=(first, *by_hand),
    )


def _named(opinion: Opinion) -> str:
    said = words(opinion.list, opinion.codes)
    return f"{opinion.list.name} ({said})" if said else opinion.list.name


def _unknown(common: Judgement, subject: str, leading: Opinion, clean: list[Opinion]) -> Judgement:
    """The list that matters most is blind: the others are no proof."""
    others = _("; besides, it is {nowhere}", nowhere=_nowhere(clean)) if clean else ""
    refused = leading.state == "refused"
    return common._replace(
        status="unknown",
        summary=_(
            "whether {subject} is on {list} could not be found out: {why}{others}",
            subject=subject,
            list=leading.list.name,
            why=heard(leading.why),
            others=others,
        ),
        certainty="untested",
        remedies=(
            *(
                (_("If reputation.asn warns too: set {key} in mailcow.conf.", key=need.DQS_KEY),)
                if refused and "spamhaus" in leading.list.zone
                else ()
            ),
            _("Look it up in a browser: {removal}", removal=leading.list.removal),
        ),
    )


def _nowhere(clean: list[Opinion]) -> str:
    """The lists that do not have it, in few words."""
    return (
        _("not on {list}", list=clean[0].list.name)
        if len(clean) == 1
        else _("on none of {number} blocklists", number=len(clean))
    )


def _lists(count: int) -> str:
    return ngettext("1 blocklist", "{n} blocklists", count)


def _found(facts: Reputation, listed: list[Opinion], clean: list[Opinion], mute: list[Opinion]) -> str:
    parts = [f"{one.list.zone}: {', '.join(one.codes)}" for one in listed]
    if facts.open_resolvers:
        parts.append(
            _(
                "this machine's resolver ({resolver}) is public, and lists refuse such; they "
                "were asked directly",
                resolver=facts.open_resolvers[0],
            )
        )
    parts.append(_("not on {clean}", clean=", ".join(one.list.zone for one in clean)) if clean else "")
    by_reason: dict[str, list[str]] = {}
    for one in mute:
        by_reason.setdefault(one.why, []).append(one.list.zone)
    parts += [f"{', '.join(zones)}: {why}" for why, zones in by_reason.items()]
    return "; ".join(part for part in parts if part)


def _evidence(listed: list[Opinion], every: tuple[Opinion, ...]) -> tuple[Evidence, ...]:
    """How to ask by hand: the lists that have it, else the one that matters most."""
    shown = listed[:_MOST_NAMED] or [one for one in every if one.list.zone in _LEADING][:1]
    return tuple(
        Evidence(
            f"dig +short {one.asked} A{f' @{one.server}' if one.server else ''}",
            ", ".join(one.codes) or one.why or "nothing",
        )
        for one in shown
    )


def judge_asn(facts: AsnAnswer) -> Judgement:
    """Spamhaus answers servers of this network, or a key makes it answer."""
    place = f"https://{need.ASN_CHECK}"
    common = Judgement(
        "pass",
        _("Spamhaus answers servers in this network"),
        found=_("{host} answers {status}", host=need.ASN_CHECK, status=facts.status) if facts.status else "",
        evidence=(
            Evidence(f"curl -so /dev/null -w '%{{http_code}}' {place}", str(facts.status or facts.trouble)),
        ),
        certainty="inferred",
    )
    if facts.has_key:
        return common._replace(
            status="skipped",
            summary=_("skipped: {key} is set, so Spamhaus answers whatever the network", key=need.DQS_KEY),
            found="",
            evidence=(),
            certainty="untested",
        )
    if facts.forwards:
        named = ", ".join(facts.forwards[:3])
        return common._replace(
            status="warn",
            summary=_(
                "mailcow's unbound hands on all questions to {resolvers}, which Spamhaus refuses",
                resolvers=named,
            ),
            found=_("{place} forwards to {resolvers}", place=facts.place, resolvers=named),
            evidence=(Evidence(f"grep -A9 forward-zone {word(facts.place)}", named),),
            remedies=(
                _(
                    "Where name servers can be asked from here (`check network.recursion`): take the "
                    "forward-zone out of {place}, then `docker compose restart unbound-mailcow`.",
                    place=facts.place,
                ),
                _(
                    "Else hand on to a resolver of your own or your provider's, or set {key}.",
                    key=need.DQS_KEY,
                ),
            ),
        )
    if facts.status == need.ASN_FINE:
        return common
    if facts.status == need.ASN_BLOCKED:
        return common._replace(
            status="warn",
            summary=_("Spamhaus does not answer servers in this network; mailcow filters without its lists"),
            remedies=(
                _("Get a free key for Spamhaus' Data Query Service: {page}", page=need.DQS_PAGE),
                _("Then set {key} in mailcow.conf to it.", key=need.DQS_KEY),
            ),
        )
    why = facts.trouble or _("{host} answers {status}", host=need.ASN_CHECK, status=facts.status)
    if facts.status == need.ASN_TOO_OFTEN:
        why = _("{host} was asked too often from here", host=need.ASN_CHECK)
    return common._replace(
        status="unknown",
        summary=_("whether Spamhaus answers servers in this network could not be found out: {why}", why=why),
        certainty="untested",
        remedies=(*see_the_clock(facts.trouble), _("Run this check again later.")),
    )


CHECKS: tuple[Check, ...] = (
    Check(
        id="reputation.blocklists",
        title=_("Blocklists"),
        needed=_("the server's addresses, its name and its mail domains are on no blocklist"),
        why=_(
            "Many mail servers refuse mail from listed addresses, or with a listed domain in it, or take it "
            "for spam."
        ),
        doc=need.DOC_BLOCKLISTS,
        severity="breaks",
        source=reputation,
        judge=judge_blocklists,
        network=True,
        deadline=14.0,
    ),
    Check(
        id="reputation.asn",
        title=_("Network (Spamhaus)"),
        needed=_("Spamhaus answers this network, or {key} is set in mailcow.conf", key=need.DQS_KEY),
        why=_("mailcow leaves out Spamhaus' lists where the network is blocked, and more spam gets in."),
        doc=need.DOC_ASN,
        severity="degrades",
        source=asn,
        judge=judge_asn,
        network=True,
        deadline=10.0,
    ),
)
