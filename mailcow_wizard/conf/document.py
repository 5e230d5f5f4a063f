"""mailcow.conf as something that can be changed: every byte that is not meant to change stays."""

import re
from collections.abc import Collection

from mailcow_wizard.conf import reading
from mailcow_wizard.conf.reading import KEPT
from mailcow_wizard.conf.shell_values import OWN
from mailcow_wizard.conf.unwritable import Unwritable
from mailcow_wizard.language import _

_KEY = r"[A-Za-z_][A-Za-z0-9_]*"
# What neither reader takes for anything but itself, so that no quotes are needed.
_PLAIN = r"[A-Za-z0-9._,:/@*+=\[\]-]*"


class Document:
    """mailcow.conf's content. Immutable: what changes it returns another document."""

    def __init__(self, text: str) -> None:
        """Use `read`, unless the content is at hand as `reading.text_of` makes it."""
        self._text = text
        self._readings: reading.Readings | None = None

    @classmethod
    def read(cls, data: bytes) -> "Document":
        """The document of a file's content, whatever bytes they are."""
        return cls(reading.text_of(data))

    @property
    def data(self) -> bytes:
        """The content, byte for byte what was read where nothing was changed."""
        return reading.data_of(self._text)

    @property
    def readings(self) -> reading.Readings:
        """How bash and compose each read it."""
        if self._readings is None:
            self._readings = reading.readings(self._text)
        return self._readings

    def keys(self) -> tuple[str, ...]:
        """The keys that are set, in the order of the file."""
        return tuple(self.readings.values())

    def get(self, key: str) -> str | None:
        """The key's value; where bash and compose part, compose's. None where it is not set."""
        return self.readings.values().get(key)

    def unread(self, keys: Collection[str]) -> str:
        """Why these keys are not read as they stand there, by a line of the file; empty where they are."""
        bash, compose = self.readings.bash_stops, self.readings.compose_stops
        if bash and bash.certain:
            more = _("; docker compose reads nothing of it at all") if compose else ""
            return _(
                "bash reads nothing of this file from line {line} on{more}: {why}{long}",
                line=bash.line,
                more=more,
                why=bash.why,
                long=self._long(),
            )
        if compose:
            why = f"{compose.why}{self._long()}"
            return _(
                "docker compose reads nothing of this file because of line {line}: {why}",
                line=compose.line,
                why=why,
            )
        seen = (self.readings.last(key)[0] for key in keys)
        if bash and any(one is None or one.line >= bash.line for one in seen):
            return _(
                "what bash reads of this file from line {line} on is not certain: {why}",
                line=bash.line,
                why=bash.why,
            )
        return ""

    def _long(self) -> str:
        """The first value that goes on over lines: its second quote may be missing."""
        every = sorted((*self.readings.bash, *self.readings.compose), key=lambda one: one.start)
        line = next((one.line for one in every if "\n" in self._text[one.start : one.end]), 0)
        return _("; the value in line {line} goes on over several lines", line=line) if line else ""

    def set(self, key: str, value: str) -> "Document":
        """The document with this value. Raises Unwritable.

        The line that counts is changed where it stands; else `#KEY=` is un-commented; else the key goes
        where mailcow's own file has it, under a line that says what it is.
        """
        from mailcow_wizard.conf.editing import with_value

        return Document(with_value(self.readings, key, written(key, value), value))

    def unset(self, key: str) -> "Document":
        """The document without the lines that set the key. Raises Unwritable where they are damaged."""
        from mailcow_wizard.conf.editing import without

        return Document(without(self.readings, key))


def written(key: str, value: str) -> str:
    """`KEY=value` in the form that both readers take for this value. Raises Unwritable."""
    if not re.fullmatch(_KEY, key):
        raise Unwritable(_("a key consists of letters, digits and _, and does not begin with a digit"))
    if key in KEPT:
        raise Unwritable(_("{key}: bash keeps this variable for itself, and takes no other value", key=key))
    if key in OWN:
        raise Unwritable(
            _("{key}: this is a variable of the shell, and mailcow's scripts would no longer work", key=key)
        )
    if re.fullmatch(_PLAIN, value):
        return f"{key}={value}"
    reason = _obstacle(value)
    if reason:
        raise Unwritable(f"{key}: {reason}")
    line = f"{key}='{value}'"
    if reading.readings(line + "\n").parted():
        raise Unwritable(_("{key}: bash and docker compose would read this value differently", key=key))
    return line


def _obstacle(value: str) -> str:
    """Why a value cannot stand between single quotes."""
    if "'" in value:
        return _("a value with a ' in it cannot be written so that bash and docker compose read the same")
    if any(ord(character) < 32 or character == "\x7f" for character in value):
        return _("a value has one line, without control characters")
    try:
        value.encode()
    except UnicodeEncodeError:
        return _("the value is not text in UTF-8")
    return ""
