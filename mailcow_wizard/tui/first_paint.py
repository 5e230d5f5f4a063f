"""The first screen on the terminal before Textual is imported, which takes longer than all before it.

It is drawn from the lines that the widgets draw later, so that Textual's own first paint changes nothing.
What is typed meanwhile waits in the terminal and counts as soon as it can.
"""

from __future__ import annotations

from rich.color import ColorSystem

from mailcow_wizard.engine.session import Session
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.terminal.abilities import Drawing, adds_returns
from mailcow_wizard.host.terminal.full_screen import FullScreen, full_screen
from mailcow_wizard.tui import frame, greeting
from mailcow_wizard.tui.board import WELCOME, new_board
from mailcow_wizard.tui.display.painter import Painter, can_repeat
from mailcow_wizard.tui.display.screen import Screen
from mailcow_wizard.tui.look import Look
from mailcow_wizard.tui.parts import Part, fitted, harmless_parts
from mailcow_wizard.typed import NamedTuple

_FEWEST_COLUMNS, _FEWEST_ROWS = 40, 8
"""On a smaller screen the first paint is Textual's."""
_STDERR = 2


class Painted(NamedTuple):
    """The terminal that was taken, and what it shows."""

    terminal: FullScreen
    painter: Painter


def paint(session: Session, facts: Facts, look: Look, drawing: Drawing) -> Painted | None:
    """Draws the first screen; None where that is left to Textual."""
    if drawing.plain:
        return None
    terminal = full_screen()
    if terminal is None or terminal.columns < _FEWEST_COLUMNS or terminal.rows < _FEWEST_ROWS:
        return None
    columns, rows = terminal.columns, terminal.rows
    screen = first_screen(session, facts, look, columns, rows)
    painter = Painter(columns, rows, drawing.modern, "\n" if adds_returns(_STDERR) else "\r\n")
    asked = can_repeat(look.glyphs.rule) if drawing.modern else ""
    if not terminal.begin() or not terminal.write(asked + painter.paint(screen.rows, (0, 0))):
        terminal.close()
        return None
    return Painted(terminal, painter)


def first_screen(session: Session, facts: Facts, look: Look, columns: int, rows: int) -> Screen:
    """The cells of the first screen; laid out as app.tcss says."""
    board = new_board()
    said = greeting.greeting(session, facts, board.steps)
    screen = Screen(columns, rows)
    wide, low = frame.is_wide(columns, rows), rows < frame.LOW
    room, height = frame.inside(columns, rows)
    left = columns - room
    heading = frame.heading(look, WELCOME.title, WELCOME.about)
    if wide:
        for row, line in enumerate(frame.rail(look, board, WELCOME.id)[:rows]):
            _put(screen, 0, row, line, left, look)
        above: list[list[Part]] = [[], heading, []]
    else:
        crumbs = frame.breadcrumb(look, board, WELCOME.id, room)
        above = [crumbs] if low else [crumbs, heading]
    texts = greeting.texts(look, said, said.values, room, height)[:height]
    for row, line in enumerate([*above, *texts]):
        _put(screen, left, row, line, room, look)
    _put(screen, left, rows - 1, frame.key_line(look, frame.WELCOME_KEYS, room), room, look)
    return screen


def _put(screen: Screen, column: int, row: int, line: list[Part], room: int, look: Look) -> None:
    screen.cursor = (column, row)
    for text, style in fitted(harmless_parts(line, look), room, look.glyphs.ellipsis):
        # Only the sixteen colours of `Look`: their codes are the same in every terminal.
        screen.feed(style.render(text, color_system=ColorSystem.STANDARD))
