"""How cells are styled: attributes and colours as the terminal knows them, and the ways between them."""

from __future__ import annotations

from mailcow_wizard.typed import NamedTuple

RESET = "\x1b[m"
CLEAR = "\x1b[2J"

_OFF = {"1": "22", "2": "22", "3": "23", "4": "24", "5": "25", "7": "27"}
_ATTRIBUTES = frozenset((*"123456789", "21", "51", "52", "53"))
_SEEN_ON_BLANKS = frozenset((*"45679", "21", "51", "52", "53"))
_CLEARED = {
    "22": frozenset("12"),
    "23": frozenset("3"),
    "24": frozenset(("4", "21")),
    "25": frozenset("56"),
    "27": frozenset("7"),
    "28": frozenset("8"),
    "29": frozenset("9"),
    "54": frozenset(("51", "52")),
    "55": frozenset(("53",)),
}
_EXTENDED = {"5": 3, "2": 5}


class NotUnderstood(Exception):
    """An output that this layer does not know; it is then not to be trusted with what follows."""


class Pen:
    """A style. There is one object for each style, so that two are the same when they are identical."""

    __slots__ = ("_next", "_ways", "attributes", "background", "cells", "erases", "foreground")

    def __init__(self, attributes: frozenset[str], foreground: str, background: str) -> None:
        self.attributes = attributes
        self.foreground = foreground
        self.background = background
        self.erases = not background and not attributes & _SEEN_ON_BLANKS
        """Whether a cell that is erased with it is an empty one."""
        self.cells = _Cells(self)
        self._next: dict[str, Pen] = {}
        self._ways: dict[Pen, str] = {}

    def blank(self) -> Pen:
        """The pen that shows a space in the same way: most of a style is not seen where there is no ink."""
        if self.attributes & _SEEN_ON_BLANKS:
            return self
        return _pen(frozenset(), "", self.background)

    def covers(self, blank: Pen) -> bool:
        """Whether a space looks the same with this pen as with that one."""
        return self.blank() is blank

    def after(self, arguments: str) -> Pen:
        """The pen after a Select Graphic Rendition with these arguments."""
        there = self._next.get(arguments)
        if there is None:
            there = self._next[arguments] = _selected(self, arguments.split(";"))
        return there

    def to(self, other: Pen) -> str:
        """The shortest sequence from this pen to another."""
        there = self._ways.get(other)
        if there is None:
            there = self._ways[other] = _way(self, other)
        return there


class Cell(NamedTuple):
    """What one cell shows. Of a wide character the first cell has the text, the second none."""

    text: str
    pen: Pen


class _Cells(dict[str, Cell]):
    """The cells of a pen, one object for each text."""

    def __init__(self, pen: Pen) -> None:
        super().__init__()
        self._pen = pen

    def __missing__(self, text: str) -> Cell:
        pen = self._pen.blank() if text == " " else self._pen
        made = self[text] = Cell(text, pen) if pen is self._pen else pen.cells[text]
        return made


_PENS: dict[tuple[frozenset[str], str, str], Pen] = {}


def _pen(attributes: frozenset[str], foreground: str, background: str) -> Pen:
    key = (attributes, foreground, background)
    pen = _PENS.get(key)
    if pen is None:
        pen = _PENS[key] = Pen(*key)
    return pen


PLAIN = _pen(frozenset(), "", "")
BLANK = PLAIN.cells[" "]


def _selected(pen: Pen, arguments: list[str]) -> Pen:
    attributes, foreground, background = pen.attributes, pen.foreground, pen.background
    place = 0
    while place < len(arguments):
        one = arguments[place]
        taken = 1
        if one in ("", "0"):
            attributes, foreground, background = frozenset(), "", ""
        elif one in _ATTRIBUTES:
            attributes |= {one}
        elif one in _CLEARED:
            attributes -= _CLEARED[one]
        elif one in ("38", "48"):
            taken = _EXTENDED.get(arguments[place + 1] if place + 1 < len(arguments) else "", 0)
            colour = ";".join(arguments[place : place + taken])
            if not taken or place + taken > len(arguments):
                raise NotUnderstood(";".join(arguments))
            foreground, background = (colour, background) if one == "38" else (foreground, colour)
        elif one in ("39", "49"):
            foreground, background = ("", background) if one == "39" else (foreground, "")
        elif len(one) == 2 and one[0] in "39" and one[1] in "01234567":
            foreground = one
        elif one[0] in "41" and one[-1] in "01234567" and one[:-1] in ("4", "10"):
            background = one
        else:
            raise NotUnderstood(";".join(arguments))
        place += taken
    return _pen(attributes, foreground, background)


def _way(old: Pen, new: Pen) -> str:
    if new is old:
        return ""
    if new is PLAIN:
        return RESET
    anew = ["0", *sorted(new.attributes), *filter(None, (new.foreground, new.background))]
    step = _step(old, new)
    if step is None or len(";".join(step)) > len(";".join(anew)):
        step = anew
    return f"\x1b[{';'.join(step)}m"


def _step(old: Pen, new: Pen) -> list[str] | None:
    """The arguments that change only what differs; None where an attribute has no sure way to end."""
    gone = old.attributes - new.attributes
    if not gone <= _OFF.keys():
        return None
    offs = {_OFF[one] for one in gone}
    kept = {one for one in old.attributes & new.attributes if _OFF.get(one) not in offs}
    step = [*sorted(offs), *sorted(new.attributes - kept)]
    if old.foreground != new.foreground:
        step.append(new.foreground or "39")
    if old.background != new.background:
        step.append(new.background or "49")
    return step
