"""Judges of what mailcow's resolver needs: name servers that can be asked from here."""

from __future__ import annotations

from mailcow_wizard import requirements_network as need
from mailcow_wizard.checks.network_echoes import judge_echoes as judge_echoes
from mailcow_wizard.checks.network_ways import allowing, inner_words, only_own, rules_shown
from mailcow_wizard.checks.troubles import listed
from mailcow_wizard.facts.network.echoes import echoes
from mailcow_wizard.facts.network.roots import Heard, Roots, roots
from mailcow_wizard.host.replies import Probe
from mailcow_wizard.language import _, heard
from mailcow_wizard.model import Check, Evidence, Judgement

_STATELESS = _(
    "If a firewall that keeps no states stands before this machine (such as Hetzner's for "
    "dedicated servers), let answers in: UDP from source port 53 to ports 1024-65535, and TCP "
    "with flag ack from source port 53 to ports 1024-65535."
)
_UNHEALTHY = _(
    "mailcow's own resolver (unbound) asks name servers by itself. Its healthcheck looks up "
    "{names} that way every 30 s and will most likely fail: postfix, acme, clamd and "
    "others wait for it, and mailcow does not start.",
    names=", ".join(need.HEALTHCHECK_NAMES),
)
_ANY_HOST = _("Let UDP and TCP port 53 out to any host, not only to the provider's resolvers.")


def judge_roots(asked: tuple[Roots, ...]) -> tuple[Judgement, ...]:
    """One judgement for each family."""
    return tuple(_judge(one)._replace(subject=f"v{one.family}") for one in asked)


def _judge(asked: Roots) -> Judgement:
    if not asked.present:
        if asked.family == 6:
            return Judgement("skipped", _("skipped: this machine has no IPv6"), certainty="untested")
        return Judgement(
            "fail",
            _("this machine has no way out over IPv4"),
            remedies=(_("See the routes: `ip route`."),),
            stops="here",
        )
    common = Judgement("pass", "", found=_found(asked), evidence=_evidence(asked))
    # A root server speaks for the root itself, and never refuses to: whoever does not is none.
    foreign = [one for one in asked.heard if one.size and not one.own]
    if foreign:
        return _intercepted(common, foreign)
    large, small, stream = asked.of("udp", True), asked.of("udp", False), asked.of("tcp")
    udp, tcp = [one for one in large if one.own], [one for one in stream if one.own]
    held = _inside(asked)
    if udp and tcp and (held is None or held.container is None or asked.family == 6):
        return _reached(common, asked, udp, tcp)
    if udp and tcp and held and held.container:
        unknown = held.container.outcome == "unknown"
        return common._replace(
            status="unknown" if unknown else "fail",
            stops="here",
            why=_UNHEALTHY,
            summary=_(
                "root servers answer this machine, but {inner_words}", inner_words=inner_words(held.container)
            ),
            remedies=(allowing(held.container, _probe(held)),),
            certainty="untested" if unknown else "inferred",
        )
    judged = common._replace(
        why=_UNHEALTHY if asked.family == 4 else None,
        # IPv4 alone is enough for a resolver; it is only slower where IPv6 is tried first.
        status="fail" if asked.family == 4 else "warn",
        stops="here" if _here(asked) else "way",
        severity="blocks" if asked.family == 4 and not udp else "breaks" if asked.family == 4 else "degrades",
    )
    blocked = _here(asked)
    if blocked:
        remedies = tuple(allowing(one.met, _probe(one)) for one in asked.heard if one.met and one.met.stops)
        if only_own([(one.met, one.container) for one in asked.heard if not one.size]):
            return common._replace(
                status="warn",
                stops="here",
                severity="degrades",
                summary=_(
                    "this machine's own firewall stops its questions to name servers' port 53: {blocked}; "
                    "those of mailcow's containers pass other rules, which let them out",
                    blocked=blocked,
                ),
                remedies=remedies[:1],
                certainty="inferred",
            )
        return judged._replace(
            summary=_("this machine's own firewall stops name servers' port 53: {blocked}", blocked=blocked),
            remedies=remedies[:1],
        )
    if udp:
        return judged._replace(
            summary=_("root servers answer over UDP, but not over TCP: {error}", error=_error(stream)),
            remedies=(_("Let TCP port 53 out to any host: long answers come over it only."), _STATELESS),
        )
    if any(one.own for one in small):
        return judged._replace(
            summary=_("root servers answer, but long answers over UDP (more than 512 bytes) do not arrive"),
            remedies=(_("A firewall on the way drops them: let UDP datagrams from port 53 of any size in."),),
        )
    return _without_udp(judged, asked, bool(tcp))


def _without_udp(judged: Judgement, asked: Roots, tcp: bool) -> Judgement:
    also = (
        _("; this machine's own resolver works, which proves nothing for mailcow's") if asked.resolver else ""
    )
    if tcp:
        return judged._replace(
            summary=_("no root server's answer arrives over UDP, over TCP they do{also}", also=also),
            remedies=(_STATELESS, _ANY_HOST),
        )
    return judged._replace(
        summary=_(
            "no root server answers, over UDP or TCP: {error}{also}", error=_error(asked.heard), also=also
        ),
        remedies=(_ANY_HOST, _STATELESS),
    )


