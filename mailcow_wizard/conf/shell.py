"""How bash reads mailcow.conf when it sources it (as of bash 5): what it sets, what it would run instead.

Only what a file of settings can hold is followed: assignments, `export`, comments, quotes, expansions, and
the operators that turn a line into something else. Where a line is a program (`if`, a function, a
here-document), the rest of the file is no longer certain, and that is what is said.
"""

import re
from collections.abc import Mapping

from mailcow_wizard.conf.seen import ALIKE, Seen, Stop
from mailcow_wizard.conf.shell_values import Ends, Refused, Word
from mailcow_wizard.conf.shell_words import ASSIGNMENT, NAME, Words
from mailcow_wizard.language import _
from mailcow_wizard.patterns import pattern

_RUNS = _("runs a command instead")
_BACKGROUND = _("sets it in a process of its own, which ends at once")
_PERHAPS = _("sets it or not, as a command ends")
_RESERVED = pattern(
    r"if|then|else|elif|fi|for|while|until|do|done|case|esac|select|function|\{|\}|!|\[\[|\]\]|time|coproc|in"
)
# These change what is read after them, or end it.
_BUILTINS = pattern(
    r"\.|alias|bind|break|builtin|command|continue|declare|enable|eval|exec|exit|getopts|let|local|mapfile|printf"
    r"|read|readarray|readonly|return|set|shift|shopt|source|trap|typeset|ulimit|unalias|unset"
)
NOT_SET = (_RUNS, _BACKGROUND)
"""What bash does instead of setting a key, so that it has no value."""
_DEEP = _("brackets stand within brackets too deeply")
_STOPS = _("reads no further")
_OPERATORS = ("&&", "||", "|&", "|", ";", "&", "\n")
_JOINING = ("&&", "||", "|&", "|")
_CLOSED = _("a command is missing or not finished")


def read(text: str, environment: Mapping[str, str] | None = None) -> tuple[tuple[Seen, ...], Stop | None]:
    """What bash sees, and the line from which it reads nothing."""
    reader = _Reader(text, environment)
    reader.run()
    return tuple(reader.found), reader.stop


class _Reader:
    """One pass over the text, line by line. After a line that stops bash it goes on with the next."""

    def __init__(self, text: str, environment: Mapping[str, str] | None) -> None:
        self.text = text
        self.words = Words(text, environment)
        self.found: list[Seen] = []
        self.stop: Stop | None = None
        self._line = 1
        self._counted = 0

    def run(self) -> None:
        place = 0
        while place < len(self.text):
            plain = ALIKE.match(self.text, place)
            if plain:
                place = self._plain(plain)
                continue
            line = _Line(self, place)
            before = self.words.values.mark()
            try:
                place = line.read()
                self.found += line.settled
            except (Refused, Ends, RecursionError) as problem:
                # A line with a mistake in it is not carried out at all, not even its beginning.
                wrong = isinstance(problem, Refused)
                why = _DEEP if isinstance(problem, RecursionError) else str(problem)
                self.stop = self.stop or Stop(self.line_of(place), why, wrong)
                self.words.values.back(before)
                self.found += [
                    one._replace(value=None, does=_STOPS) if wrong else one for one in line.everything()
                ]
                end = self.text.find("\n", place)
                place = len(self.text) if end < 0 else end + 1

    def _plain(self, match: "re.Match[str]") -> int:
        """A line of which there is nothing to think about; the place behind it."""
        if match[1]:
            line = self.line_of(match.start())
            self.found.append(Seen(match[1], line, match.start(), match.end(2), match[2]))
            self.words.values.set(match[1], match[2])
        return match.end() + 1

    def line_of(self, place: int) -> int:
        """The number of the line with this place. After a mistake it may be one further up."""
        if place < self._counted:
            return self._line - self.text.count("\n", place, self._counted)
        self._line += self.text.count("\n", self._counted, place)
        self._counted = place
        return self._line


