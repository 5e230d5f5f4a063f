"""What a rule for mailcow.conf is: it looks at a `File`, and yields what it finds."""

from collections.abc import Callable, Iterator, Mapping

from mailcow_wizard.conf.document import Document, written
from mailcow_wizard.conf.reading import Readings
from mailcow_wizard.conf.seen import Seen
from mailcow_wizard.conf.switch import is_yes
from mailcow_wizard.conf.unwritable import Unwritable
from mailcow_wizard.language import pgettext
from mailcow_wizard.redaction import is_secret, value_shown
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Literal, TypeAlias

    Level: TypeAlias = Literal["error", "warning", "advice"]

LEVELS = ("error", "warning", "advice")
LEVEL_WORDS = {
    "error": pgettext("a line of mailcow.conf", "error"),
    "warning": pgettext("a line of mailcow.conf", "warning"),
    "advice": pgettext("a line of mailcow.conf", "advice"),
}
_MOST_FIXES = 100


class Surroundings(NamedTuple):
    """What the machine says to a mailcow.conf; None is not known, and then the rule that needs it is silent.

    `addresses` are the machine's IPv4 addresses, `addresses_v6` its global ones of IPv6; `is_zone` tells
    whether a timezone exists here (None: not known), `timezone` is the machine's own; `domains` are the mail
    domains that were named; `exported` the variables that docker compose would take before the file's;
    `compose` are the flavours that are installed (native, standalone), the one to choose first; `projects`
    those compose projects that have a database; `env` is what `.env` is: right, missing, file, elsewhere, or
    what else is there; `takes` tells whether docker-compose.yml hands a key on to a container as it is, with
    nothing in its place where the file has none.
    """

    addresses: frozenset[str] | None = None
    addresses_v6: frozenset[str] | None = None
    is_zone: Callable[[str], bool | None] | None = None
    timezone: str | None = None
    domains: tuple[str, ...] = ()
    exported: frozenset[str] | None = None
    compose: tuple[str, ...] | None = None
    projects: tuple[str, ...] | None = None
    env: str | None = None
    takes: Callable[[str], bool] | None = None


class LintFinding(NamedTuple):
    """Something wrong. `line` counts from 1, None where it is no line's matter; `key` is empty where it is
    no key's. `remedy` says the change in a few words, a setting as it is to be written, and `fix` is the
    document with it, where there is one safe answer."""

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

    def lacks(self, key: str) -> bool:
        """Whether a key is not set, or empty. One whose value cannot be told is neither: other rules tell."""
        untold = any(one.value is None for one in self.seen(key))
        return not self.values.get(key) and not untold

    def yes(self, key: str) -> bool:
        """Whether a switch is on, as mailcow reads it: another rule says how it is to be written."""
        return is_yes(self.values.get(key, ""))

    def shown(self, key: str) -> str:
        """KEY=value for a message; of a secret the key alone."""
        return key if is_secret(key) else f"{key}={self.values.get(key, '')}"

    def finding(
        self, key: str, rule: str, level: "Level", message: str, changes: Mapping[str, str] | None = None
    ) -> LintFinding:
        """A finding about a key; `changes` are the values that would be right."""
        fix = self._changed(changes) if changes and self._wanted(rule) else None
        if not changes or fix is None:
            return LintFinding(self.line(key), key, rule, level, message)
        words = " ".join(
            f"{one}=…" if is_secret(one) else written(one, value) for one, value in changes.items()
        )
        return LintFinding(self.line(key), key, rule, level, message, words, fix)

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
