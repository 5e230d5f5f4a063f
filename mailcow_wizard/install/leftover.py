"""Whether an install was begun here and is not finished. Asked at each start, so it imports little."""

from __future__ import annotations

from mailcow_wizard.engine.session import Session


def left_over(session: Session) -> bool:
    """Whether an install is under way, stopped before its end or cannot be read; no on a recorded one."""
    if session.recorded or not session.state.has("install"):
        return False
    from mailcow_wizard.install.standing import Record, Unreadable

    record = Record(session.state)
    try:
        standing = record.look()
    except Unreadable:
        return True
    return record.alive() or (standing is not None and standing.state != "done")


def changes(session: Session) -> bool:
    """Whether a change may be the install's own: it is under way, stopped in the middle of one, or cannot be
    read."""
    from mailcow_wizard.install.standing import Record, Unreadable

    record = Record(session.state)
    try:
        standing = record.look()
    except Unreadable:
        return True
    return record.alive() or (standing is not None and bool(standing.change))
