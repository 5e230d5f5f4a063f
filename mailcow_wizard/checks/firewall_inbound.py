"""Judge of the ports as the world sees them: one result a port, green only with a proof from outside."""

from __future__ import annotations

from mailcow_wizard import requirements as need
from mailcow_wizard.checks.troubles import listed
from mailcow_wizard.facts.reached import STATES, PublicPort, Reached, Seen, reached
from mailcow_wizard.language import _, ngettext
from mailcow_wizard.model import Certainty, Check, Evidence, Judgement

DAYS_VALID = 7
"""Firewalls change: what was proved longer ago says how it was, and not how it is."""
_DAY_S, _HOUR_S, _MINUTE_S = 86_400, 3600, 60
_PROVE = _(
    "Prove it from outside: ./wizard reach (in the wizard: i), and paste the line that it "
    "shows on any other machine."
)
_ELSEWHERE = _("Ask from another line, of another provider: ./wizard reach")
_TO_BE_SURE = _(
    "Some lines, at work or in hotels, let few ports out: to be sure, ask from another line: ./wizard reach"
)
_FROM_V6 = _(
    "Ask from a machine that has IPv6, such as one at a telephone's hotspot: ./wizard "
    "reach. Without a need for IPv6: set ENABLE_IPV6=false in mailcow.conf, and publish no AAAA "
    "record."
)
_BEFORE = _("Let TCP port {} in: in the provider's firewall (its control panel) and in a router before it.")
_OWN_RULES = _(
    "See this machine's own rules: nft list ruleset, or iptables -S and ip6tables -S, or ufw status."
)
_HOLDER = _("See who has the port, and at which address: ./wizard check ports")
_VITAL = (25, 80, 443)
_SAID = {
    "never arrived": _("a connection from outside never arrived: a firewall before this machine stops it"),
    "refused on the way": _("a connection from outside was refused before it came to this machine"),
}
UNSURE = {
    "never arrived": _("a connection from outside never arrived: a firewall before this machine, or its own"),
    "refused on the way": _(
        "a connection from outside was refused, by this machine's own rules or before it"
    ),
}
"""What a state may mean where only the other machine says so."""
_LINE = _("the line that asked lets no port 25 out, or may not")
_OPEN = {
    "answered by something else": _("something else answered, before this machine or on the line that asked"),
    "open, and nothing is heard": _(
        "it opens, and nothing is heard, though the server there speaks first: something on the way takes "
        "connections in its place, or lets no answer through"
    ),
    "open, and not known whose it is": _(
        "it is open, but whether this server answered or somebody in between is not known"
    ),
    "not asked: no way from there": _("the machine that asked has none of it"),
    "not asked: that line lets no port 25 out": _LINE,
    "not asked: that line may let no port 25 out": _LINE,
    "asked from this network only": _("it was asked from this server's own network, which proves nothing"),
}


def judge_inbound(facts: Reached) -> tuple[Judgement, ...]:
    """One judgement for each port that the world must reach."""
    return tuple(_judge(one, facts)._replace(subject=str(one.number)) for one in facts.ports)


def _judge(port: PublicPort, facts: Reached) -> Judgement:
    seen = [facts.seen[port.number, one] for one in facts.families if (port.number, one) in facts.seen]
    return _judged(port, facts)._replace(
        needed=_("the world reaches port {port} ({service})", port=port.number, service=port.service),
        found="; ".join(_words(one, facts.now) for one in seen) or _("nobody has asked from outside yet"),
        severity="breaks" if port.number in _VITAL else "degrades",
        evidence=(
            Evidence(
                _("from elsewhere: {command}", command=f"nc -vz -w 5 SERVER {port.number}"), _states(seen)
            ),
        ),
    )


def _judged(port: PublicPort, facts: Reached) -> Judgement:
    """The worst of what is known of each family leads; what is not proved of one is not proved at all."""
    good: list[Seen] = []
    blocked: list[Seen] = []
    unproved: list[tuple[int, str, tuple[str, ...]]] = []
    for family in facts.families:
        one = facts.seen.get((port.number, family))
        reason = _no_longer(one, facts) if one else _("nobody has asked from outside yet")
        if one is None or reason:
            unproved.append((family, reason, (_PROVE,)))
        elif one.state == "arrived":
            good.append(one)
        elif one.state in (*_SAID, "closed here"):
            blocked.append(one)
        else:
            unproved.append((family, *_undecided(one, facts)))
    if blocked:
        return _blocked(port, blocked, facts.now)
    if unproved:
        return _unproved(port, good, unproved, facts)
    return _reached(port, good, facts)


def _no_longer(one: Seen, facts: Reached) -> str:
    """Why something that was seen once counts no more; empty where it does."""
    age = facts.now - one.at
    if age < -_DAY_S:
        return _("the last proof is from the future: one of the clocks was wrong")
    if age > DAYS_VALID * _DAY_S:
        return _("the last proof is {age} days old", age=int(age / _DAY_S))
    now = facts.addresses.get(one.family, ())
    if one.address and now and one.address not in now:
        return _(
            "the last proof was for {address}, which is no longer this server's address", address=one.address
        )
    return ""


