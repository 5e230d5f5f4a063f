"""What opens over the list to be read: findings in full, what to copy, what was run, help, palette."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.binding import Binding

from mailcow_wizard.language import _
from mailcow_wizard.tui.board import Row
from mailcow_wizard.tui.help import help_lines
from mailcow_wizard.tui.places import open_place
from mailcow_wizard.tui.screens.palette import Command, Palette
from mailcow_wizard.tui.screens.text import TextScreen, Then
from mailcow_wizard.tui.to_type import commands
from mailcow_wizard.tui.widgets.details import styled
from mailcow_wizard.tui.writing import details

if TYPE_CHECKING:
    from mailcow_wizard.tui.widgets.lines import Part
    from mailcow_wizard.tui.wizard import Wizard


def show_details(app: Wizard, row: Row | None) -> None:
    """Shows everything about a row."""
    # A key that is pressed fast is pressed again before the screen is there to take it.
    if row and len(app.screen_stack) == 1:

        def lines(width: int) -> list[list[Part]]:
            return [styled(line, app.look) for line in details(row, max(10, width - 3))]

        fixes = row.finding.fixes if row.finding else ()
        mend = Then("f", _("mend"), lambda: open_place(app, "mending.choose")) if fixes else None
        app.push_screen(TextScreen(app.look, row.check.title, lines, then=mend))


def copy(app: Wizard) -> None:
    """Sends what to type first to the terminal's clipboard: one line, which waits for its Enter; where there
    is no command the finding's words. Shows it and the other commands: some terminals drop it."""
    row = app.row()
    if row is None or row.finding is None:
        return
    found = commands(row.finding)
    first, others = found[:1] or [row.finding.summary], found[1:]
    app.copy_to_clipboard(first[0])
    lines = [[(one, app.look.bold)] for one in first]
    if others:
        lines += [[], [(_("Also:"), app.look.dim)], *([(one, app.look.plain)] for one in others)]
    title = _("Sent to the clipboard, where the terminal allows it")
    app.push_screen(TextScreen(app.look, title, lines, "\n\n".join([*first, *others])))


def show_log(app: Wizard) -> None:
    """Shows what was run so far."""
    lines = [[(f" {line}", app.look.plain)] for line in app.events_log]
    app.push_screen(TextScreen(app.look, _("What was run"), lines))


def show_help(app: Wizard) -> None:
    """Shows the keys and the marks."""
    app.push_screen(TextScreen(app.look, _("Help"), lambda width: help_lines(app.look, width)))


def palette(app: Wizard) -> Palette:
    """Every step, every command and every check by name or id; ends with the chosen action."""
    steps: list[Command] = [
        Command(_("Go to {title}", title=one.title), "", f"go('{one.id}')", one.id) for one in app.board.steps
    ]
    known = [one for one in app.BINDINGS if isinstance(one, Binding) and one.show]
    keys = [
        Command(one.description, one.key_display or one.key.partition(",")[0], one.action) for one in known
    ]
    found = [
        Command(f"{step.title}: {one.title}", "", f"go('{step.id}', '{one.id}')", one.id, only_typed=True)
        for step in app.board.steps
        for one in app.board.checks_of(step.id)
    ]
    return Palette(app.look, [*steps, *keys, *found])
