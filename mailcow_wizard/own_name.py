"""This program's name in what it writes down: what can be typed here is stored as the name alone."""

from __future__ import annotations

import re

from mailcow_wizard import language
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# Our name alone may be that of the program, the folder or the unit; with a command behind it, it was typed.
_AS_TYPED = r"(?<![\w./-]){}"
_ITS_WORDS = r"(?= (?:--)?[a-z])"
_ITS_END = r"(?![\w/-]|\.\w)"


def uncalled(text: str) -> str:
    """A text with the stored name of this program where it has what can be typed here."""
    own, as_root = language.own_names()
    behind_own, behind_root = language.repeated_options()
    if as_root != own and as_root in text:
        text = re.sub(_typed(as_root, behind_root, _ITS_END), f"sudo {language.OWN}", text)
    if own in text and (own != language.OWN or behind_own):
        text = re.sub(_typed(own, behind_own, _ITS_WORDS), language.OWN, text)
    return text


def _typed(name: str, options: Sequence[str], end: str) -> str:
    """The pattern of a name with all that is repeated behind it, or with some of that and then `end`."""
    pieces = [re.escape(f" {one}") + _ITS_END for one in options]
    whole = f"{''.join(pieces)}|" if pieces else ""
    some = "".join(f"(?:{one})?" for one in pieces)
    return f"{_AS_TYPED.format(re.escape(name))}(?:{whole}{some}{end})"
