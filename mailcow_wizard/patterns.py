"""Regular expressions that are compiled when they are first used: compiling all of them takes a tenth of the
time before the first check, and a run uses few."""

from __future__ import annotations

import re

from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import AnyStr, cast
else:
    # Importing typing takes longer than what is saved here.
    def cast(_type, value):
        """What typing's does."""
        return value


class _Pattern:
    """Does what a compiled pattern does."""

    def __init__(self, compile: Callable[[], object]) -> None:
        self._compile = compile

    def __getattr__(self, name: str) -> object:
        """Called for a method that was not used yet; it is the compiled pattern's own from then on."""
        found = getattr(self._compile(), name)
        setattr(self, name, found)
        return found


def pattern(text: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """A regular expression; what is wrong in its text is raised at its first use (re.error)."""
    return cast("re.Pattern[AnyStr]", _Pattern(lambda: re.compile(text, flags)))
