"""How docker compose reads mailcow.conf (compose-go's dotenv and template, as of compose 2.26 to 2.40)."""

import re
from collections.abc import Callable, Mapping

from mailcow_wizard.conf.seen import ALIKE, BOM, MOST_EXPANDED, Seen, Stop
from mailcow_wizard.conf.shell_words import REFERS
from mailcow_wizard.language import _
from mailcow_wizard.patterns import pattern

# White space of Unicode, which Go trims; all but the line feed may stand before and behind a key.
_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_SPACES = pattern(f"[{_SPACE}]*")
_TRAILING = pattern(f"[{_SPACE}]+\\Z")
_BLANKS = pattern("[\t\v\f\r \x85\xa0]*")
_EXPORT = pattern("export[\t\n\f\r ]+")
_ESCAPE = pattern(r'\\(?:[abcfnrtv$"\\]|0[0-9]{0,3})')
_CONTROLS = {
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    "\\": "\\",
    '"': '"',
}

_NAME = "[_a-zA-Z][_a-zA-Z0-9]*"
_VARIABLE = pattern(
    rf"\$(?:(?P<escaped>\$)|(?P<named>{_NAME})|\{{(?:(?P<braced>{_NAME}(?::?[-+?](?:.*))?)\}}|(?P<invalid>)))"
)
_DEMANDS = pattern(r"\$\{[^}\n]*\?")
_OPERATORS = (":?", "?", ":-", "-", ":+", "+")


class _Refused(Exception):
    """compose reads nothing of a file with this in it; the text says why."""


class _Unknown(Exception):
    """The value depends on what is not known here."""


def read(text: str, environment: Mapping[str, str] | None = None) -> tuple[tuple[Seen, ...], Stop | None]:
    """What compose sees, and the line for which it refuses the whole file."""
    reader = _Reader(text, environment)
    reader.run()
    if reader.stop is None and environment is not None and _DEMANDS.search(text):
        # compose reads the file twice; what it read last stands in the environment of the second time.
        known = {key: value for key, value in reader.values.items() if value is not None}
        again = _Reader(text, {**known, **environment})
        again.run()
        reader.stop = again.stop
    return tuple(reader.found), reader.stop


