"""Whether an install was begun here and is not finished. Asked at each start, so it imports little."""

from __future__ import annotations

from mailcow_wizard.engine.session import Session


def left_over(session: Session) -> bool:
    """Whether an install is under way, or stopped before its end; no on a recorded machine."""
    if session.recorded or not session.state.has("install"):
        return False
    from mailcow_wizard.install.standing import Record

    record = Record(session.state)
    standing = record.load()
    return record.alive() or (standing is not None and standing.state != "done")
