"""The keys that matter at this moment, for the line at the bottom."""

from __future__ import annotations

from mailcow_wizard.language import _
from mailcow_wizard.tui.board import INSTALL, SUMMARY, WELCOME, Row
from mailcow_wizard.tui.frame import NAMELESS_KEYS, WELCOME_KEYS
from mailcow_wizard.tui.places import keys_of
from mailcow_wizard.tui.widgets.welcome import Welcome
from mailcow_wizard.tui.writing import install_is_next
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from mailcow_wizard.tui.wizard import Wizard

Keys = list[tuple[str, str]]


def keys_here(app: Wizard, row: Row | None) -> Keys:
    """Keys and what they do, the most needed first; `row` is the one under the cursor."""
    if app.current == WELCOME.id and app.focused:
        return [("Enter", _("next")), ("Esc", _("leave the field")), ("F1", _("help")), ("Ctrl+C", _("stop"))]
    if app.current == WELCOME.id:
        return [*(WELCOME_KEYS if app.screen_stack[0].query_one(Welcome).answer() else NAMELESS_KEYS)]
    if app.work and app.work.running:
        return [
            ("f", _("a change is under way: show it")),
            ("n", _("next")),
            ("b", _("back")),
            ("q", _("quit")),
        ]
    if app.current == INSTALL:
        return [*keys_of(INSTALL), ("n", _("next")), ("b", _("back")), ("?", _("help")), ("q", _("quit"))]
    moves = [("n", _("next")), ("b", _("back"))] if app.current != SUMMARY.id else [("b", _("back"))]
    mend = [("f", _("mend"))] if row and row.finding and row.finding.fixes else []
    rest = [
        ("r", _("again")),
        ("?", _("help")),
        ("q", _("quit")),
        ("c", _("copy")),
        ("a", _("acknowledge")),
        ("e", _("report")),
    ]
    install = keys_of(INSTALL) if app.current == SUMMARY.id and install_is_next(app.board) else []
    return [*moves, ("Enter", _("details")), *mend, *install, *keys_of(app.current), *rest]