class _Line:
    """What bash reads at once before it does anything: mostly a line, more where quotes go on."""

    def __init__(self, reader: _Reader, place: int) -> None:
        self.reader = reader
        self.text = reader.text
        self.words = reader.words
        self.place = place
        self.settled: list[Seen] = []
        # The list of commands joined by && and ||: what it sets counts when it ends, unless & sends it away.
        self._pending: list[Seen] = []
        self._values_before = reader.words.values.mark()
        self._may_fail = False
        self._command = _Command()

    def read(self) -> int:
        """Reads to the end of the line and returns the place behind it."""
        after = ""
        while True:
            self._read_command(after)
            operator = next((one for one in _OPERATORS if self.text.startswith(one, self.place)), "")
            self.place += len(operator)
            self._refuse_joined(self.place)
            if operator not in _JOINING:
                self._settle(_BACKGROUND if operator == "&" else "")
            if operator in ("\n", ""):
                return self.place
            after = operator if operator in _JOINING else ""

    def _refuse_joined(self, place: int) -> None:
        """An operator whose line goes on behind a backslash may be another one there."""
        if self.text.startswith("\\\n", place) and self.text[place - 1] != "\n":
            raise Ends(_("an operator is written on two lines"))

    def everything(self) -> list[Seen]:
        """All that it sets, or would set, as far as it was read."""
        return [*self.settled, *self._pending, *self._command.settings]

    def _settle(self, instead: str) -> None:
        if instead:
            self.words.values.back(self._values_before)
        self.settled += [one._replace(value=None, does=instead) if instead else one for one in self._pending]
        self._pending = []
        self._may_fail = False
        self._values_before = self.words.values.mark()

    def _read_command(self, after: str) -> None:
        """Reads one command: words and redirections up to an operator."""
        command = self._command = _Command()
        while True:
            self.place = self.words.skip_blanks(self.place)
            if self.text.startswith("#", self.place):
                end = self.text.find("\n", self.place)
                self.place = len(self.text) if end < 0 else end
            character = self.text[self.place : self.place + 1]
            if character in ("", "\n") and after and command.empty:
                if not character:
                    raise Refused(_CLOSED)
                self.place += 1
            elif character in ("", "\n", ";", "&", "|") and not self.text.startswith("&>", self.place):
                break
            elif character == "(" and command.empty:
                raise Ends(_("a program stands between parentheses"))
            elif character in "()":
                raise Refused(_("{character} has a meaning of its own there", character=character))
            elif character in "<>&" and self.text[self.place + 1 : self.place + 2] != "(":
                self._redirection(command)
            else:
                self._word(command)
        if character in (";", "&", "|") and command.empty:
            raise Refused(_("{character} stands where a command should begin", character=character))
        if self.text.startswith((";;", ";&"), self.place):
            raise Refused(
                _("{operator} stands outside of case", operator=self.text[self.place : self.place + 2])
            )
        self._end(command, after)

    def _word(self, command: "_Command") -> None:
        start = self.place
        line = self.reader.line_of(start)
        # What is given to export is expanded before anything is set, a row of assignments one by one.
        own = {} if command.exports else command.values
        word = self.words.word(start, command.takes_assignments, own, command.exports)
        self.place = word.end
        if word.raw.isdigit() and self.text[word.end : word.end + 1] in ("<", ">"):
            self._redirection(command)
            return
        command.add(word, Seen(word.key, line, start, word.end, word.value, word.does))

    def _redirection(self, command: "_Command") -> None:
        """An operator such as > and the word behind it. A here-document is a program's business."""
        text = self.text
        operator = next(
            one
            for one in ("&>>", "<<<", "&>", "<<", ">>", "<&", ">&", "<>", ">|", "<", ">")
            if text.startswith(one, self.place)
        )
        if operator == "<<":
            raise Ends(_("a here-document begins"))
        self._refuse_joined(self.place + len(operator))
        self.place = self.words.skip_blanks(self.place + len(operator))
        character = text[self.place : self.place + 1]
        if character in ("", "\n", "#", ";", "&", "|", "(", ")") or (
            character in "<>" and text[self.place + 1 : self.place + 2] != "("
        ):
            raise Refused(_("{operator} reads or writes a file, and none is named", operator=operator))
        word = self.words.word(self.place, False, {})
        self.place = word.end
        if operator[-1] != "&" and word.raw.isdigit() and text[self.place : self.place + 1] in ("<", ">"):
            raise Refused(_("{operator} reads or writes a file, and none is named", operator=operator))
        if command.settings and "$" in word.raw:
            raise Ends(_("the name of a file is made of variables"))
        command.redirected = True

    def _end(self, command: "_Command", after: str) -> None:
        """Says what the command does to the keys that it seems to set."""
        piped = after in ("|", "|&") or (
            self.text.startswith("|", self.place) and not self.text.startswith("||", self.place)
        )
        found = command.settings
        if command.runs:
            if _RESERVED.fullmatch(command.name) or _BUILTINS.fullmatch(command.name):
                raise Ends(_("{command} is a word of programs", command=command.name))
            if command.may_be_any:
                raise Ends(_("the name of a command is made of variables"))
            does = _PERHAPS if command.vanishes else _RUNS
            found = [one._replace(value=None, does=does) for one in found]
            if command.named and not command.exports:
                found.append(command.named._replace(value=None, does=_RUNS))
        elif command.exports and command.redirected:
            found = [one._replace(value=None, does=_PERHAPS) for one in found]
        if piped:
            found = [one._replace(value=None, does=_BACKGROUND) for one in found]
        elif after == "||" and not self._may_fail:
            found = []
        elif after and self._may_fail:
            found = [one._replace(value=None, does=_PERHAPS) for one in found]
        self._command = _Command()
        self._pending += found
        for one in found:
            if one.does not in NOT_SET:
                self.words.values.set(one.key, one.value)
        uncertain = command.runs or command.redirected or command.fails or command.substitutes
        self._may_fail = self._may_fail or uncertain or piped


