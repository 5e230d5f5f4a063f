"""Judge of SPF: may the server send mail for its domains, and may nobody else?"""

from __future__ import annotations

from mailcow_wizard import requirements_dns as need
from mailcow_wizard.checks.dns_states import Record, judged, unseen
from mailcow_wizard.facts.dns.spf import Opinion, Spf, spf, texts
from mailcow_wizard.facts.dns.spf_check import MOST_LOOKUPS, MOST_VOID, Verdict, policies
from mailcow_wizard.facts.dns.state import state
from mailcow_wizard.facts.dns.state import texts as all_texts
from mailcow_wizard.language import _
from mailcow_wizard.model import Check, Judgement

VALUE = "v=spf1 mx a -all"
_REFUSED = {
    "fail": _("is refused"),
    "softfail": _("is suspicious (~)"),
    "neutral": _("is of unknown origin"),
    "none": _("is of unknown origin"),
}
_NAME_FIRST = _(
    "First the mail exchanger and the server's own address records (`check dns.mx dns.a dns.aaaa`): once "
    "they are right, this record lets it send, and need not change."
)


def judge_spf(facts: tuple[Spf, ...]) -> tuple[Judgement, ...]:
    """Exactly one record for each domain that lets every address of the server send, and not everybody."""
    return tuple(_spf(one) for one in facts)


def _spf(facts: Spf) -> Judgement:
    domain, seen = facts.domain, facts.seen
    record = Record(_("the SPF record of {domain}", domain=domain), f'{domain}. TXT "{VALUE}"', "recommended")
    found = state(seen, lambda values: _is_right(facts, policies(values)))
    own = texts(seen)
    opinion = next((facts.opinions[one] for one in own if _is_right(facts, (one,))), None)
    judgement = judged(record, seen, found, _right(domain, opinion), domain)
    if found.kind == "could not ask":
        return judgement
    judgement = judgement._replace(found="; ".join(own) or _("no SPF record"))
    if found.kind == "not everywhere yet" or (found.holds and judgement.status != "pass"):
        return judgement
    meant = next((one for one in all_texts(seen) if "spf1" in one.lower()), "")
    if not own and meant:
        return judgement._replace(
            status="warn",
            found=meant,
            summary=_(
                "the SPF record of {domain} is ignored: it must begin with v=spf1 and a space", domain=domain
            ),
            remedies=(
                _(
                    "Correct the TXT record of {domain}, without quotation marks inside; one that is right: "
                    "{value}",
                    domain=domain,
                    value=VALUE,
                ),
            ),
        )
    if not own:
        return judgement._replace(
            status="warn",
            summary=_("{domain} has no SPF record: nothing says who may send mail for it", domain=domain),
            remedies=(_("Publish: {line}", line=record.line),),
        )
    if len(own) > 1:
        return judgement._replace(
            status="fail",
            severity="breaks",
            summary=_(
                "{domain} has {number} SPF records, and must have one; receivers then take none",
                domain=domain,
                number=len(own),
            ),
            remedies=(
                _("Join them into one TXT record of {domain}: {joined}", domain=domain, joined=_joined(own)),
            ),
        )
    judgement = judgement._replace(found=_found(own[0], facts.opinions[own[0]]))
    trouble = _trouble(domain, facts.opinions[own[0]], own[0])
    if trouble:
        return trouble._replace(evidence=judgement.evidence, found=judgement.found)
    judgement = _advised(judgement, domain, facts.opinions[own[0]])
    if judgement.status == "pass" and facts.idle:
        return _not_yet(judgement, facts.idle)
    if judgement.status == "pass" and facts.unseen:
        return unseen(facts.unseen[0], domain)._replace(evidence=judgement.evidence, found=judgement.found)
    return judgement


def _not_yet(judgement: Judgement, idle: tuple[str, ...]) -> Judgement:
    """The same with addresses that it does not let send, and that no mail leaves with: IPv6 leads nowhere."""
    return judgement._replace(
        status="warn",
        severity="degrades",
        summary=_(
            "{said}, and not from {addresses}; no mail leaves with it as long as IPv6 leads nowhere",
            said=judgement.summary,
            addresses=_(" and ").join(idle),
        ),
        remedies=(
            _(
                'See "IPv6" first (`check network.ipv6`): where it is not to be used, the record need not '
                "name it."
            ),
        ),
    )


