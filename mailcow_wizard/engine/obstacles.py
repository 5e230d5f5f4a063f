"""What stands in the way of a change before it is tried: a recorded machine, a user who is not root."""

from collections.abc import Sequence

from mailcow_wizard.engine.journal import UNDER_WAY, Change
from mailcow_wizard.engine.mending import works
from mailcow_wizard.engine.session import Session
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.language import _, heard
from mailcow_wizard.model import Plan


def is_root(session: Session) -> bool:
    """Whether the wizard runs as root; False where the machine does not say."""
    try:
        return session.host.user().uid == 0
    except HostError:
        return False


def obstacle(session: Session, needs_root: bool) -> str:
    """Why a change cannot be made here, in one line; empty where it can be tried."""
    try:
        session.host.changing()
    except HostError as error:
        return heard(error)
    return _("only root can do this") if needs_root and not is_root(session) else ""


def elsewhere(session: Session) -> str:
    """Where a command can do what cannot be done here."""
    return _("As root") if not obstacle(session, needs_root=False) else _("On the machine itself")


def obstacle_of(session: Session, plan: Plan) -> str:
    """Why a plan cannot be carried out here, in one line; empty where it can be tried."""
    if not works(plan):
        return _("this is to be done by hand; the wizard changes nothing here")
    return obstacle(session, plan.needs_root)


def newest(changes: Sequence[Change]) -> Change | None:
    """Of changes, newest first, the one that is taken back next; None where nothing is left."""
    return next((one for one in changes if one.state != "undone" and one.reversible), None)


def under_way(changes: Sequence[Change]) -> Change | None:
    """The change that is made or taken back at this moment, if one is."""
    return next((one for one in changes if one.state in UNDER_WAY), None)


def interrupted(changes: Sequence[Change]) -> Change | None:
    """The newest change whose work was killed."""
    return next((one for one in changes if one.state == "interrupted"), None)
