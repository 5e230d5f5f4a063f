"""A run as lines of text: plain for pipes and screen readers, coloured on a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mailcow_wizard.engine.findings import status_word
from mailcow_wizard.language import _, ngettext, pgettext
from mailcow_wizard.model import STATUSES, STEPS, Check, Finding, Status
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from mailcow_wizard.engine.memory import Difference

WORDS: dict[Status, str] = {
    "pass": pgettext("a line", "ok"),
    "warn": pgettext("a line", "warning"),
    "fail": pgettext("a line", "FAIL"),
    "unknown": pgettext("a line", "unknown"),
    "skipped": pgettext("a line", "skipped"),
    "crashed": pgettext("a line", "CRASHED"),
}
_COLOURS: dict[Status, str] = {
    "pass": "32",
    "warn": "33",
    "fail": "1;31",
    "unknown": "36",
    "skipped": "2",
    "crashed": "1;35",
}
_WITH_ID: tuple[Status, ...] = ("warn", "fail", "unknown", "crashed")
WIDTH = max(map(len, WORDS.values()))
"""The cells of a state in a line."""


def plain(finding: Finding) -> str:
    """One line, without escapes: state, id, what was found."""
    return f"{WORDS[finding.status]:<{WIDTH}}  {named(finding.id, finding.subject)}: {_said(finding)}"


def named(id: str, subject: str | None) -> str:
    """A check and its subject."""
    return f"{id} [{subject}]" if subject else id


def _said(finding: Finding) -> str:
    """What was found, and that it was acknowledged."""
    accepted = finding.acknowledged
    return (
        finding.summary
        if accepted is None
        else _("{summary} (acknowledged: {reason})", summary=finding.summary, reason=accepted.reason)
    )


def coloured(finding: Finding, colour: bool, columns: int = 0) -> Iterator[str]:
    """A finding for a terminal of so many columns (0: unknown, nothing is wrapped); what is not right also
    says its id, which other commands take, why, and what mends it."""
    from mailcow_wizard.wrapping import wrapped

    word = f"{WORDS[finding.status]:<{WIDTH}}"
    state = f"\x1b[{_COLOURS[finding.status]}m{word}\x1b[0m" if colour else word
    indent = " " * (WIDTH + 4)
    said = wrapped(f"{indent}{finding.title}: {_said(finding)}", columns)
    if finding.status in _WITH_ID:
        id = f"({named(finding.id, finding.subject)})"
        if columns and len(said[-1]) + 1 + len(id) > columns:
            said.append(indent[:-1])
        said[-1] += f" \x1b[2m{id}\x1b[0m" if colour else f" {id}"
    first, *more = said
    yield f"  {state}  {first[len(indent) :]}"
    yield from more
    if finding.status in ("warn", "fail", "crashed") and finding.acknowledged is None:
        yield from wrapped(indent + _("why: {why}", why=finding.why), columns)
        for remedy in finding.remedies:
            yield from wrapped(indent + _("mend: {remedy}", remedy=remedy), columns)


def heading(step: str) -> str:
    """The words for a step."""
    return next((one.title for one in STEPS if one.id == step), step)


def closing(findings: Sequence[Finding]) -> str:
    """The last line: how many of each."""
    parts = []
    for status in STATUSES:
        number = sum(one.status == status for one in findings)
        if number:
            parts.append(counted(status, number))
    accepted = sum(one.acknowledged is not None for one in findings)
    if accepted:
        parts.append(_("{accepted} of them acknowledged", accepted=accepted))
    return ", ".join(parts) if parts else _("nothing was checked")


def mendable(findings: Sequence[Finding]) -> str:
    """The id of the first check that fails and has a fix; empty where none does."""
    failing = (one for one in findings if one.status == "fail" and one.acknowledged is None)
    return next((one.id for one in failing if one.fixes), "")


def counted(status: str, number: int) -> str:
    """How many have a status."""
    return {
        "pass": ngettext("{n} ok", "{n} ok", number),
        "warn": ngettext("{n} warning", "{n} warning", number),
        "fail": ngettext("{n} fail", "{n} fail", number),
        "unknown": ngettext("{n} unknown", "{n} unknown", number),
        "skipped": ngettext("{n} skipped", "{n} skipped", number),
        "crashed": ngettext("{n} crashed", "{n} crashed", number),
    }[status]


def changed(differences: Sequence[Difference]) -> Iterator[str]:
    """What is different from the run before, the bad news first."""
    for one in sorted(differences, key=lambda one: not one.worse):
        if one.before is None:
            kind = pgettext("a difference", "new")
        elif one.after is None:
            kind = pgettext("a difference", "gone")
        else:
            kind = pgettext("a difference", "worse") if one.worse else pgettext("a difference", "better")
        before, after = _status(one.before), _status(one.after)
        said = _("{before} before, {after} now", before=before, after=after)
        yield f"{kind:<{WIDTH}}  {named(one.id, one.subject)}: {said}"


def _status(status: str | None) -> str:
    return status_word(status) if status else _("not there")


def listing(checks: Sequence[Check]) -> Iterator[str]:
    """What would be checked: id, step, title, what is needed and why, where it is documented."""
    for check in checks:
        yield f"{check.id}  {check.step}  {check.title}: {check.needed}. {check.why} {check.doc}"
