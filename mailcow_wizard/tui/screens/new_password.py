"""A new password: on its screen it is shown once, when somebody asks for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from mailcow_wizard.host.new_password import shown_once
from mailcow_wizard.language import _
from mailcow_wizard.tui.look import Look
from mailcow_wizard.tui.screens.text import TextScreen
from mailcow_wizard.tui.widgets.lines import Part


class NewPassword(TextScreen):
    """Says where the password lies; `s` shows it, and deletes the file."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("s", "reveal", "show", show=False)]

    def __init__(self, look: Look, whose: str, file: str) -> None:
        """Until it is shown the password lies in `file`."""
        self._file = file
        self._said = ""
        self._gone = False
        super().__init__(
            look, look.text(_("The new password of {whose}", whose=whose)), self._parts(look, self._words())
        )

    def action_reveal(self) -> None:
        """Shows the password; from now on it is nowhere but here."""
        if not self._said:
            self._said = shown_once(self._file)
            self._gone = not self._said
            self.draw(self._parts(self._look, self._words()))

    def keys(self) -> Sequence[Part]:
        """Showing it, as long as it was not shown; closing."""
        look = self._look
        show = [(" s", look.bold), (" " + _("show it once") + " ", look.plain)]
        close = [(" Esc", look.bold), (" " + _("close"), look.plain)]
        return close if self._said or self._gone else [*show, *close]

    def _parts(self, look: Look, lines: list[str]) -> list[list[Part]]:
        return [[(f" {look.text(one)}", look.bold if one == self._said else look.plain)] for one in lines]

    def _words(self) -> list[str]:
        if self._said:
            return ["", self._said, "", _("Write it down: it is shown this once, and kept nowhere.")]
        if self._gone:
            return [_("It is not there any more: it was shown already, or somebody removed the file.")]
        return [
            _("It lies in this file, which root alone may read:"),
            self._file,
            _("Shown here, it is deleted there."),
        ]
