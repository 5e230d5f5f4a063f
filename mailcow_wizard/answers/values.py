"""What the value of an answer may be: how each kind is read, what is wrong with it, what would be right."""

from __future__ import annotations

import re
from collections.abc import Callable

from mailcow_wizard import names
from mailcow_wizard.harmless import harmless
from mailcow_wizard.language import _
from mailcow_wizard.redaction import without_credentials
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Any

    Read = Callable[[object], Any]

_LONGEST = 400
_SMALLEST_MTU, _LARGEST_MTU = 1280, 9000
_TYPES = {
    "bool": _("true or false"),
    "int": _("a number"),
    "float": _("a number"),
    "list": _("a list"),
    "dict": _("a table"),
    "str": _("a text"),
}


class Wrong(ValueError):
    """A value cannot be what it is; `right` says what could stand there. Of a list, `parts` are the elements
    that are wrong, by their numbers."""

    def __init__(self, what: str, right: str, parts: dict[int, Wrong] | None = None) -> None:
        super().__init__(what)
        self.right = right
        self.parts = parts or {}


class Kind(NamedTuple):
    """A kind of value: its JSON Schema, what reads it (raises Wrong), an example as TOML."""

    schema: dict[str, Any]
    read: Read
    example: str


def type_of(value: object) -> str:
    """What TOML calls it, for people."""
    return _TYPES.get(type(value).__name__, _("a date or time"))


def shown(value: object) -> str:
    """A value in a message, without a password of an address."""
    words = str(value).lower() if isinstance(value, bool) else repr(value)
    return harmless(without_credentials(words), 60)


def text(read: Callable[[str], str], example: str) -> Kind:
    """A text; `read` raises NotAName or Wrong where it is not such a one."""
    right = _('such as "{example}"', example=example)

    def told(value: object) -> str:
        if not isinstance(value, str):
            raise Wrong(_("it is {kind}, and must be a text", kind=type_of(value)), right)
        if len(value) > _LONGEST or not value.isprintable():
            raise Wrong(_("it is no text of one line with at most {n} characters", n=_LONGEST), right)
        try:
            return read(value)
        except names.NotAName as error:
            raise Wrong(_("it is {value}: {why}", value=shown(value), why=error), right) from None

    return Kind({"type": "string"}, told, f'"{example}"')


def texts(one: Kind) -> Kind:
    """A list of texts of a kind."""

    right = _("such as {example}", example=f"[{one.example}]")

    def told(value: object) -> tuple[str, ...]:
        if not isinstance(value, list):
            raise Wrong(_("it is {kind}, and must be a list", kind=type_of(value)), right)
        made: list[str] = []
        wrong: dict[int, Wrong] = {}
        for number, element in enumerate(value):
            try:
                made.append(one.read(element))
            except Wrong as error:
                wrong[number] = error
        if wrong:
            raise Wrong(_("it has elements that cannot be"), right, wrong)
        return tuple(dict.fromkeys(made))

    return Kind({"type": "array", "items": one.schema}, told, f"[{one.example}]")


def choice(values: tuple[str, ...], private: bool = False) -> Kind:
    """One of a few words; `private`: what stands there instead may be a password, and is not repeated."""
    words = _("one of {values}", values=", ".join(f'"{one}"' for one in values))

    def told(value: object) -> str:
        if value not in values or not isinstance(value, str):
            if private:
                raise Wrong(_("it is none of its values"), words)
            raise Wrong(_("it is {value}, which is none of its values", value=shown(value)), words)
        return value

    return Kind({"enum": list(values)}, told, f'"{values[0]}"')


def number(least: int, most: int, example: int) -> Kind:
    """A whole number."""

    def told(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            words = _("it is {kind}, and must be a number", kind=type_of(value))
            raise Wrong(words, _("such as {example}, without quotes", example=example))
        if not least <= value <= most:
            words = _("it is {value}, which cannot be", value=value)
            raise Wrong(words, _("from {least} to {most}", least=least, most=most))
        return value

    return Kind({"type": "integer", "minimum": least, "maximum": most}, told, str(example))


def _plain(value: str) -> str:
    if not value.strip():
        raise names.NotAName(_("it is empty"))
    return harmless(value.strip(), _LONGEST)


def _server(value: str) -> str:
    try:
        return names.address(value)
    except names.NotAName:
        return names.host_name(value)


def _directory(value: str) -> str:
    if not value.startswith("/") or ".." in value.split("/") or not value.strip("/"):
        raise names.NotAName(_("a path is given from the root on, without .."))
    return re.sub(r"/+", "/", value).rstrip("/")


def _day(value: object) -> str:
    """A date of TOML's own, or a text that names one."""
    if type(value).__name__ == "date":
        return str(value)
    from mailcow_wizard.engine.acknowledging import NotADay, read_day

    if not isinstance(value, str):
        words = _("it is {kind}, and must be a day", kind=type_of(value))
        raise Wrong(words, _("such as {example}", example="2027-12-31"))
    try:
        return read_day(value, "")
    except NotADay as error:
        raise Wrong(str(error), _("such as {example}", example="2027-12-31")) from None


HOST_NAME = text(names.mail_host_name, "mail.example.org")
DOMAINS = texts(text(names.mail_domain, "example.org"))
ZONE = text(_plain, "Europe/Berlin")
DIRECTORY = text(_directory, "/opt/mailcow-dockerized")
ADDRESS = text(names.address, "192.0.2.10")
RESOLVER = text(names.address, "192.0.2.53")
ADDRESSES = texts(text(names.public_address, "192.0.2.10"))
SERVERS = texts(text(_server, "ntp.example.org"))
REPOSITORY = text(names.repository, "https://github.com/mailcow/mailcow-dockerized")
BRANCH = text(names.branch, "master")
PROVIDER = text(names.provider, "hetzner")
PATH = text(_plain, "/root/mailcow.key")
MTU = number(_SMALLEST_MTU, _LARGEST_MTU, 1400)
MAILBOX = text(names.mailbox, "me@example.org")
IMAP = text(names.server_and_port, "imap.example.net")
PLAIN = text(_plain, _("why it is accepted"))
DAY = Kind({"type": "string", "format": "date"}, _day, "2027-12-31")
