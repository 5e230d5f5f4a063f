"""Judge of the way back: does this machine reach itself under its public address?"""

from __future__ import annotations

from mailcow_wizard import requirements_network as need
from mailcow_wizard.checks.network_ways import listed
from mailcow_wizard.facts.network.hairpin import Reflection, Turned, reflections
from mailcow_wizard.model import Check, Evidence, Judgement

_BACK = ("arrived", "same")
_NOT_KNOWN = ("open", "not allowed", "failed")
_REMEDIES = (
    "In the router: switch on NAT loopback (also called hairpin NAT or NAT reflection), and pass ports 80, "
    "443 and 25 on to this machine.",
    "Where it cannot: set SKIP_HTTP_VERIFICATION=y in mailcow.conf, so that certificates are asked for "
    "without this test; programs on this machine should then use its private address.",
)


def judge_hairpin(found: tuple[Reflection, ...]) -> tuple[Judgement, ...]:
    """One judgement for each family."""
    return tuple(_judge(one)._replace(subject=f"v{one.addresses.family}") for one in found)


def _judge(found: Reflection) -> Judgement:
    family = found.addresses.family
    if not found.addresses.own:
        return Judgement("skipped", f"skipped: this machine has no IPv{family}", certainty="untested")
    if not found.public:
        return Judgement(
            "unknown",
            "which public address this machine has is not known: "
            f"{found.addresses.trouble or 'none was given'}",
            certainty="untested",
            remedies=("Name it: `--address ADDRESS`.",),
        )
    if found.local:
        return Judgement(
            "pass",
            f"{found.public} is this machine's own address: what it sends there stays here",
            found="no NAT",
            evidence=(Evidence(f"ip route get {found.public}", "local"),),
        )
    return _turned(found)


def _turned(found: Reflection) -> Judgement:
    common = Judgement(
        "pass",
        "",
        found=listed([f"port {one.port}: {_ended(one)}" for one in found.turned]),
        evidence=tuple(_evidence(found, one) for one in found.turned),
    )
    back = [one for one in found.turned if one.outcome in _BACK]
    lost = [one for one in found.turned if one.outcome not in (*_BACK, *_NOT_KNOWN)]
    if back and not lost:
        return common._replace(
            summary=f"what this machine sends to {found.public}, its public address, comes back to it "
            f"({_ports(back)})"
        )
    if lost:
        return _lost(found, common, lost, back)
    return common._replace(
        status="unknown",
        summary=f"whether {found.public} leads back to this machine could not be proved: {_why_not(found)}",
        certainty="untested",
        remedies=("Run the wizard as root: sudo ./wizard",)
        if any(one.outcome == "not allowed" for one in found.turned)
        else ("`mailcow-wizard reach` proves it from outside.",),
    )


def _lost(found: Reflection, common: Judgement, lost: list[Turned], back: list[Turned]) -> Judgement:
    foreign = [one for one in lost if one.outcome in ("foreign", "other")]
    if foreign:
        how = f"something else answers there on {_ports(foreign)}, most likely the router itself"
    elif back:
        how = f"{_ports(back)} comes back, {_ports(lost)} does not ({_ended(lost[0])})"
    else:
        how = f"{_ports(lost)}: {_ended(lost[0])}"
    summary = f"this machine does not reach itself under {found.public}, its public address: {how}"
    if found.unchecked:
        return common._replace(
            status="warn",
            severity="advice",
            stops="way",
            certainty="inferred",
            summary=f"{summary}; {found.unchecked}=y says that certificates do not need it",
            remedies=_REMEDIES[:1],
        )
    return common._replace(
        status="fail", stops="way", certainty="inferred", summary=summary, remedies=_REMEDIES
    )


def _ports(some: list[Turned]) -> str:
    return f"port{'s' if len(some) > 1 else ''} {listed([str(one.port) for one in some])}"


def _ended(one: Turned) -> str:
    words = {
        "arrived": "comes back",
        "same": "comes back to who listens here",
        "silent": "nothing comes back",
        "foreign": "somebody else answers",
        "other": "somebody else answers",
        "open": "somebody answers, who could not be told",
        "not allowed": "only root may try it",
    }
    return words.get(one.outcome, one.outcome)


def _why_not(found: Reflection) -> str:
    return next((_ended(one) for one in found.turned), "nothing was tried")


def _evidence(found: Reflection, one: Turned) -> Evidence:
    target = f"[{found.public}]" if ":" in found.public else found.public
    return Evidence(f"curl -m 3 http://{target}:{one.port}/ (while something listens here)", _ended(one))


CHECKS: tuple[Check, ...] = (
    Check(
        id="network.hairpin",
        title="Way back to itself",
        needed="this machine reaches itself under its public address",
        why="Behind NAT the router has to send such packets back. mailcow asks itself under its public name "
        "before it asks for a certificate, and so do programs on the same network.",
        doc=need.DOC_HAIRPIN,
        severity="breaks",
        source=reflections,
        judge=judge_hairpin,
        network=True,
    ),
)
