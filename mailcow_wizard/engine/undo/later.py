"""What an edit is taken back to where a later change may stand on top of it."""

from __future__ import annotations

from collections.abc import Iterator

from mailcow_wizard.engine.journal import Journal
from mailcow_wizard.engine.undo.target import Conflict, target
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.files.changing import Changing
from mailcow_wizard.language import _
from mailcow_wizard.model import Edit


def target_below(
    journal: Journal, changing: Changing, change: str, step: Edit, now: bytes | None
) -> bytes | None:
    """As `target`. Raises Conflict too where a later change of the journal set the same lines, to what they
    were before as well: taken back afterwards, that one would bring back what this one wrote."""
    try:
        wanted = target(step, now)
    except Conflict as conflict:
        later = _on_top(journal, changing, change, step, now)
        if not later:
            raise
        raise Conflict(_words(step.path, later), conflict.mine, conflict.theirs) from None
    later = _on_top(journal, changing, change, step, now) if wanted == now else ""
    if later:
        raise Conflict(_words(step.path, later))
    return wanted


def _on_top(journal: Journal, changing: Changing, change: str, step: Edit, now: bytes | None) -> str:
    """The later change without which there is something to take back; empty: there is none."""
    for later, edit in _later_edits(journal, changing, change, step.path):
        try:
            now = target(edit, now)
        except HostError:
            continue
        try:
            if target(step, now) != now:
                return later
        except HostError:
            continue
    return ""


def _later_edits(journal: Journal, changing: Changing, change: str, path: str) -> Iterator[tuple[str, Edit]]:
    """The edits of this file that later changes made and that stand, the newest first."""
    real = changing.real(path)
    for one in journal.list():
        if int(one.id) <= int(change):
            continue
        try:
            plan, standing = journal.plan(one.id), journal.standing(one.id)
        except HostError:
            continue
        for number, step in reversed(tuple(enumerate(plan.steps))):
            stands = standing.marks[number] == "done" and standing.back[number] != "done"
            if stands and isinstance(step, Edit) and _leads_to(changing, step.path, real):
                yield one.id, step


def _leads_to(changing: Changing, path: str, real: str) -> bool:
    try:
        return changing.real(path) == real
    except HostError:
        return False


def _words(path: str, later: str) -> str:
    return _(
        "{path}: change {later} set the same lines later; take that one back first: ./wizard undo {later}",
        path=path,
        later=later,
    )
