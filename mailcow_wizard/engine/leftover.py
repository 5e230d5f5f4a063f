"""What an earlier session left half made. Asked at each start, so it imports little where nothing is."""

from mailcow_wizard.engine.session import Session
from mailcow_wizard.host.door import HostError
from mailcow_wizard.host.records import Records


def left_over(session: Session) -> bool:
    """Whether a change of an earlier session is under way or was interrupted; no on a recorded machine, and
    where the journal cannot be read."""
    if not Records(session.state.changes).numbers():
        return False
    from mailcow_wizard.engine import obstacles
    from mailcow_wizard.engine.journal import Journal

    if obstacles.obstacle(session, needs_root=False):
        return False
    try:
        changes = Journal(session.state).list()
    except HostError:
        return False
    return bool(obstacles.under_way(changes) or obstacles.interrupted(changes))