def _reached(common: Judgement, asked: Roots, udp: list[Heard], tcp: list[Heard]) -> Judgement:
    if not any(one.signed for one in (*udp, *tcp)):
        return common._replace(
            status="fail",
            stops="way",
            summary=_("root servers answer, but their signatures (DNSSEC) are taken out on the way"),
            remedies=(
                _("Something filters DNS before this machine: ask the provider to let it pass as it is."),
            ),
        )
    if len(asked.lost) > need.HEALTHCHECK_NAMES_MAY_FAIL:
        return _lost(common, asked)
    servers = len({one.server for one in asked.heard})
    by_udp, by_tcp = (len({one.server for one in row}) for row in (udp, tcp))
    longest = max(one.size for one in (*udp, *tcp))
    return common._replace(
        summary=_(
            "root servers answer over UDP ({by_udp} of {servers}) and TCP ({by_tcp} of "
            "{servers}), up to {longest} bytes",
            by_udp=by_udp,
            servers=servers,
            by_tcp=by_tcp,
            longest=longest,
        )
    )


def _lost(common: Judgement, asked: Roots) -> Judgement:
    """The roots answer, and what lies below them does not: unbound would tell itself ill."""
    return common._replace(
        status="unknown",
        stops="way",
        why=_UNHEALTHY,
        summary=_(
            "root servers answer, but the way from them to {names} ends: {why}",
            names=listed([name for name, _why in asked.lost]),
            why=heard(asked.lost[0][1]),
        ),
        evidence=(
            *common.evidence,
            *(Evidence(f"dig +trace {name} A", heard(why)) for name, why in asked.lost),
        ),
        remedies=(
            _(
                "See where it ends: `dig +trace {name} A`. If that is so elsewhere, too, wait; else let UDP "
                "and TCP port 53 out to any host.",
                name=asked.lost[0][0],
            ),
        ),
        certainty="untested",
    )


def _intercepted(common: Judgement, foreign: list[Heard]) -> Judgement:
    over = listed([one.upper() for one in sorted({one.transport for one in foreign})])
    return common._replace(
        status="fail",
        why=_UNHEALTHY,
        stops="way",
        severity="blocks",
        summary=_("somebody on the way answers in place of the root servers ({over} port 53)", over=over),
        remedies=(
            _(
                "Ask the provider to take this server out of its DNS interception, or the firewall "
                "before it: mailcow's resolver asks name servers by itself and checks their "
                "signatures."
            ),
        ),
    )


def _here(asked: Roots) -> str:
    """The rule of this machine that stops questions or answers; empty where none is known to."""
    silent = [one for one in asked.heard if not one.size]
    named = next((one.met.named for one in silent if one.met and one.met.stops), "")
    return named or next((one.error for one in silent if "this machine" in one.error), "")


def _probe(one: Heard) -> Probe:
    return Probe("udp" if one.transport == "udp" else "tcp", one.server, 53)


def _inside(asked: Roots) -> Heard | None:
    """A question that is answered here, and would not be in mailcow's containers."""
    answered = [one for one in asked.heard if one.own and one.container]
    return next((one for one in answered if one.container and one.container.outcome != "through"), None)


def _error(heard: tuple[Heard, ...]) -> str:
    return next((one.error for one in heard if one.error), _("no answer"))


def _found(asked: Roots) -> str:
    words = []
    for name, rows in (("UDP", asked.of("udp", True)), ("TCP", asked.of("tcp"))):
        good = len({one.server for one in rows if one.own})
        words.append(
            _(
                "{name}: {good} of {number} root servers",
                name=name,
                good=good,
                number=len({one.server for one in rows}),
            )
        )
    return ", ".join(words)


def _size(one: Heard) -> str:
    if one.own:
        return _("{size} bytes", size=one.size)
    return _("{size} bytes, not its own word", size=one.size)


def _evidence(asked: Roots) -> tuple[Evidence, ...]:
    rows = [next(iter(asked.of("udp", True)), None), next(iter(asked.of("tcp")), None)]
    shown = tuple(
        Evidence(
            f"dig +norec +dnssec +ignore{' +tcp' if one.transport == 'tcp' else ''} @{one.server} . NS",
            _size(one) if one.size else heard(one.error),
        )
        for one in rows
        if one
    )
    return (*shown, *rules_shown([met for one in asked.heard for met in (one.met, one.container)]))


CHECKS: tuple[Check, ...] = (
    Check(
        id="network.recursion",
        title=_("Name servers"),
        needed=_(
            "root servers answer from here, over UDP and TCP, long answers too, and lead to the names of "
            "unbound's healthcheck"
        ),
        why=_(
            "mailcow's own resolver (unbound) asks name servers by itself, all over the world: "
            "that this machine's resolver works proves nothing for it. Without names no mail "
            "leaves and nothing is checked."
        ),
        doc=need.DOC_OUTGOING,
        severity="blocks",
        source=roots,
        judge=judge_roots,
        per="family",
        network=True,
    ),
    Check(
        id="network.icmp",
        title=_("Echo requests"),
        needed=_("two of {addresses} answer a ping", addresses=", ".join(need.HEALTHCHECK_PINGS)),
        why=_(
            "mailcow's unbound is healthy only while it can ping them; postfix, acme, clamd and "
            "others wait for that. One ping over IPv6 decides whether mailcow turns IPv6 on."
        ),
        doc=need.DOC_ICMP,
        severity="blocks",
        source=echoes,
        judge=judge_echoes,
        per="family",
        network=True,
    ),
)
