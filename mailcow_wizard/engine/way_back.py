"""Changes that somebody has to confirm, and whose work was killed before: they are taken back by themselves.

Where systemd runs it does that when the time is over, or after the next start of the machine; everywhere the
wizard does it at its own next start.
"""

from __future__ import annotations

from collections.abc import Sequence

from mailcow_wizard.engine import mending
from mailcow_wizard.engine.journal import Change, Journal
from mailcow_wizard.engine.lock import Locked
from mailcow_wizard.engine.session import Session
from mailcow_wizard.engine.work import CONFIRMED
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.files import way_back
from mailcow_wizard.host.files.state import StateDirectory
from mailcow_wizard.host.processes import detached
from mailcow_wizard.host.real import RealHost
from mailcow_wizard.language import _, heard
from mailcow_wizard.model import Plan, Settings

_LATER_S = 15.0
"""The work itself takes the change back when the time is over; this is for when it cannot."""
_TURN_S = 0.5
_TURNS = 600


def arm(state: StateDirectory, change: str, plan: Plan) -> None:
    """Before a change that has to be confirmed. Raises HostError where systemd is there and does not take
    it."""
    if plan.confirm and plan.needs_root:
        words = (state.path, change)
        way_back.arm("mailcow_wizard.engine.way_back", words, plan.confirm + _LATER_S, _code(state))


def settled(where: StateDirectory, plan: Plan, state: str) -> None:
    """After the work on such a change: it is confirmed, or taken back."""
    if plan.confirm and plan.needs_root and state in ("applied", "undone"):
        way_back.disarm(_code(where))


def _code(state: StateDirectory) -> str:
    """Where our code is kept meanwhile, if what runs does not last."""
    return f"{state.path}/way-back"


def unconfirmed(session: Session) -> tuple[Change, ...]:
    """The changes whose work was killed before anybody confirmed them."""
    journal = Journal(session.state)
    return tuple(one for one in journal.list() if one.state == "interrupted" and _waits(journal, one.id))


def _waits(journal: Journal, change: str) -> bool:
    try:
        return bool(journal.plan(change).confirm) and journal.kept(change, CONFIRMED) is None
    except HostError:
        return False


def take_back(session: Session) -> tuple[str, ...]:
    """Takes such changes back; a line about each."""
    said = []
    for one in unconfirmed(session):
        try:
            end = mending.take_back(session, one.id, lambda progress: None)
            why = "" if end.state == "undone" else end.error or end.state
        except HostError as error:
            why = str(error)
        said.append(
            _(
                "“{title}” was interrupted before anybody confirmed it, and could not be taken back: {why}",
                title=one.title,
                why=heard(why),
            )
            if why
            else _(
                "“{title}” was interrupted before anybody confirmed it, and was taken back", title=one.title
            )
        )
    return tuple(said)


def main(words: Sequence[str]) -> int:
    """What systemd runs, named by the state directory and the change: waits until nobody works on it, and
    takes it back unless somebody confirmed it."""
    place, change = words
    state = StateDirectory(place)
    code = _settled(state, change)
    if code == 0:
        way_back.disarm(_code(state))
        # The last that is done: it may be what this runs from.
        way_back.forget(_code(state))
    return code


def _settled(state: StateDirectory, change: str) -> int:
    """Waits, and takes it back where it has to be; the exit code, 0 where nothing is left to be done."""
    session = Session(RealHost(state.path), Settings(), state)
    journal = Journal(state)
    for _turn in range(_TURNS):
        now = journal.get(change)
        if now.state in ("applied", "undone"):
            return 0
        if now.state in ("interrupted", "failed"):
            if not _waits(journal, change):
                return 0
            try:
                end = mending.take_back(session, change, lambda progress: None)
            except Locked:
                detached.pause(_TURN_S)
                continue
            return 0 if end.state == "undone" else 1
        detached.pause(_TURN_S)
    return 1
