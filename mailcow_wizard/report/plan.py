"""A plan and the journal, as the contract's JSON and as lines for people."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from mailcow_wizard import __version__
from mailcow_wizard.engine import readable
from mailcow_wizard.engine.findings import of_finding
from mailcow_wizard.engine.journal import Change
from mailcow_wizard.harmless import harmless
from mailcow_wizard.language import _, pgettext
from mailcow_wizard.model import Finding, Fix, Plan
from mailcow_wizard.report.document import SCHEMA
from mailcow_wizard.typed import TYPE_CHECKING
from mailcow_wizard.wrapping import behind, wrapped

if TYPE_CHECKING:
    from typing import Any

_HEAD: dict[str, Any] = {"schema": SCHEMA, "version": __version__}
_COLOURS = {"+": "32", "-": "31", "@": "36"}
_STATES = {"failed": "interrupted", "planned": "applying"}
"""The contract's words for states that it does not tell apart."""
_STATE_WORDS = {
    "applied": pgettext("a change", "applied"),
    "applying": pgettext("a change", "applying"),
    "undone": pgettext("a change", "undone"),
    "undoing": pgettext("a change", "undoing"),
    "interrupted": pgettext("a change", "interrupted"),
}
RISKS = {"low": _("low risk"), "medium": _("medium risk"), "high": _("high risk")}
"""What can go wrong with a change, in words."""


def of_plan(plan: Plan) -> dict[str, Any]:
    """A plan as an object."""
    return {
        "steps": list(readable.steps(plan)),
        "risk": plan.risk,
        "reversible": plan.reversible,
        "interrupts": harmless(plan.interrupts),
        "needs_root": plan.needs_root,
        "title": harmless(plan.title),
        "consequence": harmless(plan.consequence),
    }


def of_fix(
    plan: Plan, applied: bool, change: str | None, result: Finding | None, error: str
) -> dict[str, Any]:
    """The document of `fix CHECK FIX`; `error` says why it was not applied, where that is a failure."""
    return {
        **_HEAD,
        "check": plan.check,
        "subject": plan.subject,
        "fix": plan.fix,
        "plan": of_plan(plan),
        "applied": applied,
        "change": change,
        "result": of_finding(result) if result else None,
        "error": error,
    }


def of_refused_fix(check: str, subject: str | None, fix: str, error: str) -> dict[str, Any]:
    """The same where there is no plan; `error` says why."""
    said = {"check": check, "subject": subject, "fix": fix, "plan": None, "applied": False, "change": None}
    return {**_HEAD, **said, "result": None, "error": error}


def of_error(error: str, problems: Sequence[Any] = ()) -> dict[str, Any]:
    """The document of a command that came to nothing; `problems` are those of an answers file."""
    rows = [
        {**one._asdict(), "what": harmless(one.what, 400), "right": harmless(one.right, 400)}
        for one in problems
    ]
    return {**_HEAD, "error": error, **({"problems": rows} if rows else {})}


def of_fixes(offered: Sequence[tuple[str | None, Fix]]) -> dict[str, Any]:
    """The document of `fix CHECK`: what can be done, with the subject that it is for."""
    return {**_HEAD, "fixes": [{**fix._asdict(), "subject": subject} for subject, fix in offered]}


def of_changes(changes: Sequence[Change]) -> dict[str, Any]:
    """The document of `undo --list`, newest first."""
    rows = [
        {
            "id": one.id,
            "at": one.at,
            "check": one.check,
            "subject": one.subject,
            "fix": one.fix,
            "title": harmless(one.title),
            "state": state_of(one.state),
        }
        for one in changes
    ]
    return {**_HEAD, "changes": rows}


def of_undo(
    change: str | None, state: str | None, plan: Plan | None, result: Finding | None, error: str
) -> dict[str, Any]:
    """The document of `undo`, and of `fix --resume`; `plan` is what it does, where that is known.

    `change` and `state` are None where no change is meant."""
    return {
        **_HEAD,
        "change": change,
        "state": state_of(state) if state else None,
        "plan": of_plan(plan) if plan else None,
        "result": of_finding(result) if result else None,
        "error": error,
    }


def state_of(state: str) -> str:
    """A change's state in the contract's words."""
    return _STATES.get(state, state)


def state_word(state: str) -> str:
    """A change's state for people."""
    return _STATE_WORDS.get(state_of(state), state)


def offer_line(fix: Fix) -> str:
    """What can be done, in one line."""
    return f"{fix.id}: {harmless(fix.title)} ({_terms(fix.risk, fix.reversible, fix.needs_root)})"


def change_line(change: Change) -> str:
    """A change in one line."""
    return " ".join(_change(change))


def change_lines(change: Change, columns: int) -> list[str]:
    """The same for a terminal of so many columns."""
    return behind(*_change(change), columns)


def _change(change: Change) -> tuple[str, str]:
    """Which, when and how it stands; what it was."""
    subject = f" [{change.subject}]" if change.subject else ""
    what = f"{change.check}{subject} {change.fix}: {harmless(change.title)}"
    return f"{change.id:>3}  {change.at}  {state_word(change.state):<11} ", what


def plan_lines(plan: Plan, colour: bool = False, columns: int = 0) -> Iterator[str]:
    """A plan in full: what it is, what it interrupts, its steps as they are run, diffs as `diff -u`.

    Sentences are broken for so many columns (0: never); commands and diffs stay as they are, to be copied.
    """
    terms = _terms(plan.risk, plan.reversible, plan.needs_root)
    yield from wrapped(f"{harmless(plan.title)} ({terms})", columns)
    if plan.consequence:
        yield from wrapped(harmless(plan.consequence, 1000), columns)
    if plan.interrupts:
        yield from wrapped(_("Interrupts: {interrupts}", interrupts=harmless(plan.interrupts)), columns)
    for number, step in enumerate(readable.steps(plan), 1):
        yield from _step_lines(f"{number}.", step, colour, columns)


def _step_lines(number: str, step: dict[str, Any], colour: bool, columns: int) -> Iterator[str]:
    if step["kind"] == "edit":
        yield (
            _("{number} change {path}", number=number, path=step["path"])
            if step["diff"]
            else _("{number} {path} stays as it is", number=number, path=step["path"])
        )
        for line in step["diff"].split("\n")[:-1]:
            code = _COLOURS.get(line[:1]) if colour else None
            yield f"\x1b[{code}m{line}\x1b[0m" if code else line
    elif step["kind"] == "command":
        yield _("{number} run: {command}", number=number, command=shlex.join(step["argv"]))
    else:
        first, *rest = step["text"].split("\n")
        yield from wrapped(_("{number} note: {first}", number=number, first=first), columns, hanging=3)
        yield from (f"   {line}" for line in rest)


def _terms(risk: str, reversible: bool, needs_root: bool) -> str:
    parts = [RISKS[risk], _("can be taken back") if reversible else _("cannot be taken back")]
    return ", ".join([*parts, _("needs root")] if needs_root else parts)