def _right(domain: str, opinion: Opinion | None) -> str:
    addresses = _(" and ").join(address for address, _unused in opinion.own) if opinion else ""
    return _("{domain} lets mail from {addresses} through (SPF)", domain=domain, addresses=addresses)


def _is_right(facts: Spf, own: tuple[str, ...]) -> bool:
    """Whether a server's records let our mail through and say no to others."""
    if len(own) != 1 or own[0] not in facts.opinions:
        return False
    return not _trouble(facts.domain, facts.opinions[own[0]], own[0])


def _trouble(domain: str, opinion: Opinion, text: str) -> Judgement | None:
    """What is wrong with a record that stands alone; None where nothing is."""
    verdicts = [verdict for _unused, verdict in opinion.own] or list(opinion.strangers)
    broken = next((one for one in verdicts if one.result == "permerror"), None)
    if broken:
        return _fails(
            domain,
            _("the SPF record of {domain} is not valid: {why}", domain=domain, why=broken.why),
            _(
                "Correct the TXT record of {domain}; where nobody else sends for it, this is right: {value}",
                domain=domain,
                value=VALUE,
            ),
        )
    if any(one.result == "pass" for one in opinion.strangers):
        return _fails(
            domain,
            _(
                "the SPF record of {domain} lets everybody send mail in its name{by}",
                domain=domain,
                by=_by(opinion.strangers),
            ),
            _(
                "End the TXT record of {domain} with -all or ~all: {closed}",
                domain=domain,
                closed=_closed(text, opinion),
            ),
        )
    wide = next((one.wide for one in opinion.strangers if one.wide), "")
    if wide:
        return _fails(
            domain,
            _(
                "the SPF record of {domain} lets a large part of the internet send mail in its name "
                "('{term}'): nobody has so many addresses",
                domain=domain,
                term=wide,
            ),
            _(
                "Take that word out of the TXT record of {domain}: {closed}",
                domain=domain,
                closed=_closed(text, opinion),
            ),
        )
    refused = [(address, one) for address, one in opinion.own if one.result in _REFUSED]
    if refused:
        address, one = refused[0]
        by = _(" by '{term}'", term=one.term) if one.term else ""
        also = (
            _(" and from {number} more of its addresses", number=len(refused) - 1) if len(refused) > 1 else ""
        )
        addresses = [one for one, _unused in refused]
        return _fails(
            domain,
            _(
                "by the SPF record of {domain}, mail from {address}{also} {refused}{by}",
                domain=domain,
                address=address,
                also=also,
                refused=_REFUSED[one.result],
                by=by,
            ),
            *((_NAME_FIRST,) if {*addresses} <= {*opinion.behind} else ()),
            _(
                "Add this server to the TXT record of {domain}: {with_}",
                domain=domain,
                with_=_with(text, addresses),
            ),
        )
    unasked = next((one for one in verdicts if one.result == "temperror"), None)
    if unasked:
        return _unknown(
            domain,
            _(
                "whether {domain} lets this server send mail could not be found out: {why}",
                domain=domain,
                why=unasked.why,
            ),
        )
    open_ = next((one for one in opinion.strangers if one.result == "temperror"), None)
    if open_:
        return _unknown(
            domain,
            _(
                "{domain} lets mail from this server through; whether from everybody else too could not be "
                "found out: {why}",
                domain=domain,
                why=open_.why,
            ),
        )
    if not opinion.own:
        return Judgement(
            "unknown",
            _(
                "{domain} has a valid SPF record; the public address of this server is not known",
                domain=domain,
            ),
            certainty="untested",
            remedies=(_("Say it with --address, then run this check again."),),
            subject=domain,
        )
    return None


def _fails(domain: str, summary: str, *remedies: str) -> Judgement:
    return Judgement("fail", summary, severity="breaks", remedies=remedies, subject=domain)


def _unknown(domain: str, summary: str) -> Judgement:
    return Judgement(
        "unknown",
        summary,
        certainty="untested",
        remedies=(
            _("See whether the name is spelled right; if its servers only fail now, run this check later."),
        ),
        subject=domain,
    )


def _by(strangers: tuple[Verdict, ...]) -> str:
    term = next((one.term for one in strangers if one.result == "pass"), "")
    return f" ('{term}')" if term else ""


