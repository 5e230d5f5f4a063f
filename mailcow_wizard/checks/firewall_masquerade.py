"""Judge of rules that hide who sent a packet (G10): to postfix strangers then look like neighbours."""

from __future__ import annotations

from mailcow_wizard import requirements as need
from mailcow_wizard.facts.firewall.rules import Place, program
from mailcow_wizard.facts.firewall.state import State, masks_everybody, may_mask, state
from mailcow_wizard.language import _
from mailcow_wizard.model import Check, Evidence, Judgement

_MOST = 3


def judge_masquerade(seen: State) -> Judgement:
    """Whether a stranger's packet comes to a container with this machine's address as its sender."""
    known = seen.entries
    hidden = [
        (one, place)
        for one in known.entries
        for end in (one.fate, one.later)
        if end and end.outcome == "through" and (place := end.masked_by)
    ]
    if hidden:
        first, place = hidden[0]
        now = first.taker == "container"
        words = (
            _(
                "{rule} hides who connects: postfix takes strangers for neighbours and relays their mail",
                rule=place.words,
            )
            if now
            else _(
                "{rule} hides who connects: postfix takes strangers for neighbours and will relay their mail",
                rule=place.words,
            )
        )
        return Judgement(
            "fail",
            words,
            _(
                "packets to port {first} come to the container from this machine's own address",
                first=first.number,
            ),
            (Evidence(place.command, place.words),),
            (
                _narrow(place),
                _(
                    "Leave mailcow's containers out: the rule must name the network whose packets it "
                    "is for, such as -s 10.8.0.0/24 for a VPN."
                ),
                _("Until then shut port 25, or stop postfix: docker compose stop postfix-mailcow"),
            ),
            certainty="inferred",
        )
    wide = masks_everybody(seen.rules)
    if known.unread:
        return Judgement("unknown", known.unread[0], certainty="untested")
    for end in (end for one in known.entries for end in (one.fate, one.later)):
        if end and end.outcome == "unknown" and (place := may_mask(seen.rules, end)):
            return _unsure(place, end.why)
    if wide:
        place = wide[0]
        return Judgement(
            "warn",
            _(
                "{words} names no sender; mail that comes in does not meet it as things are",
                words=place.words,
            ),
            "; ".join(one.words for one in wide[:_MOST]),
            tuple(Evidence(one.command, one.words) for one in wide[:_MOST]),
            (_narrow(place),),
            severity="advice",
            certainty="inferred",
        )
    words = _("no rule hides who connects to mailcow")
    evidence = (Evidence("iptables -t nat -S POSTROUTING", _("no rule without a sender")),)
    return Judgement("pass", words, words, evidence, certainty="inferred")


def _unsure(place: Place, why: str) -> Judgement:
    return Judgement(
        "unknown",
        _("whether {rule} hides who connects is not known: {why}", rule=place.words, why=why),
        evidence=(Evidence(place.command, place.words),),
        remedies=(_narrow(place),),
        certainty="untested",
    )


def _narrow(place: Place) -> str:
    """How to give a rule a sender."""
    rule, table = place.rule, place.chain.table
    if rule and table.owner != "nft":
        taken = _(
            "{program} -t nat {replace}", program=program(table), replace=rule.text.replace("-A ", "-D ", 1)
        )
        return _(
            "Give it the network that it is for: {taken}, then the same with -A and -s NETWORK; and where "
            "the rule is saved.",
            taken=taken,
        )
    return _(
        "Give it the network that it is for: `ip saddr NETWORK` before masquerade, in chain {chain}.",
        chain=place.chain.name,
    )


CHECKS: tuple[Check, ...] = (
    Check(
        id="firewall.masquerade",
        title=_("Masquerading"),
        needed=_("no rule gives packets that come in from outside this machine's address as their sender"),
        why=_(
            "postfix relays for mailcow's own network. Where every client seems to come from "
            "there, anybody can send spam through this server: an open relay."
        ),
        doc=need.DOC_ISSUE.format(1775),
        severity="breaks",
        source=state,
        judge=judge_masquerade,
        deadline=20.0,
    ),
)
