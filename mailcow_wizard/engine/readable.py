"""A plan's steps as the contract's JSON has them, without a secret: for the faces and for the journal."""

from __future__ import annotations

import shlex

from mailcow_wizard.engine.diff import HIDDEN, hide, secrets_of, unified
from mailcow_wizard.harmless import harmless
from mailcow_wizard.language import _
from mailcow_wizard.model import Command, Edit, Plan
from mailcow_wizard.redaction import REMOVED, redacted
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from mailcow_wizard.model import PlanStep

_LONGEST = 4000


def steps(plan: Plan) -> tuple[dict[str, Any], ...]:
    """Each step: an edit with its diff, a command with its words, or words for a person."""
    secrets = secrets_of_plan(plan)
    return tuple(_step(one, secrets) for one in plan.steps)


def secrets_of_plan(plan: Plan) -> frozenset[str]:
    """What of the files that the plan edits must not be shown."""
    found: frozenset[str] = frozenset()
    for step in plan.steps:
        if isinstance(step, Edit):
            found |= secrets_of(step.path, step.before) | secrets_of(step.path, step.after)
    return found


def words(argv: tuple[str, ...], secrets: frozenset[str] = frozenset()) -> list[str]:
    """A command's words as they can be shown."""
    shown = (one.replace(REMOVED, HIDDEN) for one in redacted(argv))
    return [harmless(hide(one, secrets), _LONGEST) for one in shown]


def line(step: PlanStep, secrets: frozenset[str] = frozenset()) -> str:
    """A step in one line."""
    if isinstance(step, Edit):
        if step.before is None:
            return harmless(_("make {path}", path=step.path), _LONGEST)
        words_of_it = (
            _("remove {path}", path=step.path) if step.after is None else _("change {path}", path=step.path)
        )
        return harmless(words_of_it, _LONGEST)
    if isinstance(step, Command):
        return shlex.join(words(step.argv, secrets))
    return harmless(hide(step.text, secrets), _LONGEST)


def _step(step: PlanStep, secrets: frozenset[str]) -> dict[str, Any]:
    if isinstance(step, Edit):
        return {"kind": "edit", "path": harmless(step.path, _LONGEST), "diff": unified(step)}
    if isinstance(step, Command):
        return {"kind": "command", "argv": words(step.argv, secrets)}
    return {"kind": "manual", "text": "\n".join(_text(one, secrets) for one in step.text.split("\n"))}


def _text(text: str, secrets: frozenset[str]) -> str:
    return harmless(hide(text, secrets), _LONGEST)
