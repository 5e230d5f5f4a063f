"""Judges of what mailcow's resolver needs: name servers that can be asked from here, and echo requests, which
its healthcheck counts."""

from __future__ import annotations

from collections.abc import Sequence

from mailcow_wizard import requirements_network as need
from mailcow_wizard.checks.network_ways import (
    Way,
    allowing,
    evidence,
    inner,
    inner_words,
    listed,
    rules_shown,
    way,
)
from mailcow_wizard.facts.network.echoes import Echoes, echoes
from mailcow_wizard.facts.network.outward import Try
from mailcow_wizard.facts.network.roots import Heard, Roots, roots
from mailcow_wizard.host.door import Probe
from mailcow_wizard.model import Check, Evidence, Judgement

_STATELESS = (
    "If a firewall that keeps no states stands before this machine (such as Hetzner's for dedicated "
    "servers), "
    "let answers in: UDP from source port 53 to ports 1024-65535, and TCP with flag ack from source "
    "port 53 to "
    "ports 1024-65535."
)
_UNHEALTHY = (
    "mailcow's own resolver (unbound) asks name servers by itself. Its healthcheck looks up "
    f"{', '.join(need.HEALTHCHECK_NAMES)} that way every 30 s and will most likely fail: postfix, acme, "
    "clamd and others wait for it, and mailcow does not start."
)
_ANY_HOST = "Else let UDP and TCP port 53 out to any host, not only to the provider's resolvers."


# --- recursion --------------------------------------------------------------------------------------------


def judge_roots(asked: tuple[Roots, ...]) -> tuple[Judgement, ...]:
    """One judgement for each family."""
    return tuple(_judge(one)._replace(subject=f"v{one.family}") for one in asked)


