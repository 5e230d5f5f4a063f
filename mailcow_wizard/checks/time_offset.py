"""Judges how far off the clock is, by what time servers answered."""

from mailcow_wizard import requirements as need
from mailcow_wizard.facts.time_answers import (
    NAMELESS,
    ClockOffset,
    Server,
    groups,
    join_groups,
    median,
    voters,
)
from mailcow_wizard.facts.time_web import DOUBT_S, agreed
from mailcow_wizard.facts.time_words import span, stand, stand_of
from mailcow_wizard.language import _, heard, ngettext
from mailcow_wizard.model import Certainty, Evidence, Judgement, Status


def judge_offset(clock: ClockOffset) -> Judgement:
    """The median of the largest group of servers that agree, against both figures."""
    evidence = tuple(map(_server_line, clock.servers))
    counted = voters(clock.servers)
    if not counted:
        return _nobody_answered(clock, evidence)
    tied = clock.tied
    if tied and len({_status(median(one.ahead for one in group)) for group in groups(counted)}) == 1:
        clock = join_groups(clock)
    if clock.tied:
        return Judgement(
            "unknown",
            _(
                "the {number} time servers that answered disagree, and no group of them is larger",
                number=len(counted),
            ),
            ", ".join(stand(one.ahead) for one in counted),
            evidence,
            (_("Ask more servers, or ones that you trust: --ntp HOST, once for each."),),
            certainty="untested",
        )
    number = len(clock.agreeing)
    whom = ngettext("one time server, {name}", "{n} time servers", number, name=clock.agreeing[0].name)
    others = len(counted) - number
    aside = (
        ngettext("; {n} other says something else", "; {n} others say something else", others)
        if others
        else ""
    )
    found, doubt = stand(clock.ahead), _doubt(clock)
    if _leaves_open(abs(clock.ahead), doubt):
        return Judgement(
            "unknown",
            _(
                "the clock is {offset} {whom}, give or take {span}: too long a way",
                offset=stand_of(clock.ahead),
                whom=whom,
                span=span(doubt),
            ),
            found,
            evidence,
            (_ASK_OTHERS,),
            certainty="untested",
        )
    sure = number > 1 and number * 2 > len(counted) and not tied
    certainty: Certainty = "proved" if sure and not _reaches_over(abs(clock.ahead), doubt) else "inferred"
    status = _status(clock.ahead)
    if status == "pass":
        summary = _(
            "the clock is within {span} of {whom}{aside}", span=span(abs(clock.ahead)), whom=whom, aside=aside
        )
        return Judgement("pass", summary, found, evidence, certainty=certainty)
    summary = _("the clock is {offset} {whom}{aside}", offset=stand_of(clock.ahead), whom=whom, aside=aside)
    by_hand = (_NAMELESS, _BY_HAND) if clock.nameless else ()
    return Judgement(
        status,
        summary,
        found,
        evidence,
        (
            *by_hand,
            _(
                "Set it once, through the service that keeps it: `chronyc makestep` with chrony, "
                "`systemctl restart systemd-timesyncd` with systemd-timesyncd."
            ),
            _('Where no service keeps it, see "Synchronisation" first.'),
        ),
        certainty=certainty,
        severity="breaks" if status == "fail" else "degrades",
    )


def _status(ahead: float) -> Status:
    """The verdict on an offset that is exactly this."""
    return "pass" if abs(ahead) <= need.TIME_WARN_S else "warn" if abs(ahead) <= need.TIME_FAIL_S else "fail"


def _doubt(clock: ClockOffset) -> float:
    """By how much the median may be wrong: the servers' own error, or how far apart they are."""
    apart = max(abs(one.ahead - clock.ahead) for one in clock.agreeing)
    return max(apart, median(one.doubt for one in clock.agreeing))


def _reaches_over(off: float, doubt: float) -> bool:
    """Whether the true offset may lie on another figure's side."""
    return any(off - doubt <= figure < off + doubt for figure in (need.TIME_WARN_S, need.TIME_FAIL_S))


