"""The process that makes a change: it goes on when the face that started it is gone.

It holds the lock that it was handed, does or takes back the steps, runs the check again, and tells all in the
change's log. A hangup does not concern it. Asked to end (SIGTERM) it stops after the step that is under way
and takes back what was done; a step is never left half done for it.
"""

from __future__ import annotations

from mailcow_wizard.engine import lock, way_back
from mailcow_wizard.engine.diff import secrets_of
from mailcow_wizard.engine.findings import of_finding
from mailcow_wizard.engine.journal import Journal
from mailcow_wizard.engine.selection import UnknownSelector, select
from mailcow_wizard.engine.session import Session
from mailcow_wizard.engine.work import Work
from mailcow_wizard.harmless import harmless
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.files.state import StateDirectory
from mailcow_wizard.host.processes import detached
from mailcow_wizard.host.real import RealHost
from mailcow_wizard.language import _
from mailcow_wizard.model import Finding, Plan, Settings
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

_PAUSE_S = 0.2
# What was stopped is back by then where something else starts it again and again.
_STEADY_S = 3.0
# A service that runs again may need a moment until it listens.
_BACK_S = 10.0


def main(words: Sequence[str]) -> int:
    """Does one task, named by: state directory, change, `apply`, `apply-or-back`, `undo`, the descriptors of
    the locks."""
    place, change, task, *descriptors = words
    stopping = detached.Stopping()
    state = StateDirectory(place)
    held = lock.adopt(state, map(int, descriptors), change)
    journal = Journal(state)
    try:
        session = Session(RealHost(state.path), settings_of(journal.settings(change)), state)
        end = _do(session, journal, change, task, stopping)
    except Exception as error:  # the face has to hear of a defect, too
        end = {
            "state": "interrupted",
            "error": _("a defect of the wizard: {named}", named=_named(error)),
            "result": None,
        }
    journal.tell(change, {"kind": "end", **end})
    journal.close(change)
    held.close()
    return 0


def settings_of(said: dict[str, Any]) -> Settings:
    """The settings as they were before they were written as JSON."""
    fields: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in said.items()
    }
    return Settings(**fields)


def _do(
    session: Session, journal: Journal, change: str, task: str, stopping: detached.Stopping
) -> dict[str, Any]:
    def tell(kind: str, step: int, text: str) -> None:
        journal.tell(change, {"kind": kind, "step": step, "text": text})

    plan = journal.plan(change)
    work = Work(session.host.changing(), journal, change, tell, _secrets(session))
    if task == "undo":
        work.take_back()
        if work.untouched:
            return {"state": work.standing.state, "error": work.untouched, "result": None}
    else:
        try:
            way_back.arm(session.state, change, plan)
        except HostError as error:
            # Nothing is done yet, and nothing is done without a way back.
            said = str(error)
            journal.write(change, work.standing._replace(state="undone", error=said))
            return {"state": "undone", "error": said, "result": None}
        work.apply(lambda: stopping.asked)
        back = task == "apply-or-back" or stopping.asked or work.unconfirmed
        if work.standing.state == "failed" and back:
            work.take_back(work.standing.error)
    standing = work.standing
    way_back.settled(session.state, plan, standing.state)
    finding = None
    if standing.state != "failed" and plan.check:
        tell("check", -1, plan.check)
        undone = standing.state == "undone"
        settle = min(plan.settle, _BACK_S) if undone else plan.settle
        finding = check_again(session, plan, settle, lambda: stopping.asked, undone)
    result = of_finding(finding) if finding else None
    end = {"state": standing.state, "error": standing.error, "result": result}
    try:
        journal.write(change, standing._replace(result=result))
    except HostError:
        return end
    return end


def check_again(
    session: Session, plan: Plan, settle: float, stopped: Callable[[], bool], back: bool = False
) -> Finding | None:
    """What the plan's check says now; it runs again until it passes twice, some seconds apart, or `settle`
    seconds are over. Without `settle` it runs once.

    `back`: the change was taken back, and the check is to see again what the change was made for.
    """
    try:
        checks = select((plan.check,))
    except UnknownSelector:
        return None
    waited, steady = 0.0, False
    while True:
        result = session.run(checks, lambda event: None)
        finding = next(
            (one for one in result.findings if one.subject == plan.subject),
            next(iter(result.findings), None),
        )
        if finding is None or stopped():
            return finding
        right = (finding.status == "pass") is not back
        enough = steady or back or not settle if right else waited >= settle
        if enough:
            return finding
        steady, pause = right, _STEADY_S if right else _PAUSE_S
        detached.pause(pause)
        waited += result.duration + pause


def _secrets(session: Session) -> frozenset[str]:
    """mailcow's secrets, which no command's output may bring into the log."""
    path = session.settings.within("mailcow.conf")
    try:
        return secrets_of(path, session.host.read(path))
    except HostError:
        return frozenset()


def _named(error: Exception) -> str:
    return f"{type(error).__name__}: {harmless(str(error), 200)}"
