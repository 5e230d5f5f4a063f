"""How a change stands whose work ended without a word, and whether it can be written how far it comes."""

from __future__ import annotations

from mailcow_wizard.engine.journal import UNDER_WAY, Journal
from mailcow_wizard.host.errors import HostError, Missing
from mailcow_wizard.host.files.state import obstacle
from mailcow_wizard.host.processes.detached import pause
from mailcow_wizard.language import _

_PAUSE_S = 0.03
_TURNS = 60


def how_it_ended(journal: Journal, change: str) -> tuple[str, str]:
    """The state of a change whose work is over, and what ended that. Raises HostError."""
    for _turn in range(_TURNS):
        # A command that was being started when the work was killed holds the lock until it runs.
        try:
            state = journal.get(change).state
        except Missing:
            place = journal.path(change, "")
            return "interrupted", _(
                "{place} was removed meanwhile: what was done of this change stays, and cannot be taken back",
                place=place,
            )
        if state not in UNDER_WAY:
            break
        pause(_PAUSE_S)
    return state, _obstacle(journal, change) or _("the work was ended from outside")


def check_writable(journal: Journal, change: str) -> None:
    """Raises HostError where it could not be written down how far a change comes."""
    if trouble := _obstacle(journal, change):
        raise HostError(trouble)


def _obstacle(journal: Journal, change: str) -> str:
    return obstacle(journal.path(change, "progress.json"))
