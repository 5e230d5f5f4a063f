"""The one gate for text from outside: what passes can be shown on any terminal and in any log.

Process names, file contents, command output and network answers come from strangers. Control characters
could drive the terminal, bidirectional overrides could turn words around, endless lines could fill it.
"""

LIMIT = 400

_SPACES = {"\n": " ", "\t": " ", "\r": " ", "\u00a0": " "}


# Printable by their category, yet seen by nobody (Default_Ignorable_Code_Point, and the blank of Braille).
_UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_SELECTORS = ((0x180B, 0x180F), (0xFE00, 0xFE0F), (0xE0100, 0xE01EF))
# Letters of living languages carry no more marks than this; a tower of them runs into the lines above.
_MOST_MARKS = 4


def _unseen(character: str) -> bool:
    code = ord(character)
    return character in _UNSEEN or any(first <= code <= last for first, last in _SELECTORS)


def _flat(text: str) -> str:
    """The text without what nobody sees and without towers of marks."""
    import unicodedata

    odd = filter(_is_unusual, set(text))
    if not any(_unseen(one) or unicodedata.category(one) in ("Mn", "Me") for one in odd):
        return text
    said, marks = [], 0
    for character in text:
        marks = marks + 1 if unicodedata.category(character) in ("Mn", "Me") else 0
        hidden = marks > _MOST_MARKS or _unseen(character)
        said.append(_escaped(character) if hidden else character)
    return "".join(said)


def _is_unusual(character: str) -> bool:
    """Not so: letters of Latin and the dashes, quotes and dots of typography, none wide, unseen or a mark."""
    return character > "\u02ff" and not "\u2010" <= character <= "\u2027"


def _visible(character: str) -> str:
    return character if character.isprintable() else _SPACES.get(character) or _escaped(character)


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def harmless(text: str, limit: int = LIMIT) -> str:
    """The text in one line, at most `limit` columns and characters; the unprintable is shown as `\\x1b`.

    Unicode counts controls, bidirectional overrides, zero-width marks and surrogates as not printable; blanks
    that look like nothing, and more than four marks on one letter, are shown so, too.
    """
    text = text[: limit + 1]
    if not text.isprintable():
        text = "".join(map(_visible, text))
    if not text.isascii() and any(map(_is_unusual, set(text))):
        return _narrow(_flat(text), limit)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _narrow(text: str, limit: int) -> str:
    """The text cut where it needs more than `limit` columns."""
    import unicodedata

    columns = room = 0
    for place, character in enumerate(text, 1):
        columns += 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if columns > limit:
            return text[:room] + "…"
        if columns < limit:
            room = place
    return text


def shown(text: str, lines: bool = True) -> str:
    """What is about to be written, whole: lines may end, and the colours that the wizard itself gives stay.

    With `lines` false it is a part of one, and nothing but letters. Nothing from outside should come so far
    without `harmless`; what did is shown as `harmless` shows it.
    """
    if (text.replace("\n", "") if lines else text).isprintable() and not any(map(_is_unusual, set(text))):
        return text
    if not lines:
        return _whole(text)
    import re

    pieces = re.split(r"(\x1b\[(?:0|2|3[1236]|1;3[15])m|[\n\t])", text)
    return "".join(one if place % 2 else _whole(one) for place, one in enumerate(pieces))


def _whole(text: str) -> str:
    return _flat(text if text.isprintable() else "".join(map(_visible, text)))
