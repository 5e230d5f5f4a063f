"""What is wrong in a mailcow.conf: every finding with its line, its rule, and the change that mends it.

The rules are in files of their own: how lines are written (`rules_lines`), what a value may be
(`rules_values`), what goes together and what the machine says to it (`rules_together`). Each is a function
that looks at a `File` and yields findings. Values of secret keys are never part of a message.
"""

from collections.abc import Callable, Iterator, Mapping

from mailcow_wizard.conf.document import Document, Unwritable
from mailcow_wizard.conf.reading import Readings, Seen
from mailcow_wizard.language import _
from mailcow_wizard.redaction import REMOVED, is_secret, value_shown
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Literal, TypeAlias

    Level: TypeAlias = Literal["error", "warning", "advice"]

LEVELS = ("error", "warning", "advice")
_MOST_ROUNDS = 500
_MOST_FIXES = 100


class Surroundings(NamedTuple):
    """What the machine says to a mailcow.conf; None is not known, and then the rule that needs it is silent.

    `addresses` are the machine's IPv4 addresses; `is_zone` tells whether a timezone exists here, `timezone`
    is the machine's own; `domains` are the mail domains that were named; `exported` the variables that
    docker compose would take before the file's; `compose` is the flavour that is installed (native,
    standalone, empty: none); `projects` those compose projects that have a database; `env` is what `.env`
    is: right, missing, file, elsewhere, or
    what else is there.
    """

    addresses: frozenset[str] | None = None
    is_zone: Callable[[str], bool] | None = None
    timezone: str | None = None
    domains: tuple[str, ...] = ()
    exported: frozenset[str] | None = None
    compose: str | None = None
    projects: tuple[str, ...] | None = None
    env: str | None = None


class LintFinding(NamedTuple):
    """Something wrong. `line` counts from 1, None where it is no line's matter; `key` is empty where it is
    no key's. `remedy` says the change in a few words, and `fix` is the document with it, where there is one
    safe answer."""

    line: int | None
    key: str
    rule: str
    level: "Level"
    message: str
    remedy: str = ""
    fix: Document | None = None


class File:
    """A mailcow.conf as rules look at it: values as docker compose takes them, and where they stand."""

    def __init__(self, document: Document, about: Surroundings, rule: str = "") -> None:
        """`about` is what is known of the machine; with a `rule`, only its first finding gets a fix."""
        self._rule = rule
        self._fixes = 0
        self.document = document
        self.about = about
        self.readings: Readings = document.readings
        # Where two settings were joined on one line, the second may be a secret.
        self.values: Mapping[str, str] = {
            key: value if is_secret(key) else value_shown(key, value)
            for key, value in self.readings.values().items()
        }

    def line(self, key: str) -> int | None:
        """The line that sets a key; None where none does."""
        return next((one.line for one in reversed(self.seen(key))), None)

    def seen(self, key: str) -> tuple[Seen, ...]:
        """The statements that count for a key, bash's before compose's."""
        return tuple(one for one in self.readings.last(key) if one)

    def shown(self, key: str) -> str:
        """KEY=value for a message; of a secret the key alone."""
        return key if is_secret(key) else f"{key}={self.values.get(key, '')}"

    def finding(
        self, key: str, rule: str, level: "Level", message: str, changes: Mapping[str, str] | None = None
    ) -> LintFinding:
        """A finding about a key; `changes` are the values that would be right."""
        fix = self._changed(changes) if changes and self._wanted(rule) else None
        words = " ".join(
            f"{one}=…" if is_secret(one) else f"{one}={value}" for one, value in (changes or {}).items()
        )
        return LintFinding(self.line(key), key, rule, level, message, words if fix else "", fix)

    def _wanted(self, rule: str) -> bool:
        """Each fix reads the whole file again, which a file full of faults would pay for many times over."""
        if self._rule:
            return rule == self._rule and not self._fixes
        return self._fixes < _MOST_FIXES

    def _changed(self, changes: Mapping[str, str]) -> Document | None:
        document = self.document
        try:
            for key, value in changes.items():
                document = document.set(key, value)
        except Unwritable:
            return None
        self._fixes += 1
        return document


NOTHING_KNOWN = Surroundings()

Rule = Callable[[File], Iterator[LintFinding]]


def lint(data: bytes, about: Surroundings = NOTHING_KNOWN, rule: str = "") -> tuple[LintFinding, ...]:
    """All findings, in the order of the lines; what is no line's matter comes last.

    With a `rule`, only its first finding that can be mended is sure to have its fix.
    """
    from mailcow_wizard.conf import rules_lines, rules_together, rules_values

    if b"\0" in data:
        words = _("this is not a text file")
        return (LintFinding(None, "", "not-a-text-file", "error", words),)
    file = File(Document.read(data), about, rule)
    found = list(rules_lines.whole_file(file))
    found += rules_lines.lines(file)
    for look in (*rules_values.RULES, *rules_together.RULES):
        found += look(file)
    # Of a secret that a recorded machine does not tell, nothing can be said.
    found = [one for one in found if not (is_secret(one.key) and file.values.get(one.key) == REMOVED)]
    return tuple(sorted(found, key=lambda one: (one.line is None, one.line or 0)))


def mended(data: bytes, rule: str, about: Surroundings = NOTHING_KNOWN) -> Document:
    """The file with everything mended that a rule finds and that has one safe answer."""
    document = Document.read(data)
    for _unused in range(_MOST_ROUNDS):
        fix = next(
            (one.fix for one in lint(document.data, about, rule) if one.rule == rule and one.fix), None
        )
        if fix is None or fix.data == document.data:
            break
        document = fix
    return document
