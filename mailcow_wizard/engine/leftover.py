"""What an earlier session left half made. Asked at each start, so it imports little where nothing is."""

import json

from mailcow_wizard.engine.session import Session
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.files.records import Records

SETTLED = ("applied", "undone", "failed")
"""The states of a change whose work has come to its end, as its record has them."""


def left_over(session: Session) -> bool:
    """Whether a change of an earlier session is under way or was interrupted; no on a recorded machine, and
    where the journal cannot be read."""
    records = Records(session.state.changes)
    if all(_is_settled(records, number) for number in records.numbers()):
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


def _is_settled(records: Records, number: int) -> bool:
    """Read here, not by the journal: importing that takes a fifth of a short run."""
    try:
        said = json.loads(records.read(number, "progress.json"))
        return bool(said["state"] in SETTLED)
    except (HostError, ValueError, RecursionError, TypeError, KeyError):
        return False
