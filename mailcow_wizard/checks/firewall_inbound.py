"""Judge of the ports as the world sees them: one result a port, green only with a proof from outside."""

from __future__ import annotations

from mailcow_wizard import requirements as need
from mailcow_wizard.checks.network_ways import listed
from mailcow_wizard.facts.reached import PublicPort, Reached, Seen, reached
from mailcow_wizard.model import Check, Evidence, Judgement

DAYS_VALID = 30
"""A firewall changes seldom; after a month nobody remembers what the proof was about."""
_DAY_S = 86_400
_PROVE = "Prove it from outside: mailcow-wizard reach, and paste the line that it shows on any other machine."
_BLOCKED = (
    "Let TCP port {} in: in the provider's firewall (its control panel) and in a router before it.",
    "See this machine's own rules: mailcow-wizard check firewall.local",
)
_VITAL = (25, 80, 443)


def judge_inbound(facts: Reached) -> tuple[Judgement, ...]:
    """One judgement for each port that the world must reach."""
    return tuple(_judge(one, facts)._replace(subject=str(one.number)) for one in facts.ports)


def _judge(port: PublicPort, facts: Reached) -> Judgement:
    seen = facts.seen.get(port.number, ())
    judged = _seen(port, seen, facts) if seen else _unproved(port, "nobody has knocked from outside yet")
    return judged._replace(
        needed=f"the world reaches port {port.number} ({port.service})",
        severity="breaks" if port.number in _VITAL else "degrades",
        evidence=(Evidence(f"from elsewhere: nc -vz -w 5 SERVER {port.number}", _words(seen)),),
    )


def _unproved(port: PublicPort, why: str) -> Judgement:
    return Judgement(
        "unknown",
        f"port {port.number}: unverified, {why}",
        remedies=(_PROVE,),
        certainty="untested",
    )


def _seen(port: PublicPort, seen: tuple[Seen, ...], facts: Reached) -> Judgement:
    days = int((facts.now - facts.at) / _DAY_S)
    if days > DAYS_VALID:
        return _unproved(port, f"the last proof is {days} days old")
    if facts.other_addresses:
        gone = listed(facts.other_addresses)
        return _unproved(port, f"the last proof was for {gone}, which is no longer this server's address")
    bad = [one for one in seen if one.state in ("never arrived", "refused on the way", "closed here")]
    if bad:
        return _blocked(port, bad[0], _when(days))
    taken = [one for one in seen if one.state == "answered by something else"]
    if taken:
        return Judgement(
            "fail",
            f"port {port.number}: something else answers before this machine (IPv{taken[0].family[1:]})",
            found=_words(seen),
            remedies=("A router or a provider's filter takes these connections: see its port forwarding.",),
        )
    good = [one for one in seen if one.state == "arrived"]
    if not good:
        return _unproved(port, _words(seen))
    over = listed([f"IPv{one.family[1:]}" for one in good])
    peer = f" from {good[0].peer}" if good[0].peer else ""
    return Judgement(
        "pass", f"port {port.number} was reached{peer} {_when(days)} ({over})", found=_words(seen)
    )


def _blocked(port: PublicPort, one: Seen, when: str) -> Judgement:
    family = f"IPv{one.family[1:]}"
    if one.state == "closed here":
        return Judgement(
            "fail",
            f"port {port.number} could not be opened here {when} ({family})",
            found=one.state,
            remedies=("See who may have it: mailcow-wizard check ports",),
        )
    how = "never arrived" if one.state == "never arrived" else "was refused on the way"
    return Judgement(
        "fail",
        f"port {port.number}: a connection from outside {how} ({family}, {when})",
        found=one.state,
        remedies=(_BLOCKED[0].format(port.number), _BLOCKED[1], _PROVE),
    )


def _words(seen: tuple[Seen, ...]) -> str:
    said = [f"IPv{one.family[1:]} {one.state}{f' from {one.peer}' if one.peer else ''}" for one in seen]
    return listed(said) or "not asked yet"


def _when(days: int) -> str:
    return "today" if days < 1 else "a day ago" if days == 1 else f"{days} days ago"


CHECKS: tuple[Check, ...] = (
    Check(
        id="firewall.inbound",
        title="Reached from outside",
        needed="the world reaches each of mailcow's ports",
        why="A provider's firewall stands before this machine and cannot be seen from here. What it drops "
        "never arrives: set-up says all is well, and no mail comes.",
        doc=need.DOC_FIREWALL,
        severity="breaks",
        source=reached,
        judge=judge_inbound,
    ),
)
