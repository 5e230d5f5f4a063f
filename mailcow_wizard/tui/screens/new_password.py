"""A new password, or a key: on its screen it is shown once, when somebody asks for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, NamedTuple

from textual.binding import Binding, BindingType

from mailcow_wizard.host.files.new_password import shown_once
from mailcow_wizard.language import _
from mailcow_wizard.tui.look import Look
from mailcow_wizard.tui.screens.text import TextScreen
from mailcow_wizard.tui.widgets.lines import Part


class _Words(NamedTuple):
    """What is said before it is shown, below it, and where it is not there any more."""

    before: Sequence[str]
    after: Sequence[str]
    gone: Sequence[str]


class _ShownOnce(TextScreen):
    """Says where something secret lies; `s` shows it, this once."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("s", "reveal", "show", show=False)]

    def __init__(self, look: Look, title: str, words: _Words, reveal: Callable[[], str]) -> None:
        """`reveal` gives it away; empty where it is not there any more."""
        self._about = words
        self._reveal = reveal
        self._said = ""
        self._gone = False
        super().__init__(look, look.text(title), self._parts(look, self._words()))

    def action_reveal(self) -> None:
        """Shows it."""
        if not self._said:
            self._said = self._reveal()
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
            return ["", self._said, "", *self._about.after]
        return list(self._about.gone if self._gone else self._about.before)


class NewPassword(_ShownOnce):
    """Says where the password lies; `s` shows it, and deletes the file."""

    def __init__(self, look: Look, whose: str, file: str) -> None:
        """Until it is shown the password lies in `file`; from then on it is nowhere but here."""
        words = _Words(
            (
                _("It lies in this file, which root alone may read:"),
                file,
                _("Shown here, it is deleted there."),
            ),
            (_("Write it down: it is shown this once, and kept nowhere."),),
            (_("It is not there any more: it was shown already, or somebody removed the file."),),
        )
        super().__init__(look, _("The new password of {whose}", whose=whose), words, lambda: shown_once(file))


class NewKey(_ShownOnce):
    """Says where the key of mailcow's API stays; `s` shows it."""

    def __init__(self, look: Look, key: str, file: str, example: str) -> None:
        """It stays in `file`; `example` is a command that uses it, without it."""
        stays = (_("It stays in this file, which root alone may read:"), file)
        after = (_("Give it to the program that needs it. A first try, in a shell:"), example, "", *stays)
        super().__init__(look, _("The key of mailcow's API"), _Words(stays, after, ()), lambda: key)
