"""A line of text that is typed: the text, the place of the cursor, and what keys do to them."""

from typing import NamedTuple

from rich.cells import cell_len


class TypingLine(NamedTuple):
    """Immutable; each key gives another one."""

    text: str
    place: int

    @classmethod
    def of(cls, text: str) -> "TypingLine":
        """A text with the cursor behind it."""
        return cls(text, len(text))

    def typed(self, text: str) -> "TypingLine":
        """With this text at the cursor; what cannot be shown in a line is left out."""
        plain = "".join(one for one in text if one.isprintable())
        return TypingLine(self.text[: self.place] + plain + self.text[self.place :], self.place + len(plain))

    def view(self, width: int) -> tuple[str, str, str]:
        """What of it is shown in so many cells: before the cursor, at it, behind it."""
        start, room = self.place, width - cell_len(self.text[self.place : self.place + 1] or " ")
        while start and (room := room - cell_len(self.text[start - 1])) >= 0:
            start -= 1
        shown = (self.text + " ")[start : start + width]
        place = self.place - start
        return shown[:place], shown[place : place + 1], shown[place + 1 :]

    def key(self, key: str) -> "TypingLine | None":
        """After an editing key; None where the key is none."""
        before, behind = self.text[: self.place], self.text[self.place :]
        if key in ("backspace", "ctrl+h"):
            return TypingLine(before[:-1] + behind, max(0, self.place - 1))
        if key in ("delete", "ctrl+d"):
            return TypingLine(before + behind[1:], self.place)
        if key == "ctrl+u":
            return TypingLine(behind, 0)
        if key == "ctrl+k":
            return TypingLine(before, self.place)
        if key == "ctrl+w":
            kept = before.rstrip()
            kept = kept[: max(kept.rfind(mark) for mark in " .:/,@") + 1]
            return TypingLine(kept + behind, len(kept))
        places = {
            "left": self.place - 1,
            "right": self.place + 1,
            "home": 0,
            "ctrl+a": 0,
            "end": len(self.text),
            "ctrl+e": len(self.text),
        }
        if key not in places:
            return None
        return TypingLine(self.text, max(0, min(places[key], len(self.text))))
