"""A check explained: what is needed and why, how to see it by hand, what mends it, where it is written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mailcow_wizard import __version__
from mailcow_wizard.engine.findings import status_word
from mailcow_wizard.language import _
from mailcow_wizard.model import Check, Finding
from mailcow_wizard.report.document import SCHEMA
from mailcow_wizard.report.lines import heading
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Any


class Explanation(NamedTuple):
    """A check, what the shipped machine shows of it, and the fixes that are offered there."""

    check: Check
    example: Sequence[Finding]
    fixes: Sequence[str]


def lines(explained: Explanation) -> Iterator[str]:
    """The text for people."""
    check = explained.check
    yield _("{title} ({id}, step {step})", title=check.title, id=check.id, step=heading(check.step))
    yield _("  needed: {needed}", needed=check.needed)
    yield _("  why: {why}", why=check.why)
    if check.after:
        yield _("  makes sense after: {after}", after=", ".join(check.after))
    if check.network:
        yield _("  sends packets: skipped with --offline")
    for what in commands(explained.example):
        yield _("  by hand: {what}", what=what)
    for one in explained.example:
        yield _("  for example, {status}: {summary}", status=status_word(one.status), summary=one.summary)
        yield from (_("    mend: {remedy}", remedy=remedy) for remedy in one.remedies)
    if explained.fixes:
        yield _(
            "  fixes: {fixes} (fix {check} lists those that make sense here)",
            fixes=", ".join(explained.fixes),
            check=check.id,
        )
    else:
        yield _("  fixes: fix {check} lists those that make sense here", check=check.id)
    yield _("  more: {doc}", doc=check.doc)


def commands(example: Sequence[Finding]) -> tuple[str, ...]:
    """How to see it by hand, each command once."""
    return tuple(dict.fromkeys(seen.what for one in example for seen in one.evidence))


def of_explanation(explained: Explanation) -> dict[str, Any]:
    """The document of `explain`."""
    check = explained.check
    return {
        "schema": SCHEMA,
        "version": __version__,
        "check": check.id,
        "step": check.step,
        "title": check.title,
        "needed": check.needed,
        "why": check.why,
        "severity": check.severity,
        "doc": check.doc,
        "by_hand": list(commands(explained.example)),
        "example": [
            {"status": one.status, "summary": one.summary, "remedies": list(one.remedies)}
            for one in explained.example
        ],
        "fix_ids": list(explained.fixes),
    }
