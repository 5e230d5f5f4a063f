"""Fixes that a stage applies without asking: those that it needs, and those that were allowed before."""

from __future__ import annotations

import time
from collections.abc import Sequence

from mailcow_wizard.engine.given import Allowed
from mailcow_wizard.engine.mending import offers
from mailcow_wizard.engine.selection import select
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.install.job import Job
from mailcow_wizard.language import _, heard
from mailcow_wizard.model import Check, Finding

_MOST_ROUNDS = 3
_PAUSE_S = 0.3

Done = dict[tuple[str, str | None, str], str]
"""What was tried (check, subject, fix), and why it was not possible (empty: it was)."""


def mended(job: Job, finding: Finding, fix: str, done: Done) -> bool:
    """Applies a fix of a finding that was not tried before; whether it was applied. Raises Failed."""
    row = (finding.id, finding.subject, fix)
    if row in done or not any(one.id == fix for one in finding.fixes):
        return False
    done[row] = ""
    some = offers(job.session, finding.id, finding.subject)
    offer = next((one for one in some if one.fix.id == fix), None)
    if offer is None:
        return False
    try:
        plan = offer.plan()
    except HostError as error:
        done[row] = heard(error)
        job.tell(_("{check}: {fix} is not possible here: {why}", check=finding.id, fix=fix, why=done[row]))
        return False
    if plan.confirm:
        words = _("{fix} is not made, for somebody has to say afterwards that all is well", fix=fix)
        job.tell(f"{finding.id}: {words}")
        return False
    job.change(plan)
    _settled(job, finding, plan.settle)
    return True


def _settled(job: Job, before: Finding, seconds: float) -> None:
    """Waits until the check finds something else; it may find another trouble than the one that is gone."""
    end = time.monotonic() + seconds
    checks = select((before.id,))
    while time.monotonic() < end:
        now = next((one for one in job.look(checks) if one.subject == before.subject), None)
        if now is None or (now.status, now.summary) != (before.status, before.summary):
            return
        job.wait(_PAUSE_S)


def allowed(
    job: Job, some: Sequence[Check], findings: tuple[Finding, ...], fixes: Sequence[Allowed]
) -> tuple[tuple[Finding, ...], int]:
    """Applies what was allowed of what these checks found; what they find then, and how much was done."""
    done: Done = {}
    number = 0
    for _round in range(_MOST_ROUNDS):
        made = 0
        for finding in findings:
            if not _is_open(finding):
                continue
            job.may_stop()
            wanted = _wanted(finding, fixes)
            made += any(mended(job, finding, one.fix, done) for one in wanted)
        if not made:
            break
        number += made
        findings = job.look(some)
    for one in _passed_over(findings, fixes, done):
        job.tell(_("{check}: {fix} is allowed, and not on offer here", check=one.check, fix=one.fix))
    return findings, number


def _passed_over(findings: Sequence[Finding], fixes: Sequence[Allowed], done: Done) -> list[Allowed]:
    """What was allowed of what is still wrong, and not tried for it."""
    wrong = [one for one in findings if _is_open(one)]
    return [
        one
        for one in fixes
        if any(
            one in _wanted(each, fixes) and (one.check, each.subject, one.fix) not in done for each in wrong
        )
    ]


def _is_open(finding: Finding) -> bool:
    return finding.status in ("warn", "fail", "unknown") and finding.acknowledged is None


def _wanted(finding: Finding, fixes: Sequence[Allowed]) -> list[Allowed]:
    """In the order of the file: the first that is possible is made."""
    return [one for one in fixes if one.check == finding.id and one.subject in (None, finding.subject)]


def words(one: Allowed) -> str:
    """An allowed fix for people."""
    return f"{one.check}{f' [{one.subject}]' if one.subject else ''} {one.fix}"


def by_stage(finding: Finding, ids: Sequence[str]) -> str:
    """The first fix of a finding that its stage makes by itself; empty where there is none."""
    if finding.status not in ("warn", "fail") or finding.acknowledged is not None:
        return ""
    return next((one.id for one in finding.fixes if one.id in ids), "")
