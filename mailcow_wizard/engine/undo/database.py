"""What is not taken back, because mailcow's database would no longer open: its passwords."""

from __future__ import annotations

from mailcow_wizard.engine.session import Session
from mailcow_wizard.facts.volumes import OF_DATABASE, database
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.language import _

_NAMES = ("mailcow.conf", ".env")


class Kept(HostError):
    """A change of mailcow.conf stays; the text says why."""


def keep_database(session: Session, path: str, now: bytes | None, wanted: bytes | None, copy: str) -> None:
    """Raises Kept where `path` is a mailcow.conf that would lose what opens a database that is, or may be, on
    this machine. `copy` is where the file as it was before the change is kept; empty: there was none."""
    if path.rpartition("/")[2] not in _NAMES or now is None or now == wanted:
        return
    lost = _lost(now, wanted)
    if not lost:
        return
    known = database(session.new_facts())
    if not known.project and not known.doubt:
        return
    why = known.doubt or _(
        "the database of {project} opens with what is there now, and with nothing else", project=known.project
    )
    by_hand = (
        _("to go back all the same, copy {copy} by hand", copy=copy)
        if copy
        else _("to be rid of it, move {path} away by hand", path=path)
    )
    what = (
        _("{path} stays", path=path)
        if wanted is None
        else _("{lost} in {path} stays as it is", lost=lost, path=path)
    )
    raise Kept(f"{what}: {why}; {by_hand}")


def _lost(now: bytes, wanted: bytes | None) -> str:
    """The first key of the database that would have another value; empty where none would."""
    from mailcow_wizard.conf.document import Document

    document, other = Document.read(now), Document.read(wanted or b"")
    return next((key for key in OF_DATABASE if document.get(key) != other.get(key)), "")
