"""What is pasted, without what would be taken for keys.

A terminal says where a paste begins and where it ends, and Textual takes what is between them for text; but
behind an Esc it looks for a key, and what is none becomes the keys that its letters are.
"""

from mailcow_wizard.patterns import pattern

_BEGINS, _ENDS = "\x1b[200~", "\x1b[201~"
_CONTROLS = pattern(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


class Pasting:
    """Reads what is typed as it comes, in pieces of any length."""

    def __init__(self) -> None:
        self._inside = False
        self._before = ""
        """Of keys the last characters, which may begin a mark; they were given on already."""
        self._held = ""
        """Of a paste the last characters, which may begin the mark of its end."""

    def plain(self, typed: str) -> str:
        """The same, without the control characters of what is pasted."""
        made: list[str] = []
        while typed:
            typed = self._pasted(typed, made) if self._inside else self._keys(typed, made)
        return "".join(made)

    def _keys(self, typed: str, made: list[str]) -> str:
        """Takes what comes before a paste; returns what is in it."""
        place = (self._before + typed).find(_BEGINS)
        if place < 0:
            made.append(typed)
            self._before = (self._before + typed)[1 - len(_BEGINS) :]
            return ""
        end = place + len(_BEGINS) - len(self._before)
        made.append(typed[:end])
        self._inside, self._before = True, ""
        return typed[end:]

    def _pasted(self, typed: str, made: list[str]) -> str:
        """Takes what is in a paste; returns what follows it."""
        text, mark, rest = (self._held + typed).partition(_ENDS)
        self._held = "" if mark else _begun(text)
        made.append(_CONTROLS.sub("", text[: len(text) - len(self._held)]) + mark)
        self._inside = not mark
        return rest


def _begun(text: str) -> str:
    """How much of the mark of the end its last characters are."""
    lengths = range(len(_ENDS) - 1, 0, -1)
    return next((_ENDS[:length] for length in lengths if text.endswith(_ENDS[:length])), "")
