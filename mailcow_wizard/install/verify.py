"""The stage of verification: the checks of the installed server."""

from __future__ import annotations

from collections.abc import Sequence

from mailcow_wizard.engine import first_mailbox
from mailcow_wizard.engine.given import NEW
from mailcow_wizard.engine.selection import UnknownSelector, select
from mailcow_wizard.facts.mail.mailboxes import known
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.install import by_itself, first_password, gate
from mailcow_wizard.install.job import Failed, Job
from mailcow_wizard.language import _, heard, ngettext
from mailcow_wizard.model import Check, Finding

_ROUNDS = 6
_PAUSE_S = 10.0


def run(job: Job) -> str:
    """Runs them; what fails may still be at its start, and is looked at again while something gets better.
    The password that every mailcow starts with is nothing that fails an install. Raises Failed."""
    try:
        checks = select(("mail",))
    except UnknownSelector:
        return _("this version of the wizard has nothing to verify with")
    failing: tuple[Finding, ...] = ()
    done: by_itself.Done = {}
    replaced = False
    for number in range(_ROUNDS):
        findings = job.look(checks)
        if _password_replaced(job, findings, done):
            findings, replaced = job.look(checks), True
        before, failing = failing, _failing(findings)
        if not failing or (number and _names(failing) == _names(before)):
            break
        words = ", ".join(sorted({one.id for one in failing}))
        job.tell(_("not right yet: {words}; looks again", words=words))
        job.progress(_("not right yet: {words}", words=words), now=True)
        job.wait(_PAUSE_S)
    if not failing and job.standing.choices.mailbox.address:
        findings = _with_mailbox(job, checks)
        failing = _failing(findings)
    for one in findings:
        job.tell(gate.told(one))
    if not replaced:
        _tell_kept_password(job, findings)
    job.keep(findings)
    if failing:
        several = len({one.id for one in failing}) > 1
        remedies = dict.fromkeys(
            f"{one.id}: {line}" if several and not one.fixes else line  # the line of a fix names its check
            for one in failing
            for line in gate.remedies(one)[:1]
        )
        first = f"{failing[0].id}: {failing[0].summary}"
        words = ngettext(
            "a check of the installed mailcow fails: {first}",
            "{n} checks of the installed mailcow fail: {first}",
            len(failing),
            first=first,
        )
        raise Failed(words, tuple(remedies), failing)
    return _note(findings)


def _with_mailbox(job: Job, checks: Sequence[Check]) -> tuple[Finding, ...]:
    """What the checks find with the first mailbox: a message is sent to it. Raises Failed."""
    with first_mailbox.tried(job.session, *job.standing.choices.mailbox):
        new = _mailbox_made(job)
        findings = job.look(checks)
    if new:
        _published_later(job)
    return findings


def _mailbox_made(job: Job) -> bool:
    """Makes the first mailbox, where it is not there; whether it did. Raises Failed."""
    chosen = job.standing.choices.mailbox
    try:
        if known(job.facts(), chosen.address).mailbox:
            job.tell(_("{mailbox} is there already", mailbox=chosen.address))
            return False
        plan = first_mailbox.planned(job.session, *chosen)
    except HostError as error:
        words = _("mailcow runs, but {mailbox} is not made: {why}", mailbox=chosen.address, why=heard(error))
        raise Failed(words) from None
    job.change(plan)
    return True


def _published_later(job: Job) -> None:
    record = first_mailbox.made(job.session, job.standing.choices.mailbox.address)
    if record:
        job.tell(_("to be published: {record}", record=record))


def _password_replaced(job: Job, findings: tuple[Finding, ...], done: by_itself.Done) -> bool:
    """Has mailcow's script make another first password, where that was chosen; whether it did. A password
    that stays is told with the findings."""
    if job.standing.choices.admin != NEW:
        return False
    try:
        still = [one for one in findings if first_password.is_still_there(one)]
        return any(by_itself.mended(job, one, first_password.FIX, done) for one in still)
    except Failed as error:
        job.tell(_("the first password stays: {why}", why=error))
        return False


def _tell_kept_password(job: Job, findings: tuple[Finding, ...]) -> None:
    """What was chosen, and is not done where nobody knows whether there is something to replace."""
    found = next((one for one in findings if one.id == first_password.CHECK), None)
    if job.standing.choices.admin == NEW and found and found.status == "unknown":
        said = _(
            "the administrator's password was not replaced, as it is not known whether it is the first one: "
            "{command}",
            command=first_password.MENDED_BY,
        )
        job.tell(said)


def _note(findings: tuple[Finding, ...]) -> str:
    troubles = gate.troubling(findings)
    first = any(map(first_password.is_still_there, troubles))
    accepted = sum(one.status == "fail" and one.acknowledged is not None for one in troubles)
    others = len(troubles) - first - accepted
    parts = [ngettext("{n} finding", "{n} findings", len(findings))]
    if first:
        parts.append(_("one fails: the first password, next is {command}", command=first_password.MENDED_BY))
    elif not accepted:
        parts.append(_("none fails"))
    if accepted:
        words = ngettext("{n} fails and is acknowledged", "{n} fail and are acknowledged", accepted)
        parts.append(words)
    parts += [_("{n} to read", n=others)] if others else []
    unknown = sum(one.status == "unknown" for one in findings)
    parts += [_("{n} not known", n=unknown)] if unknown else []
    return ", ".join(parts)


def _failing(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    failing = (one for one in findings if one.status == "fail" and one.acknowledged is None)
    return tuple(one for one in failing if not first_password.is_still_there(one))


def _names(findings: tuple[Finding, ...]) -> set[tuple[str, str | None]]:
    return {(one.id, one.subject) for one in findings}
