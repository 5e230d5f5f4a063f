"""What stops an install: findings that block it and that nobody has acknowledged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from mailcow_wizard import checks
from mailcow_wizard.engine.given import Allowed
from mailcow_wizard.install.job import Failed, Job
from mailcow_wizard.language import _
from mailcow_wizard.model import Check, Finding

Refused = Mapping[tuple[str, str | None, str], str]
"""Fixes (check, subject, fix) that are not possible here, and why; those with an empty reason are."""

LATER = ("docker", "config", "mail")
"""Topics that a later stage looks at, when there is something to look at."""

_LATER = ("system.tools",)


def first_checks() -> tuple[Check, ...]:
    """What is looked at before anything is changed."""
    return tuple(
        one for one in checks.all_checks() if one.id.partition(".")[0] not in LATER and one.id not in _LATER
    )


def blocking(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Those that stop it."""
    return tuple(
        one
        for one in findings
        if one.status == "fail" and one.severity == "blocks" and one.acknowledged is None
    )


def foreseen(findings: Sequence[Finding], allowed: Sequence[Allowed]) -> tuple[Finding, ...]:
    """Of what was found before an install begins that which will stop it at its first stage, unless it is
    mended or acknowledged before; `allowed` are fixes that the stage applies."""
    first = {one.id for one in first_checks()} - {one.check for one in allowed}
    return tuple(one for one in blocking(findings) if one.id in first and not one.left_to_install)


def troubling(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Those that a person should read, and that do not stop it."""
    stopping = blocking(findings)
    return tuple(one for one in findings if one.status in ("fail", "warn", "crashed") and one not in stopping)


def pass_through(job: Job, findings: Sequence[Finding], refused: Refused = MappingProxyType({})) -> None:
    """Tells what was found. Raises Failed where something blocks; `refused` says which fixes are not possible
    here, and why."""
    for one in findings:
        if one.status in ("fail", "warn", "crashed"):
            job.tell(told(one))
    stopping = blocking(findings)
    if stopping:
        lines = dict.fromkeys(line for one in stopping for line in remedies(one, refused))
        raise Failed(_sentence(stopping), tuple(lines), stopping)


def told(finding: Finding) -> str:
    """A finding as a line of the log, with why it was acknowledged."""
    accepted = ""
    if finding.acknowledged:
        accepted = " " + _("(acknowledged: {reason})", reason=finding.acknowledged.reason)
    return f"{finding.status} {_named(finding)}: {finding.summary}{accepted}"


def remedies(finding: Finding, refused: Refused = MappingProxyType({})) -> tuple[str, ...]:
    """What helps against a finding: its fixes, what a person can do, and how to go on all the same."""
    fixes = tuple(
        _("{title} is not possible here: {why}", title=one.title, why=why)
        if (why := refused.get((finding.id, finding.subject, one.id)))
        else f"./wizard fix {finding.id} {one.id}: {one.title}"
        for one in finding.fixes[:2]
    )
    accept = _('To go on all the same, say why: ./wizard ack {id} --reason "…"', id=finding.id)
    return (*(fixes or finding.remedies[:1]), accept)


def _named(finding: Finding) -> str:
    return f"{finding.id} [{finding.subject}]" if finding.subject else finding.id


def _sentence(stopping: Sequence[Finding]) -> str:
    first = f"{stopping[0].id}: {stopping[0].summary}"
    if len(stopping) == 1:
        return _("this blocks the install: {first}", first=first)
    return _("this blocks the install: {first}, and {number} more", first=first, number=len(stopping) - 1)
