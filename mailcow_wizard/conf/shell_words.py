"""How bash reads one word of mailcow.conf: quotes, escapes, expansions."""

from collections import ChainMap
from collections.abc import Mapping

from mailcow_wizard.conf.seen import MOST_EXPANDED
from mailcow_wizard.conf.shell_values import Ends, Refused, Values, Word
from mailcow_wizard.language import _
from mailcow_wizard.patterns import pattern

NAME = pattern(r"[A-Za-z_][A-Za-z0-9_]*")
ASSIGNMENT = pattern(r"([A-Za-z_][A-Za-z0-9_]*)(\+?)=")
_ELEMENT = pattern(r"([A-Za-z_][A-Za-z0-9_]*)\[")
_OPENS = pattern(r"(?:\\\n)*\(")
_META = frozenset(" \t\n;&|()<>")
_SPECIAL = frozenset("$!?#*@-0123456789_")
# What may stand behind ${NAME in the forms that are not followed here.
_FORMS = frozenset("#%/^,@[:")
_OPERATOR = pattern(r":?[-=+?]")

REFERS = _("takes it from a variable that this file does not set")
_RUNS_INSIDE = _("runs a command for it")
_HOME = _("puts a home directory in place of ~")
_NUMBERS = _("puts something of its own in place of what begins with $")
_LIST = _("makes it a list")
_ELEMENTS = _("an element of a list is meant")
_UNENDED = _("a quote or bracket is opened and not closed")


class Words:
    """Reads words of a text; `values` holds what was set so far."""

    def __init__(self, text: str, environment: Mapping[str, str] | None) -> None:
        """With `environment` None, nothing is said of variables that the file does not set."""
        self.text = text
        self.environment = environment
        self.values = Values()

    def skip_blanks(self, place: int) -> int:
        """The place behind spaces, tabs and joined lines."""
        while True:
            if self.text[place : place + 1] in (" ", "\t"):
                place += 1
            elif self.text.startswith("\\\n", place):
                place += 2
            else:
                return place

    def word(self, start: int, may_assign: bool, own: dict[str, str | None], exported: bool = False) -> Word:
        """The word at this place; `own` is what its command set before, `exported`: it is given to export.

        Raises Refused, Ends."""
        assignment = ASSIGNMENT.match(self.text, start) if may_assign else None
        element = _ELEMENT.match(self.text, start) if may_assign else None
        if element:
            raise Ends(_ELEMENTS)
        if not assignment:
            scan = _Scan(self, start, self.values.now)
            scan.unquoted(False)
            joined = self.text[start : scan.place].replace("\\\n", "")
            if may_assign and ASSIGNMENT.match(joined):
                raise Ends(_("a key is written on two lines"))
            if may_assign and _ELEMENT.match(joined):
                raise Ends(_ELEMENTS)
            return Word(
                self.text[start : scan.place],
                scan.place,
                substitutes=scan.substitutes,
                vanishes=scan.brace or not scan.solid,
            )
        key = assignment[1]
        values = ChainMap(own, self.values.now)
        opens = _OPENS.match(self.text, assignment.end())
        scan = _Scan(self, opens.end() - 1 if opens else assignment.end(), values)
        if opens:
            scan.elements()
            scan.unknown = scan.unknown or _LIST
        else:
            scan.unquoted(True)
            if exported and scan.brace:
                scan.unknown = scan.unknown or _NUMBERS
        value = None if scan.unknown else "".join(scan.parts)
        if assignment[2] and value is not None:
            before = values.get(
                key, (self.environment or {}).get(key, "") if self.environment is not None else None
            )
            value = None if before is None and key in values else (before or "") + value
        return Word(self.text[start : scan.place], scan.place, key, value, scan.unknown, scan.substitutes)


