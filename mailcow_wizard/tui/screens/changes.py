"""All changes that the wizard made on this machine, newest first."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from mailcow_wizard.engine.journal import Change
from mailcow_wizard.language import _
from mailcow_wizard.tui.look import Look
from mailcow_wizard.tui.planned import moment
from mailcow_wizard.tui.screens.sheet import Sheet
from mailcow_wizard.tui.widgets.lines import Part

STATES = {
    "planned": ("running", _("begins")),
    "applying": ("running", _("at work")),
    "applied": ("pass", _("made")),
    "undoing": ("running", _("going back")),
    "undone": ("skipped", _("taken back")),
    "interrupted": ("warn", _("interrupted")),
    "failed": ("fail", _("failed")),
}
"""For each state of a change: the status that it is drawn as, and its word."""

_WORD_WIDTH = 11
"""The least cells of that word, which the titles stand behind."""


class Changes(Sheet[None]):
    """A list with a cursor. Each action is for the change under it, and comes back here."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "up", show=False),
        Binding("down,j", "move(1)", "down", show=False),
        Binding("home", "move(-9999)", "first", show=False),
        Binding("end", "move(9999)", "last", show=False),
        Binding("enter", "do('show')", "what was done", show=False),
        Binding("u", "do('undo')", "take back", show=False),
        Binding("f", "do('finish')", "finish", show=False),
        Binding("escape,q,U", "dismiss", "close", show=False),
    ]

    def __init__(self, look: Look, changes: Sequence[Change], do: Callable[[str, Change], None]) -> None:
        super().__init__(look)
        self._changes = changes
        self._do = do
        self._cursor = 0

    def show(self, changes: Sequence[Change]) -> None:
        """Shows the changes as they are now."""
        self._changes = changes
        self._cursor = max(0, min(self._cursor, len(changes) - 1))
        self.draw()

    def title_parts(self) -> Sequence[Part]:
        """What the list is."""
        return [
            (" " + _("Changes on this machine"), self.look.bold),
            ("  " + _("newest first"), self.look.dim),
        ]

    def body(self, width: int) -> Sequence[Sequence[Part]]:
        """One line for each change."""
        look = self.look
        if not self._changes:
            return [[], [(" " + _("The wizard has changed nothing on this machine."), look.plain)]]
        lines: list[list[Part]] = []
        words = max(_WORD_WIDTH, *(len(STATES[one.state][1]) for one in self._changes))
        digits = max(len(one.id) for one in self._changes)
        for number, change in enumerate(self._changes):
            here = number == self._cursor
            status, word = STATES[change.state]
            title = look.text(change.title)
            lines.append(
                [
                    (f" {look.glyphs.cursor} " if here else "   ", look.bold),
                    (f"{change.id:>{digits}}  {moment(change.at)}  ", look.plain),
                    (f"{look.glyph(status)} {word:<{words}} ", look.state(status)),
                    (title, look.selected if here else look.plain),
                    (f"  {change.check}", look.dim),
                ]
            )
        return lines

    def foot(self, width: int) -> Sequence[Sequence[Part]]:
        """The keys for the change under the cursor."""
        if not self._changes:
            return [self.keys([("Esc", _("back"))])]
        change = self._changes[self._cursor]
        back = [("u", _("take back"))] if change.state != "undone" else []
        finish = [("f", _("finish"))] if change.unfinished and change.doing == "apply" else []
        return [
            self.keys(
                [
                    ("Enter", _("what was done")),
                    *back,
                    *finish,
                    (_("arrows"), _("move")),
                    ("Esc", _("back")),
                ]
            )
        ]

    def action_move(self, by: int) -> None:
        """Moves the cursor; it stays in view."""
        self._cursor = max(0, min(self._cursor + by, len(self._changes) - 1))
        self.draw()
        self.see_cursor()

    def see_cursor(self) -> None:
        """The change under the cursor."""
        self.keep_in_view(self._cursor)

    def action_do(self, what: str) -> None:
        """Hands the change under the cursor on."""
        if self._changes:
            change = self._changes[self._cursor]
            if what != "finish" or change.unfinished:
                self._do(what, change)