def _advised(judgement: Judgement, domain: str, opinion: Opinion) -> Judgement:
    """A record that lets our mail through; what it says of others may be weak."""
    broken = next((one for one in opinion.strangers if one.result == "permerror"), None)
    if broken:
        return judgement._replace(
            status="warn",
            summary=_(
                "our mail passes the SPF record of {domain}; for others it is not valid: {why}",
                domain=domain,
                why=broken.why,
            ),
            remedies=(
                _("Shorten the TXT record of {domain}: fewer include, a, mx, ptr and exists.", domain=domain)
                if broken.lookups > MOST_LOOKUPS or broken.void > MOST_VOID
                else _(
                    "Take what is not valid out of the TXT record of {domain}, or have its owner correct it.",
                    domain=domain,
                ),
            ),
        )
    weak = next((one for one in opinion.strangers if one.result == "neutral"), None)
    if weak:
        how = (
            _("it ends with {term}", term=weak.term)
            if weak.term
            else _("it has neither -all nor ~all at its end")
        )
        return judgement._replace(
            status="warn",
            severity="advice",
            summary=_(
                "the SPF record of {domain} says nothing about other senders: {how}", domain=domain, how=how
            ),
            remedies=(_("End the TXT record of {domain} with -all or ~all.", domain=domain),),
        )
    return judgement


def _found(text: str, opinion: Opinion) -> str:
    """The record, which word let each address through, and how many look-ups the whole of it needs."""
    parts = [text]
    parts += [
        _("{address}: {result} by {term}", address=address, result=one.result, term=one.term)
        if one.term
        else f"{address}: {one.result}"
        for address, one in opinion.own
    ]
    most = max(
        (one.lookups for one in (*opinion.strangers, *(one for _unused, one in opinion.own))), default=0
    )
    return "; ".join(
        [*parts, _("{most} of at most {most_lookups} look-ups", most=most, most_lookups=MOST_LOOKUPS)]
    )


def _closed(text: str, opinion: Opinion) -> str:
    """The record with another last word, without the words that let everybody through, and with one that lets
    this server through. A redirect would not count any more beside all (RFC 7208, 6.1)."""
    out = {"all", "+all", "?all", "-all", "~all"}
    out |= {one.term.lower() for one in opinion.strangers if one.result == "pass"}
    out |= {one.wide.lower() for one in opinion.strangers if one.wide}
    first, *rest = text.split(" ")
    words = [one for one in rest if one.lower() not in out and not one.lower().startswith("redirect=")]
    left = {one.lower() for one in words}
    ours = all(one.result == "pass" and one.term.lower() in left for _unused, one in opinion.own)
    added = [] if ours or left & {"mx", "+mx"} else ["mx"]
    return " ".join([first, *added, *words, "-all"])


def _with(text: str, addresses: list[str]) -> str:
    """The record with these addresses added in front, where words that refuse do not come first."""
    first, _unused, rest = text.partition(" ")
    added = [f"{'ip6' if ':' in one else 'ip4'}:{one}" for one in addresses]
    return " ".join(one for one in (first, *added, rest.strip()) if one)


def _included(word: str) -> str:
    name, equals, domain = word.partition("=")
    return f"include:{domain}" if equals and name.lower() == "redirect" else word


def _joined(own: tuple[str, ...]) -> str:
    """Two records as one: all their words, each once, and one all at the end, the weaker of those that close
    the record. What a record redirects to is included, for a redirect does not count beside all."""
    words = dict.fromkeys(_included(word) for text in own for word in text.split(" ")[1:] if word)
    ends = [one for one in words if one.lower().lstrip("+-~?") == "all"]
    kept = [one for one in words if one not in ends]
    end = "~all" if any(one.startswith(("~", "?")) for one in ends) else "-all"
    return " ".join(["v=spf1", *kept, end])


CHECKS: tuple[Check, ...] = (
    Check(
        id="dns.spf",
        title=_("Senders (SPF)"),
        needed=_(
            "exactly one SPF record for each mail domain; it lets every address of this server "
            "send, and not everybody; at most 10 look-ups"
        ),
        why=_("Receivers refuse or distrust mail from an address that the domain does not name."),
        doc=need.DOC_DNS,
        severity="degrades",
        source=spf,
        judge=judge_spf,
        per="domain",
        network=True,
        deadline=14.0,
    ),
)
