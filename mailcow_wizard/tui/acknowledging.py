"""`a`: acknowledges the finding under the cursor with a reason, or lets it count again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from mailcow_wizard.engine.acknowledging import Acknowledgements, Entry, acknowledgement
from mailcow_wizard.harmless import harmless
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.language import _
from mailcow_wizard.model import Finding
from mailcow_wizard.tui.screens.naming import Asked, Naming
from mailcow_wizard.tui.screens.text import Question
from mailcow_wizard.tui.widgets.findings import FindingList

if TYPE_CHECKING:
    from mailcow_wizard.tui.wizard import Wizard

_REASON = Asked(
    _("Why is it accepted?"), _("in a few words; it stays shown, and no longer counts"), _("acknowledge")
)


def acknowledge(app: Wizard) -> None:
    """Asks for the reason; of what is acknowledged already, whether it shall count again."""
    row = app.row()
    finding = row.finding if row else None
    if finding is None:
        return
    if finding.acknowledged:
        _ask_back(app, finding)
    elif finding.status in ("warn", "fail", "unknown"):
        _ask_why(app, finding)
    else:
        app.show_keys(_("There is nothing to acknowledge here: only what is not right needs it."))


def _ask_why(app: Wizard, finding: Finding) -> None:
    def typed(reason: tuple[str, ...] | None) -> None:
        if reason:
            entry = Entry(finding.id, finding.subject, acknowledgement(reason[0], None))
            # In the summary its row moves to the end: what comes next is wanted, and not what is done with.
            app.screen_stack[0].query_one(FindingList).hold_place()
            _change(app, lambda known: known.put(entry))

    app.push_screen(Naming(app.look, _REASON, _read), typed)


def _read(text: str) -> tuple[str, ...]:
    reason = harmless(text.strip())
    if not reason:
        raise ValueError(_("a reason is needed, so that others know it later"))
    return (reason,)


def _ask_back(app: Wizard, finding: Finding) -> None:
    def answered(yes: bool | None) -> None:
        if yes:
            _change(
                app,
                lambda known: known.remove(finding.id, finding.subject) or known.remove(finding.id, None),
            )

    app.push_screen(Question(app.look, _("It was acknowledged. Shall it count again?")), answered)


def _change(app: Wizard, change: Callable[[Acknowledgements], object]) -> None:
    known = Acknowledgements(app.session.state)
    try:
        change(known)
    except HostError as error:
        app.show_keys(_("This could not be kept: {error}", error=error))
        return
    app.board.mark(known.mark)
    app.show_step(app.current)
