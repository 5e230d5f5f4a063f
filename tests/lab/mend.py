"""Run inside a place: lists, plans, applies and takes back fixes through the engine, and answers in JSON.

`python3 mend.py DIRECTORY STATE list CHECK | plan CHECK FIX | apply CHECK FIX | undo CHANGE`
MEND_CONFIRM=SECONDS shortens the time that a change waits to be confirmed; MEND_KEEP=1 confirms it.
"""

import json
import os
import sys
from typing import Any

from mailcow_wizard.engine import mending
from mailcow_wizard.engine.session import Session
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.files.state import StateDirectory
from mailcow_wizard.host.real import RealHost
from mailcow_wizard.model import Command, Edit, Manual, Plan, Settings


def planned(session: Session, check: str, fix: str) -> Plan:
    """The plan of a fix that is on offer."""
    return next(one for one in mending.offers(session, check) if one.fix.id == fix).plan()


def shown(plan: Plan) -> dict[str, Any]:
    """A plan in words."""
    steps: list[Any] = []
    for one in plan.steps:
        if isinstance(one, Edit):
            steps.append({"edit": one.path, "before": _text(one.before), "after": _text(one.after)})
        elif isinstance(one, Command):
            steps.append({"command": one.argv, "undo": one.undo})
        elif isinstance(one, Manual):
            steps.append({"manual": one.text})
    return {**plan._asdict(), "steps": steps}


def _text(data: bytes | None) -> str | None:
    return None if data is None else data.decode()


def ended(outcome: mending.Outcome) -> dict[str, Any]:
    """How a change ended."""
    status = outcome.finding.status if outcome.finding else None
    summary = outcome.finding.summary if outcome.finding else ""
    said = {"status": status, "summary": summary, "change": outcome.change}
    return {**said, "state": outcome.state, "error": outcome.error}


def main(directory: str, state: str, action: str, *words: str) -> Any:
    """Does what the words say."""
    more = json.loads(os.environ.get("MEND_SETTINGS", "{}"))
    session = Session(RealHost(), Settings(directory=directory, **more), StateDirectory(state))
    log: list[str] = []

    def listen(progress: mending.Progress) -> None:
        log.append(f"{progress.kind} {progress.step} {progress.text}")
        change = mending.latest(session)
        if progress.kind == "confirm" and change and os.environ.get("MEND_KEEP"):
            mending.confirm(session, change.id)

    if action == "list":
        return [one.fix._asdict() for one in mending.offers(session, words[0])]
    if action == "plan":
        return shown(planned(session, *words))
    if action == "apply":
        plan = planned(session, *words)
        seconds = min(plan.confirm, float(os.environ.get("MEND_CONFIRM", plan.confirm)))
        outcome = mending.apply(session, plan._replace(confirm=seconds), listen)
    else:
        outcome = mending.take_back(session, words[0], listen)
    return {**ended(outcome), "log": log}


if __name__ == "__main__":
    try:
        print(json.dumps(main(*sys.argv[1:])))
    except HostError as error:
        print(json.dumps({"refused": str(error)}))