class _Scan:
    """Goes through one word and gathers its value."""

    def __init__(self, words: Words, place: int, values: Mapping[str, str | None]) -> None:
        self.words = words
        self.text = words.text
        self.values = values
        self.place = place
        self.parts: list[str] = []
        self.unknown = ""
        self.substitutes = False
        self.solid = False
        self.brace = False
        self.brought = 0

    def _peek(self, ahead: int = 0) -> str:
        return self.text[self.place + ahead : self.place + ahead + 1]

    def _doubt(self, why: str) -> None:
        self.unknown = self.unknown or why

    def unquoted(self, assigns: bool, closing: str = "") -> None:
        """To the end of the word, or to `closing` inside of ${…}."""
        tilde = assigns
        while True:
            character = self._peek()
            if not character:
                if closing:
                    raise Refused(_UNENDED)
                return
            if closing and character == closing:
                return
            if not closing and character in "<>" and self._peek(1) == "(":
                self.place += 1
                self._parenthesis()
            elif not closing and character in _META:
                return
            elif character == "~" and tilde:
                self._tilde()
            elif character == "\\":
                joins = self._peek(1) == "\n"
                self.solid = self.solid or not joins
                self._escape()
                if joins:
                    continue
            elif character == "'":
                self.solid = True
                self._single()
            elif character == '"':
                self.solid = True
                self.place += 1
                self._double()
            elif character == "$":
                self._dollar(quoted=False)
            elif character == "`":
                self._backtick()
            else:
                self.solid = True
                self.brace = self.brace or character == "{"
                self.parts.append(character)
                self.place += 1
                tilde = assigns and character == ":"
                continue
            tilde = False

    def _escape(self) -> None:
        following = self._peek(1)
        if following != "\n":
            self.parts.append(following or "\\")
        self.place += 2 if following else 1

    def _single(self) -> None:
        end = self.text.find("'", self.place + 1)
        if end < 0:
            raise Refused(_UNENDED)
        self.parts.append(self.text[self.place + 1 : end])
        self.place = end + 1

    def _double(self, closing: str = '"') -> None:
        """What stands behind an opening double quote, with the closing one; in "${…}", to the brace."""
        while True:
            character = self._peek()
            if not character:
                raise Refused(_UNENDED)
            if character == closing:
                self.place += 1
                return
            if character == "\\":
                if self._peek(1) in ("$", "`", '"', "\\", "\n", closing):
                    self._escape()
                else:
                    self.parts.append("\\")
                    self.place += 1
            elif character == "$":
                self._dollar(quoted=True)
            elif character == "`":
                self._backtick()
            elif character == '"':
                self.place += 1
                self._double()
            elif character == "'" and closing == "}":
                raise Ends(_("a ' stands where bash reads it now as a quote, now not"))
            else:
                self.parts.append(character)
                self.place += 1

    def _backtick(self) -> None:
        self.place += 1
        while self._peek() != "`":
            if not self._peek():
                raise Refused(_UNENDED)
            self.place += 2 if self._peek() == "\\" else 1
        self.place += 1
        self.substitutes = True
        self._doubt(_RUNS_INSIDE)

    def _parenthesis(self) -> None:
        """A command in parentheses: bash runs it, so all that counts is where it ends."""
        self.place += 1
        depth = 1
        scan = _Scan(self.words, self.place, self.values)
        while depth:
            character = scan._peek()
            if not character:
                raise Refused(_UNENDED)
            if character in "()":
                depth += 1 if character == "(" else -1
                scan.place += 1
            elif character in " \t":
                scan.place += 1
            elif character in _META or character in "{}#":
                raise Ends(_("a program stands between parentheses"))
            else:
                scan.unquoted(False)
        self.place = scan.place
        self.substitutes = True
        self._doubt(_RUNS_INSIDE)

    def elements(self) -> None:
        """KEY=( … ): words up to the closing parenthesis."""
        self.place += 1
        while True:
            character = self._peek()
            if not character:
                raise Refused(_UNENDED)
            if character == ")":
                self.place += 1
                if self._peek() and self._peek() not in _META:
                    raise Ends(_("a list goes on behind its bracket"))
                return
            if character in " \t\n":
                self.place += 1
            elif self.text.startswith("\\\n", self.place):
                self.place += 2
            elif character == "#":
                end = self.text.find("\n", self.place)
                self.place = len(self.text) if end < 0 else end
            elif character == "[":
                raise Ends(_ELEMENTS)
            elif character in _META and not (character in "<>" and self._peek(1) == "("):
                raise Refused(_("{character} has a meaning of its own there", character=character))
            else:
                self.unquoted(False)

    def _dollar(self, quoted: bool) -> None:
        while self.text.startswith("\\\n", self.place + 1):
            self.place += 2
        following = self._peek(1)
        name = NAME.match(self.text, self.place + 1)
        if name and name[0] != "_":
            self.place = name.end()
            self._variable(name[0])
            if self.text.startswith("\\\n", self.place):
                self._doubt(_NUMBERS)
        elif following == "{":
            self._braces(quoted)
        elif following == "(":
            self.place += 1
            self._parenthesis()
        elif following == "[":
            end = self.text.find("]", self.place)
            if end < 0 or not self.text[self.place + 2 : end].isalnum():
                raise Ends(_("arithmetic stands between brackets"))
            self.place = end + 1
            self._doubt(_NUMBERS)
        elif following == "'" and not quoted:
            self._ansi()
        elif following == '"' and not quoted:
            self.place += 2
            self._double()
        elif following and following in _SPECIAL:
            self.place += 2
            self._doubt(_NUMBERS)
            if following == "$" and self._peek() and self._peek() in "({[":
                raise Ends(_("$$ stands before a bracket"))
        else:
            self.parts.append("$")
            self.place += 1

    def _ansi(self) -> None:
        """$'…' with escapes as in C."""
        self.place += 2
        while self._peek() != "'":
            if not self._peek():
                raise Refused(_UNENDED)
            self.place += 2 if self._peek() == "\\" else 1
        self.place += 1
        self._doubt(_NUMBERS)

    def _lookup(self, name: str) -> str | None:
        """A variable's value, None where it is not set; the doubt is noted where it cannot be told."""
        if name in self.values:
            value = self.values[name]
            if value is None:
                self._doubt(REFERS)
            return value
        if self.words.environment is None:
            self._doubt(REFERS)
            return None
        return self.words.environment.get(name)

    def _variable(self, name: str) -> None:
        value = self._lookup(name) or ""
        self._bring([value], len(value))

    def _bring(self, parts: list[str], length: int) -> None:
        """Adds what variables make, of this length."""
        self.brought += length
        if self.brought > MOST_EXPANDED:
            raise Ends(_("variables make a value too long to follow"))
        self.parts += parts

    def _braces(self, quoted: bool) -> None:
        """${NAME} and ${NAME:-word}; of the other forms only the end is looked for."""
        self.place += 2
        name = NAME.match(self.text, self.place)
        if not name:
            raise Ends(_("{sign} begins no variable of a file of settings", sign="${"))
        self.place = name.end()
        if self._peek() == "}":
            self.place += 1
            self._variable(name[0])
            return
        operator = _OPERATOR.match(self.text, self.place)
        if not operator:
            self._other_braces(quoted)
            return
        self.place = operator.end()
        inner = _Scan(self.words, self.place, self.values)
        inner._to_brace(quoted)
        self.place = inner.place
        self.substitutes = self.substitutes or inner.substitutes
        self._choose(name[0], operator[0], inner)

    def _choose(self, name: str, operator: str, inner: "_Scan") -> None:
        known = name not in self.values or self.values[name] is not None
        if not known and operator[-1] == "?":
            raise Ends(_("a variable that the file demands may not be set"))
        value = self._lookup(name)
        if not known:
            return
        missing = value is None or (operator[0] == ":" and not value)
        if operator[-1] == "?" and missing:
            raise Ends(_("a variable that the file demands is not set"))
        if (operator[-1] == "+") == missing:
            kept = value if not missing and value else ""
            self._bring([kept], len(kept))
            return
        if inner.unknown:
            self._doubt(inner.unknown)
        self._bring(inner.parts, inner.brought)
        if operator[-1] == "=":
            self._doubt(_NUMBERS)

    def _to_brace(self, quoted: bool) -> None:
        """The rest of ${…}, with the brace."""
        if quoted:
            self._double("}")
        else:
            self.unquoted(False, "}")
            self.place += 1

    def _other_braces(self, quoted: bool) -> None:
        if not self._peek() or self._peek() not in _FORMS:
            raise Ends(_("{sign} begins no variable of a file of settings", sign="${"))
        inner = _Scan(self.words, self.place, self.values)
        inner._to_brace(quoted)
        self.place = inner.place
        self._doubt(_NUMBERS)

    def _tilde(self) -> None:
        """~ and ~name at the beginning of a value or behind a colon."""
        end = self.place + 1
        while self.text[end : end + 1] and self.text[end] not in _META and self.text[end] not in "/:'\"\\$`":
            end += 1
        home = (self.words.environment or {}).get("HOME")
        quoted = self.text[end : end + 1] in tuple("'\"\\$`")
        if quoted and not self.text.startswith("\\\n", end):
            self.parts.append(self.text[self.place : end])
            self.brace = self.brace or "{" in self.text[self.place : end]
        elif end == self.place + 1 and home is not None and not self.text.startswith("\\\n", end):
            self.parts.append(home)
        else:
            self._doubt(_HOME)
        self.place = end