def _leaves_open(off: float, doubt: float) -> bool:
    """Whether the way is so long that neither green nor red would be honest.

    A red verdict needs the whole error on its side. A green one, half of it: the way there and the way back
    of the packets would have to differ by more than half of their time to make it wrong.
    """
    if doubt < need.TIME_WARN_S / 2:
        return False
    if off <= need.TIME_WARN_S:
        return off + doubt / 2 > need.TIME_WARN_S
    return off - doubt <= need.TIME_WARN_S


def _nobody_answered(clock: ClockOffset, evidence: tuple[Evidence, ...]) -> Judgement:
    """No time server's word counts: says what is in the way, where that can be seen, and what web servers say
    of the time."""
    servers = clock.servers
    reasons: dict[str, int] = {}
    for server in servers:
        reasons[server.rejected] = reasons.get(server.rejected, 0) + 1
    ordered = sorted(reasons, key=lambda reason: -reasons[reason])
    said = ", ".join(
        _("{reason} ({number} servers)", reason=heard(reason), number=reasons[reason])
        if reasons[reason] > 1
        else heard(reason)
        for reason in ordered
    )
    answered = any(server.answered for server in servers)
    start = _("no time server gave an answer that counts") if answered else _("no time server answered")
    silent = Judgement(
        "unknown",
        f"{start}: {said}" if said else _("no time server is known"),
        said,
        evidence + tuple(Evidence(f"curl -sI http://{one.name}", f"Date: {one.said}") for one in clock.web),
        tuple(dict.fromkeys(_remedy(reason) for reason in ordered)) or (_ASK_OTHERS,),
        certainty="untested",
    )
    return _by_web_servers(silent, agreed(clock.web))


def _by_web_servers(silent: Judgement, ahead: float | None) -> Judgement:
    """What they say is red where it is far off, and never green: it is too coarse for that."""
    if ahead is None:
        return silent
    least = abs(ahead) - DOUBT_S
    if least <= need.TIME_WARN_S:
        return silent._replace(
            summary=_(
                "{said}; web servers have the time that this clock has, within seconds", said=silent.summary
            )
        )
    status = _status(least)
    return silent._replace(
        status=status,
        summary=_(
            "the clock is some {offset} web servers; {said}", offset=stand_of(ahead), said=silent.summary
        ),
        found=stand(ahead),
        remedies=(_BY_HAND, *silent.remedies),
        certainty="inferred",
        severity="breaks" if status == "fail" else "degrades",
    )


_NAMELESS = _(
    "This machine's own resolver does not find the time servers, so no service can set it; and a resolver "
    "that checks signatures (DNSSEC) finds nothing while the clock is far off."
)
_BY_HAND = _("Set it by hand: `date -u -s '2027-12-31 23:59:59'`, with the true time in UTC. Then:")
_ASK_OTHERS = _("Ask a server that you trust: --ntp HOST. Many providers run one inside their own network.")


def _remedy(reason: str) -> str:
    """What mends one reason for having no answer."""
    if reason.startswith(NAMELESS):
        return _(
            "The names of the time servers do not resolve: mend the resolver first "
            "(/etc/resolv.conf), or give an address: --ntp 192.0.2.1."
        )
    if "firewall" in reason or "EACCES" in reason:
        return _(
            "A rule on this machine stops the question. See `nft list ruleset` and `iptables -S "
            "OUTPUT`, and allow UDP to port 123."
        )
    if reason.startswith("no answer"):
        return _(
            "Something on the way drops UDP port 123, or the answers: look at the provider's "
            "firewall, or ask the provider's own time servers: --ntp HOST."
        )
    if reason == "no route":
        return _("There is no route to the server: see `ip route` and `ip -6 route`.")
    return _ASK_OTHERS


def _server_line(server: Server) -> Evidence:
    """One server: how to ask it by hand, and what it said."""
    what = f"ntpdate -q {server.address}" if server.address else f"getent ahosts {server.name}"
    who = f"{server.name}: " if server.address not in ("", server.name) else ""
    if server.rejected:
        return Evidence(what, f"{who}{heard(server.rejected)}")
    return Evidence(
        what,
        _(
            "{who}this clock is {stand}; {stratum} steps from a reference clock (stratum)",
            who=who,
            stand=stand(server.ahead),
            stratum=server.stratum,
        ),
    )