def _undecided(one: Seen, facts: Reached) -> tuple[str, tuple[str, ...]]:
    said = _OPEN.get(one.state, one.state)
    if one.said:
        said = _("{reason}: “{said}”", reason=said, said=one.said)
    if one.state == "not asked: no way from there" and one.family == 6 and len(facts.families) > 1:
        return said, (_FROM_V6,)
    return said, (_ELSEWHERE,)


def _unproved(
    port: PublicPort, good: list[Seen], rest: list[tuple[int, str, tuple[str, ...]]], facts: Reached
) -> Judgement:
    family, reason, remedies = rest[0]
    over = (
        _(" over IPv{family}", family=family)
        if len(facts.families) > 1 and len(rest) < len(facts.families)
        else ""
    )
    proved = (
        _("; over IPv{family} it was reached {when}", family=good[0].family, when=_when(good[0], facts.now))
        if good
        else ""
    )
    return Judgement(
        "unknown",
        _(
            "port {port}{over}: unverified, {reason}{proved}",
            port=port.number,
            over=over,
            reason=reason,
            proved=proved,
        ),
        remedies=remedies,
        certainty="untested",
    )


def _reached(port: PublicPort, good: list[Seen], facts: Reached) -> Judgement:
    over = listed([f"IPv{one.family}" for one in good])
    oldest = min(good, key=_at)
    peer = next((_(" from {peer}", peer=one.peer) for one in good if one.peer), "")
    certainty: Certainty = "inferred" if any(one.how == "told" for one in good) else "proved"
    summary = _(
        "port {port} was reached{peer} {when} ({over})",
        port=port.number,
        peer=peer,
        when=_when(oldest, facts.now),
        over=over,
    )
    if facts.served and any(one.how == "token" for one in good):
        # Docker leads packets past the rules that let them in to the wizard itself, and by others.
        summary += _("; mailcow did not have it then")
        return Judgement("pass", summary, certainty="inferred", remedies=(_PROVE,))
    return Judgement("pass", summary, certainty=certainty)


def _blocked(port: PublicPort, blocked: list[Seen], now: float) -> Judgement:
    """The first family that it fails in leads, with those that fail alike."""
    one = blocked[0]
    alike = [other for other in blocked if (other.state, other.how) == (one.state, one.how)]
    over, when = listed([f"IPv{other.family}" for other in alike]), _when(min(alike, key=_at), now)
    if one.state == "closed here":
        return Judgement(
            "fail",
            _(
                "port {port}: connections from outside come to this machine, which does not take them "
                "({over}, {when})",
                port=port.number,
                over=over,
                when=when,
            ),
            remedies=(_OWN_RULES, _HOLDER, _PROVE),
        )
    sure = one.how == "packet"
    said = _SAID[one.state] if sure else UNSURE[one.state]
    return Judgement(
        "fail",
        _("port {port}: {said} ({over}, {when})", port=port.number, said=said, over=over, when=when),
        remedies=(_BEFORE.format(port.number), *(() if sure else (_OWN_RULES,)), _TO_BE_SURE),
        certainty="inferred",
    )


def _at(one: Seen) -> float:
    return one.at


def _states(seen: list[Seen]) -> str:
    return listed([f"IPv{one.family} {STATES.get(one.state, one.state)}" for one in seen]) or _(
        "not asked yet"
    )


def _words(one: Seen, now: float) -> str:
    how = _(", as the other machine says") if one.how == "told" else ""
    said = f"IPv{one.family} {STATES.get(one.state, one.state)}"
    if one.peer:
        said = _("{state} from {peer}", state=said, peer=one.peer)
    return f"{said}{how}, {_when(one, now)}"


def _when(one: Seen, now: float) -> str:
    """How long ago, in the largest unit that fits."""
    age = max(0.0, now - one.at)
    if age >= _DAY_S:
        return ngettext("{n} day ago", "{n} days ago", int(age / _DAY_S))
    if age >= _HOUR_S:
        return ngettext("{n} hour ago", "{n} hours ago", int(age / _HOUR_S))
    if age >= _MINUTE_S:
        return ngettext("{n} minute ago", "{n} minutes ago", int(age / _MINUTE_S))
    return _("just now")


CHECKS: tuple[Check, ...] = (
    Check(
        id="firewall.inbound",
        title=_("Reached from outside"),
        needed=_("the world reaches each of mailcow's ports"),
        why=_(
            "A provider's firewall stands before this machine and cannot be seen from here. What "
            "it drops never arrives: set-up says all is well, and no mail comes."
        ),
        doc=need.DOC_FIREWALL,
        severity="breaks",
        source=reached,
        judge=judge_inbound,
    ),
)
