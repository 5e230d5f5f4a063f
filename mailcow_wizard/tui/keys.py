"""The keys that matter at this moment, for the line at the bottom."""

from __future__ import annotations

from mailcow_wizard.tui.board import INSTALL, SUMMARY, WELCOME, Row
from mailcow_wizard.tui.places import keys_of
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from mailcow_wizard.tui.app import Wizard

Keys = list[tuple[str, str]]


def keys_here(app: Wizard, row: Row | None) -> Keys:
    """Keys and what they do, the most needed first; `row` is the one under the cursor."""
    if app.current == WELCOME.id and app.focused:
        return [("Enter", "next"), ("Esc", "leave the field"), ("F1", "help"), ("Ctrl+C", "stop")]
    if app.current == WELCOME.id:
        return [("Enter", "next"), ("Tab", "change the names"), ("?", "help"), ("q", "quit")]
    if app.work and app.work.running:
        return [("f", "a change is under way: show it"), ("n", "next"), ("b", "back"), ("q", "quit")]
    if app.current == INSTALL:
        return [*keys_of(INSTALL), ("n", "next"), ("b", "back"), ("?", "help"), ("q", "quit")]
    moves = [("n", "next"), ("b", "back")] if app.current != SUMMARY.id else [("b", "back")]
    mend = [("f", "mend")] if row and row.finding and row.finding.fixes else []
    rest = [
        ("r", "again"),
        ("?", "help"),
        ("q", "quit"),
        ("c", "copy"),
        ("a", "acknowledge"),
        ("e", "report"),
    ]
    return [*moves, ("Enter", "details"), *mend, *keys_of(app.current), *rest]