def _judge(asked: Roots) -> Judgement:
    if not asked.present:
        if asked.family == 6:
            return Judgement("skipped", "skipped: this machine has no IPv6", certainty="untested")
        return Judgement(
            "fail",
            "this machine has no way out over IPv4",
            remedies=("See the routes: `ip route`.",),
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
            summary=f"root servers answer this machine, but {inner_words(held.container)}",
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
        return judged._replace(
            summary=f"this machine's own firewall stops name servers' port 53: {blocked}",
            remedies=remedies[:1],
        )
    if udp:
        return judged._replace(
            summary=f"root servers answer over UDP, but not over TCP: {_error(stream)}",
            remedies=("Let TCP port 53 out to any host: long answers come over it only.", _STATELESS),
        )
    if any(one.own for one in small):
        return judged._replace(
            summary="root servers answer, but long answers over UDP (more than 512 bytes) do not arrive",
            remedies=("A firewall on the way drops them: let UDP datagrams from port 53 of any size in.",),
        )
    return _without_udp(judged, asked, bool(tcp))


def _without_udp(judged: Judgement, asked: Roots, tcp: bool) -> Judgement:
    also = "; this machine's own resolver works, which proves nothing for mailcow's" if asked.resolver else ""
    if tcp:
        return judged._replace(
            summary=f"no root server's answer arrives over UDP, over TCP they do{also}",
            remedies=(_STATELESS, _ANY_HOST),
        )
    return judged._replace(
        summary=f"no root server answers, over UDP or TCP: {_error(asked.heard)}{also}",
        remedies=(_ANY_HOST, _STATELESS),
    )


def _reached(common: Judgement, asked: Roots, udp: list[Heard], tcp: list[Heard]) -> Judgement:
    if not any(one.signed for one in (*udp, *tcp)):
        return common._replace(
            status="fail",
            stops="way",
            summary="root servers answer, but their signatures (DNSSEC) are taken out on the way",
            remedies=(
                "Something filters DNS before this machine: ask the provider to let it pass as it is.",
            ),
        )
    servers = len({one.server for one in asked.heard})
    by_udp, by_tcp = (len({one.server for one in row}) for row in (udp, tcp))
    longest = max(one.size for one in (*udp, *tcp))
    return common._replace(
        summary=f"root servers answer over UDP ({by_udp} of {servers}) and TCP ({by_tcp} of {servers}), "
        f"up to {longest} bytes"
    )


def _intercepted(common: Judgement, foreign: list[Heard]) -> Judgement:
    over = listed([one.upper() for one in sorted({one.transport for one in foreign})])
    return common._replace(
        status="fail",
        why=_UNHEALTHY,
        stops="way",
        severity="blocks",
        summary=f"somebody on the way answers in place of the root servers ({over} port 53)",
        remedies=(
            "Ask the provider to take this server out of its DNS interception, or the firewall before it: "
            "mailcow's resolver asks name servers by itself and checks their signatures.",
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
    return next((one.error for one in heard if one.error), "no answer")


def _found(asked: Roots) -> str:
    words = []
    for name, rows in (("UDP", asked.of("udp", True)), ("TCP", asked.of("tcp"))):
        good = len({one.server for one in rows if one.own})
        words.append(f"{name}: {good} of {len({one.server for one in rows})} root servers")
    return ", ".join(words)


def _evidence(asked: Roots) -> tuple[Evidence, ...]:
    rows = [next(iter(asked.of("udp", True)), None), next(iter(asked.of("tcp")), None)]
    shown = tuple(
        Evidence(
            f"dig +norec +dnssec +ignore{' +tcp' if one.transport == 'tcp' else ''} @{one.server} . NS",
            f"{one.size} bytes{'' if one.own else ', not its own word'}" if one.size else one.error,
        )
        for one in rows
        if one
    )
    return (*shown, *rules_shown([met for one in asked.heard for met in (one.met, one.container)]))


# --- echo requests ----------------------------------------------------------------------------------------


def judge_echoes(found: tuple[Echoes, ...]) -> tuple[Judgement, ...]:
    """One judgement for each family: what the healthcheck will say, what the IPv6 detection will."""
    return tuple((_v4 if one.family == 4 else _v6)(one)._replace(subject=f"v{one.family}") for one in found)


def _v4(found: Echoes) -> Judgement:
    if not found.present:
        return Judgement(
            "fail",
            "this machine has no way out over IPv4",
            remedies=("See the routes: `ip route`.",),
            stops="here",
        )
    answered, total = len(found.answered), len(found.tries)
    common = Judgement("pass", "", found=f"{answered} of {total} answer", evidence=evidence(found.tries))
    why = _why([one for one in found.tries if one.result.outcome != "open"])
    if why.kind == "not allowed":
        return common._replace(
            status="unknown",
            summary="echo requests could not be sent: this user may not",
            certainty="untested",
            remedies=why.remedies,
        )
    skipped = found.skipped == "y"
    held = inner([one for one in found.tries if one.result.outcome == "open"])
    if answered >= total - need.HEALTHCHECK_MAY_FAIL and held and held.container and not skipped:
        unknown = held.container.outcome == "unknown"
        return common._replace(
            status="unknown" if unknown else "fail",
            stops="here",
            summary=f"{listed(found.answered)} answer this machine, but {inner_words(held.container)}: "
            "mailcow's unbound healthcheck will fail",
            remedies=(allowing(held.container, held.probe),),
            certainty="untested" if unknown else "inferred",
        )
    if answered >= total - need.HEALTHCHECK_MAY_FAIL:
        note = "" if answered == total else f", {total - answered} does not, which the healthcheck forgives"
        return common._replace(
            summary=f"{listed(found.answered)} answer{note}: mailcow's unbound healthcheck will pass"
        )
    if skipped:
        return common._replace(
            summary=f"{_few(answered)} of {total} addresses answer a ping, and "
            f"{need.HEALTHCHECK_KEY}=y says that "
            "it does not matter",
            severity="advice",
        )
    return common._replace(
        status="fail",
        stops=why.stops,
        summary=f"{_few(answered)} of {total} addresses answer a ping ({why.words}): mailcow's unbound "
        "will be "
        "unhealthy, and the stack will not start",
        remedies=_remedies(found, why.remedies),
        certainty="inferred",
    )


def _few(number: int) -> str:
    return f"only {number}" if number else "none"


def _why(silent: Sequence[Try]) -> Way:
    """Why echo requests are not answered; that other things get out says nothing about them."""
    why = way(silent, True)
    return why._replace(words="nothing comes back") if why.kind == "dropped" else why


def _remedies(found: Echoes, others: tuple[str, ...]) -> tuple[str, ...]:
    key = need.HEALTHCHECK_KEY
    allow = "Let echo requests (ICMP type 8) out and their answers (type 0) in."
    if found.skipped:
        said = f"mailcow.conf says {key}={found.skipped}: only a small y counts."
        return (f"{said} Write {key}=y.", allow, *others)
    if found.recursion:
        skip = f"Or, as name servers can be asked from here: set {key}=y in mailcow.conf."
    elif found.recursion is False:
        skip = f'{key}=y would not help: name servers cannot be asked either (see "Name servers").'
    else:
        skip = f'{key}=y in mailcow.conf turns the test off; do that only if "Name servers" passes.'
    return (allow, skip, *others)


def _v6(found: Echoes) -> Judgement:
    if not found.present:
        return Judgement("skipped", "skipped: this machine has no IPv6", certainty="untested")
    common = Judgement("pass", "", evidence=evidence(found.tries), severity="degrades")
    if found.answered:
        return common._replace(
            summary=f"{listed(found.answered)} answer{'s' if len(found.answered) == 1 else ''}: "
            "mailcow will find "
            "that IPv6 works",
            found=f"{len(found.answered)} of {len(found.tries)} answer",
        )
    why = _why(found.tries)
    if why.kind == "not allowed":
        return common._replace(
            status="unknown",
            summary="echo requests could not be sent: this user may not",
            certainty="untested",
            remedies=why.remedies,
        )
    return common._replace(
        status="warn",
        stops=why.stops,
        summary=f"no address answers a ping over IPv6 ({why.words}): mailcow will take it for missing "
        "and set "
        "ENABLE_IPV6=false",
        found=f"0 of {len(found.tries)} answer",
        remedies=(
            "Let ICMPv6 out and in: IPv6 does not work without it. "
            '"IPv6" shows whether anything else passes.',
        ),
        certainty="inferred",
    )


CHECKS: tuple[Check, ...] = (
    Check(
        id="network.recursion",
        title="Name servers",
        needed="root servers answer from here, over UDP and TCP, long answers too",
        why="mailcow's own resolver (unbound) asks name servers by itself, all over the world: that this "
        "machine's resolver works proves nothing for it. Without names no mail leaves and nothing is "
        "checked.",
        doc=need.DOC_OUTGOING,
        severity="blocks",
        source=roots,
        judge=judge_roots,
        network=True,
    ),
    Check(
        id="network.icmp",
        title="Echo requests",
        needed=f"two of {', '.join(need.HEALTHCHECK_PINGS)} answer a ping",
        why="mailcow's unbound is healthy only while it can ping them; postfix, acme, clamd and "
        "others wait for "
        "that. One ping over IPv6 decides whether mailcow turns IPv6 on.",
        doc=need.DOC_ICMP,
        severity="blocks",
        source=echoes,
        judge=judge_echoes,
        network=True,
    ),
)