class _Reader:
    """One pass over the text. After a refusal it goes on with the next line."""

    def __init__(self, text: str, environment: Mapping[str, str] | None) -> None:
        self.text = text
        self.environment = environment
        self.found: list[Seen] = []
        self.stop: Stop | None = None
        self.values: dict[str, str | None] = {}
        self._line = 1
        self._counted = 0
        self._brought = 0

    def run(self) -> None:
        place = len(BOM) if self.text.startswith(BOM) else 0
        while True:
            plain = ALIKE.match(self.text, place) if place < len(self.text) else None
            if plain and (place == 0 or self.text[place - 1] in ("\n", BOM)):
                place = self._plain(plain)
                continue
            place = self._statement_start(place)
            if place >= len(self.text):
                return
            try:
                place = self._statement(place)
            except (_Refused, RecursionError) as refused:
                certain = isinstance(refused, _Refused)
                why = str(refused) if certain else _("variables stand within variables too deeply")
                self.stop = self.stop or Stop(self._line_of(place), why, certain)
                end = self.text.find("\n", place)
                place = len(self.text) if end < 0 else end + 1

    def _plain(self, match: "re.Match[str]") -> int:
        """A line of which there is nothing to think about; the place behind it."""
        if match[1]:
            line = self._line_of(match.start())
            self.found.append(Seen(match[1], line, match.start(), match.end(2), match[2]))
            self.values[match[1]] = match[2]
        return min(match.end() + 1, len(self.text))

    def _line_of(self, place: int) -> int:
        self._line += self.text.count("\n", self._counted, place)
        self._counted = place
        return self._line

    def _statement_start(self, place: int) -> int:
        while True:
            place = _match(_SPACES, self.text, place)
            if not self.text.startswith("#", place):
                return place
            place = self.text.find("\n", place)
            if place < 0:
                return len(self.text)

    def _statement(self, start: int) -> int:
        """Reads one statement and returns the place behind it."""
        line = self._line_of(start)
        self._brought = 0
        key, place, inherited = self._key(start)
        if " " in key:
            raise _Refused(_("a key has a space in it"))
        if inherited:
            self._set(key, line, start, place, lambda: self._inherited(key))
            return place
        if self.text[place : place + 1] not in ("'", '"'):
            end = self.text.find("\n", place)
            end = len(self.text) if end < 0 else end
            raw = _TRAILING.sub("", self.text[place:end].partition(" #")[0])
            self._set(key, line, start, end, lambda: self._expanded(raw))
            return end
        raw, end = self._quoted(place)
        if self.text[place] == "'":
            self._set(key, line, start, end, lambda: raw)
        else:
            self._set(key, line, start, end, lambda: self._expanded(_unescaped(raw)))
        return end

    def _set(self, key: str, line: int, start: int, end: int, value: Callable[[], str]) -> None:
        try:
            got: str | None = value()
            does = ""
        except _Unknown as unknown:
            got, does = None, str(unknown)
        if not key:
            # Up to compose 2.26 at least, the file is refused for it; 2.40 passes over it.
            self.stop = self.stop or Stop(line, _("a value has no key before it"), certain=False)
            return
        if got is not None or self.environment is None:
            self.values[key] = got
        self.found.append(Seen(key, line, start, end, got, does))

    def _key(self, start: int) -> tuple[str, int, bool]:
        """The key, the place of its value, and whether it only names a variable of the environment."""
        text = self.text
        begin = start
        match = _EXPORT.match(text, start)
        if match:
            begin = _match(_BLANKS, text, start + len("export"))
        place = begin
        while place < len(text):
            character = text[place]
            if character in "=:\n":
                key = _TRAILING.sub("", text[begin:place])
                inherited = character == "\n"
                return key, place if inherited else _match(_BLANKS, text, place + 1), inherited
            if not _in_key(character):
                raise _Refused(_("{character} cannot be part of a key", character=_shown(character)))
            place += 1
        if begin >= len(text):
            raise _Refused(_("a key is missing"))
        # Without = before the end of the file, compose takes the word for a value without a key.
        return "", begin, False

    def _quoted(self, place: int) -> tuple[str, int]:
        quote = self.text[place]
        characters: list[str] = []
        escaped = False
        for index in range(place + 1, len(self.text)):
            character = self.text[index]
            if character != quote:
                if not escaped and character == "\\":
                    escaped = True
                    continue
                if escaped:
                    characters.append("\\")
                escaped = False
                characters.append(character)
            elif escaped:
                escaped = False
                characters.append(character)
            else:
                return "".join(characters), index + 1
        raise _Refused(_("a value begins with {quote} and has no second one", quote=quote))

    def _inherited(self, key: str) -> str:
        if self.environment is None:
            raise _Unknown(_("takes it from the environment"))
        if key in self.environment:
            return self.environment[key]
        if self.values.get(key) is not None:
            return self.values[key] or ""
        raise _Unknown(_("takes it from the environment"))

    def _variable(self, name: str) -> str | None:
        """A variable's value, None where there is none: the environment counts more than the file."""
        value = self._known(name)
        self._brought += len(value or "")
        if self._brought > MOST_EXPANDED:
            raise _Unknown(_("makes it of variables, too long to follow"))
        return value

    def _known(self, name: str) -> str | None:
        if self.environment is not None and name in self.environment:
            return self.environment[name]
        if name in self.values:
            value = self.values[name]
            if value is None:
                raise _Unknown(REFERS)
            return value
        if self.environment is None:
            raise _Unknown(REFERS)
        return None

    def _expanded(self, text: str) -> str:
        if "$" not in text:
            return text
        return _VARIABLE.sub(lambda match: self._replacement(match[0]), text)

    def _replacement(self, part: str) -> str:
        closing = _closing_brace(part)
        rest = ""
        if closing >= 0:
            part, rest = part[: closing + 1], part[closing + 1 :]
        match = _VARIABLE.search(part)
        if not match:
            raise _Refused(_("there is a $ that begins nothing"))
        if match["escaped"]:
            return "$"
        if match["named"]:
            return self._variable(match["named"]) or ""
        inside = match["braced"]
        if not inside:
            raise _Refused(_("{sign} begins a variable that does not end", sign="${"))
        operators = [one for one in _OPERATORS if one in inside]
        if not operators:
            return self._variable(inside) or ""
        operator = min(operators, key=inside.index)
        name, _unused, word = inside.partition(operator)
        return self._chosen(self._variable(name), operator, word) + self._expanded(rest)

    def _chosen(self, value: str | None, operator: str, word: str) -> str:
        missing = value is None or (operator[0] == ":" and not value)
        if operator[-1] == "+":
            return (value or "") if missing else self._expanded(word)
        if missing and operator[-1] == "?":
            raise _Refused(_("a variable that the file demands is not set"))
        return self._expanded(word) if missing else value or ""


def _in_key(character: str) -> bool:
    return character in "_.-[]\t\v\f\r \x85\xa0" or character.isalpha() or character.isnumeric()


def _shown(character: str) -> str:
    return character if character.isprintable() else _("the character {code:#x}", code=ord(character))


def _match(pattern: "re.Pattern[str]", text: str, place: int) -> int:
    match = pattern.match(text, place)
    return match.end() if match else place


def _closing_brace(part: str) -> int:
    """The place of the brace that closes the first one. What stands right behind { is not looked at."""
    depth = place = 0
    while place < len(part):
        if part[place] == "}":
            depth -= 1
            if depth == 0:
                return place
        if part[place] == "{":
            depth += 1
            place += 1
        place += 1
    return -1


def _unescaped(raw: str) -> str:
    """What stands between double quotes with its escapes resolved; \\$ stays one for the expansion, as $$."""
    return _ESCAPE.sub(lambda match: _character(match[0]), raw)


def _character(escape: str) -> str:
    if escape == "\\$":
        return "$$"
    if escape[1] != "0":
        return _CONTROLS.get(escape[1], escape)
    digits = escape[2:]
    if len(digits) == 3 and not set(digits) - set("01234567") and int(digits, 8) < 256:
        return chr(int(digits, 8))
    return f"\\{digits}"
