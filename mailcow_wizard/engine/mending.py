"""Mending: what can be done about a finding, doing it, taking it back, finishing what was interrupted.

The work is done by a process of its own, which goes on when the face is gone; the face follows its log.
"""

from __future__ import annotations

from collections.abc import Callable

from mailcow_wizard.engine.session import Session
from mailcow_wizard.fixes import Offer
from mailcow_wizard.model import Finding, Plan
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Literal, TypeAlias

    ProgressKind = Literal["step", "output", "done", "failed", "undone", "check"]
    Listen: TypeAlias = Callable[["Progress"], None]
else:
    ProgressKind = str


class Progress(NamedTuple):
    """What the work says while it goes on, in one harmless line without secrets.

    `step` begins step number `step` (from 0) and `done`, `failed` or `undone` end it; `output` is a line that
    its command printed; `check` says that the check runs again (`step` is -1).
    """

    kind: ProgressKind
    step: int
    text: str


class Outcome(NamedTuple):
    """How it ended: the change's id and state, the check's new finding (None: it was not run), and why it
    did not succeed (empty: it did)."""

    change: str
    state: str
    finding: Finding | None
    error: str


def offers(session: Session, check_id: str, subject: str | None = None) -> tuple[Offer, ...]:
    """Looks at the machine with this check, and says what can be done about what it finds, best first."""
    raise NotImplementedError


def apply(session: Session, plan: Plan, listen: Listen, back: bool = False) -> Outcome:
    """Makes the change; blocks until it is made. `back`: a change that fails takes itself back at once.

    Raises HostError where nothing was begun: Changed (a file is not what the plan saw: plan again), Locked
    (another wizard is changing this machine), CannotWrite, Denied (needs root).
    A step that fails is an Outcome: its state is `failed`, or `undone` with `back`.
    """
    raise NotImplementedError


def take_back(session: Session, change_id: str, listen: Listen) -> Outcome:
    """Takes a change back, an interrupted or failed one too; blocks until it is done.

    Raises HostError where nothing was begun: Conflict (lines of the change were edited since), Locked,
    Missing (no such change), NotNow (it is taken back already).
    """
    raise NotImplementedError


def finish(session: Session, change_id: str, listen: Listen) -> Outcome:
    """Goes on with an interrupted or failed change where it stopped (also with taking one back).

    Raises HostError as `take_back` does.
    """
    raise NotImplementedError


def follow(session: Session, change_id: str, listen: Listen) -> Outcome:
    """Joins a change that another process is making at this moment, and tells all from its beginning."""
    raise NotImplementedError


def stop(session: Session, change_id: str) -> None:
    """Asks the work to stop after the step that is under way; what was done is then taken back."""
    raise NotImplementedError
