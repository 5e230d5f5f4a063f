"""TOML as text to plain values, with every mistake of the text that can be told apart and its line."""

from __future__ import annotations

from mailcow_wizard.language import _
from mailcow_wizard.patterns import pattern
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Any

_MOST_MISTAKES = 20
_MOST_STEPS_BACK = 60
_PLACE = pattern(r"\s*\((?:at line (\d+), column \d+|at end of document)\)$")
_BARE = pattern(r"\s*([\w.-]+)\s*=\s*([^\s\"'\[{#][^#\"']*?)\s*(?:#.*)?$")
_LEAST = -(1 << 63)
_DEEP = _("it is nested too deeply")
_NO_NUMBER = _("a number or a date in it is none that could be used")
_TABLE = pattern(r"\s*\[")


class Mistake(NamedTuple):
    """Where the text is not TOML: the line, what is wrong there, what would be right (empty: not known)."""

    line: int
    what: str
    right: str


class NotToml(ValueError):
    """The text is not TOML; the line counts from 1, 0 is the end of the text, or not known."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(what)
        self.line = line
        self.what = what


def loads(text: str) -> dict[str, Any]:
    """The document. Raises NotToml."""
    import tomli

    try:
        found = tomli.loads(text)
        if not _is_too_great(found):
            return found
    except tomli.TOMLDecodeError as error:
        said = str(error)
        place = _PLACE.search(said)
        line = int(place[1] or 0) if place else 0
        raise NotToml(line, said[: place.start()] if place else said) from None
    except RecursionError:
        raise NotToml(0, _DEEP) from None
    except ValueError:  # tomli leaves to Python what Python makes no number or date of
        raise NotToml(0, _NO_NUMBER) from None
    raise NotToml(0, _NO_NUMBER)


def _is_too_great(value: object) -> bool:
    """Whether a number in it is none of TOML's, which have 64 bits: Python reads some of any length."""
    if isinstance(value, dict):
        return any(map(_is_too_great, value.values()))
    if isinstance(value, list):
        return any(map(_is_too_great, value))
    return isinstance(value, int) and not _LEAST <= value < -_LEAST


def read(text: str) -> tuple[dict[str, Any], tuple[Mistake, ...], str]:
    """What can be read of the text, its mistakes, and the text without the statements that hold them, line
    for line as long as before."""
    lines = text.split("\n")
    mistakes: list[Mistake] = []
    while True:
        try:
            return loads("\n".join(lines)), tuple(mistakes), "\n".join(lines)
        except NotToml as error:
            begin = _statement(lines, error.line)
            mistakes.append(_mistake(lines, error, begin))
            if begin is None or len(mistakes) >= _MOST_MISTAKES:
                return {}, tuple(mistakes), ""
            _blank(lines, begin, error.line)


def _statement(lines: list[str], line: int) -> int | None:
    """The index of the line in which the statement begins that ends wrongly in this line (0: at the end of
    the text); None where that takes too long to find."""
    last = (line or len(lines)) - 1
    for index in range(last, max(-1, last - _MOST_STEPS_BACK), -1):
        try:
            loads("\n".join(lines[:index]))
        except NotToml:
            continue
        return index
    return None


def _mistake(lines: list[str], error: NotToml, begin: int | None) -> Mistake:
    what = error.what[:1].lower() + error.what[1:]
    if error.line == 0:
        line = len(lines) if begin is None else begin + 1
        if error.what in (_DEEP, _NO_NUMBER):
            return Mistake(line, _("not TOML: {what}", what=what), "")
        return Mistake(line, _("not TOML: what begins here has no end ({what})", what=what), _("close it"))
    if "overwrite" in what or "twice" in what:
        return Mistake(
            error.line, _("this stands here for the second time ({what})", what=what), _("give it once")
        )
    bare = _BARE.fullmatch(lines[error.line - 1].rstrip("\r"))
    quoted = f'{bare[1]} = "{bare[2]}"' if bare else ""
    right = _("text stands in quotes: {line}", line=quoted) if bare else ""
    return Mistake(error.line, _("not TOML: {what}", what=what), right)


def _blank(lines: list[str], begin: int, line: int) -> None:
    """Empties a wrong statement; of a table's wrong name all that would belong to it, too."""
    end = line or len(lines)
    if _TABLE.match(lines[begin]):
        while end < len(lines) and not _TABLE.match(lines[end]):
            end += 1
    lines[begin:end] = [""] * (end - begin)