class _Command:
    """The words of one command so far."""

    def __init__(self) -> None:
        self.values: dict[str, str | None] = {}
        self.settings: list[Seen] = []
        self.redirected = False
        self.substitutes = False
        self.name = ""
        self.named: Seen | None = None
        self.runs = False
        self.exports = False
        self.vanishes = True
        self.fails = False
        self._words = 0

    @property
    def empty(self) -> bool:
        """Whether nothing was read yet."""
        return not (self.settings or self._words or self.redirected)

    @property
    def takes_assignments(self) -> bool:
        """Whether KEY=value at this place sets the key."""
        return not self._words or self.exports

    @property
    def may_be_any(self) -> bool:
        """Whether letters and variables together name the command: that may be `export`. What has a slash is
        the path of a program."""
        made = not self.vanishes and ("$" in self.name or "`" in self.name)
        return made and "/" not in self.name.partition("$")[0] + self.name.rpartition("}")[2]

    def add(self, word: Word, seen: Seen) -> None:
        """One more word: an assignment, the command's name, or what it is given."""
        self.substitutes = self.substitutes or word.substitutes
        if word.key and self.takes_assignments:
            self.settings.append(seen)
            self.values[word.key] = word.value
            return
        self._words += 1
        self.vanishes = self.vanishes and word.vanishes
        if self._words == 1:
            self.name = word.raw.replace("\\\n", "")
            self.exports = word.raw == "export"
            if self.exports and self.settings:
                raise Ends(_("export stands behind a setting"))
            self.runs = not self.exports
            key = NAME.match(word.raw)
            if key and word.raw[key.end() :] in ("", ":"):
                self.named = seen._replace(key=key[0])
            assignment = ASSIGNMENT.match(word.raw)
            if assignment:
                self.named = seen._replace(key=assignment[1])
        elif self.exports and not NAME.fullmatch(word.raw):
            self.runs = self.runs or (self._words == 2 and not self.settings and word.raw.startswith("-"))
            self.fails = True
