"""The values of options: how each is read, and what is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from mailcow_wizard.language import _


class NothingDone(Exception):
    """A command came to nothing; its text is why, `code` the exit code."""

    def __init__(self, code: int, why: str) -> None:
        super().__init__(why)
        self.code = code


class UsageError(Exception):
    """The line cannot be understood; the text says why, in one line."""


def quoted(text: str) -> str:
    """A word of the line in a message, without a password of an address."""
    from mailcow_wizard.harmless import harmless
    from mailcow_wizard.redaction import without_credentials

    return f"'{harmless(without_credentials(text), 60)}'"


def meant(word: str, known: Iterable[str], begin: str = "") -> str:
    """What is added to a message about an unknown word: the known one that is most like it, if any is;
    `begin` stands before each of them."""
    from difflib import get_close_matches

    close = get_close_matches(word[:60], [*known], 1)
    return _("; did you mean {word}?", word=f"{begin}{close[0]}") if close else ""


def unknown_command(command: str, known: Sequence[str]) -> UsageError:
    """The first word is none of the commands."""
    word, there = quoted(command), ", ".join(known)
    said = _("unknown command {word}; there are: {known}", word=word, known=there)
    if command == "version":
        return UsageError(said + _("; did you mean {word}?", word="--version"))
    if _is_selector(command):
        return UsageError(said + _("; did you mean {word}?", word=f"check {command}"))
    return UsageError(said + meant(command, known))


def _is_selector(word: str) -> bool:
    from mailcow_wizard.engine.selection import UnknownSelector, select

    try:
        return bool(word) and bool(select([word]))
    except UnknownSelector:
        return False


def none_of(name: str, value: str, known: Sequence[str]) -> UsageError:
    """An option's value is not among those that there are."""
    there = ", ".join(known)
    said = _("--{name} {value} is none of: {known}", name=name, value=quoted(value), known=there)
    return UsageError(said + meant(value, known))


def _text(name: str, value: str, before: object) -> str:
    if not value:
        raise UsageError(_("--{name} needs a value", name=name))
    return value


def _repeatable(read: Callable[[str, str], str]) -> Callable[[str, str, object], tuple[str, ...]]:
    def add(name: str, value: str, before: object) -> tuple[str, ...]:
        known = before if isinstance(before, tuple) else ()
        one = read(name, value)
        # The same in another spelling is looked at once: results are told apart by it.
        return known if one in known else (*known, one)

    return add


def _address(name: str, value: str) -> str:
    import ipaddress

    try:
        return str(ipaddress.ip_address(value))
    except ValueError:
        raise UsageError(_("--{name} {value} is not an IP address", name=name, value=quoted(value))) from None


def _public_address(name: str, value: str) -> str:
    from mailcow_wizard.names import public_address

    return _is(public_address, name, value)


def _one_address(name: str, value: str, before: object) -> str:
    return _address(name, value)


def _read(read: Callable[[str], str], name: str, value: str) -> str:
    from mailcow_wizard.harmless import harmless
    from mailcow_wizard.names import NotAName

    try:
        return read(value)
    except NotAName as error:
        said = f"--{name} {quoted(value)}: {harmless(str(error))}"
    # Of an address of the web or of mail the name in it is meant.
    inner = value.partition("://")[2].partition("/")[0] or value.rpartition("@")[2]
    try:
        hint = _("; did you mean {word}?", word=read(inner)) if inner != value else ""
    except NotAName:
        hint = ""
    raise UsageError(said + hint)


def _name(name: str, value: str) -> str:
    from mailcow_wizard.names import host_name

    return _read(host_name, name, value)


def _host_name(name: str, value: str, before: object) -> str:
    from mailcow_wizard.names import mail_host_name

    return _read(mail_host_name, name, value)


def _mail_domain(name: str, value: str) -> str:
    from mailcow_wizard.names import mail_domain

    return _read(mail_domain, name, value)


def _mailbox(name: str, value: str, before: object) -> str:
    from mailcow_wizard.names import mailbox

    return _read(mailbox, name, value)


def _api_addresses(name: str, value: str, before: object) -> str:
    from mailcow_wizard.names import HERE, api_addresses

    return value if value == HERE else _read(api_addresses, name, value)


def _server_and_port(name: str, value: str, before: object) -> str:
    from mailcow_wizard.names import server_and_port

    return _read(server_and_port, name, value)


def _server(name: str, value: str) -> str:
    try:
        return _address(name, value)
    except UsageError:
        return _name(name, value)


def _hosts(name: str, value: str, before: object) -> str:
    return ",".join(_server(name, one) for one in value.split(","))


def _repository(name: str, value: str, before: object) -> str:
    from mailcow_wizard.names import repository

    return _is(repository, name, value)


def _branch(name: str, value: str, before: object) -> str:
    from mailcow_wizard.names import branch

    return _is(branch, name, value)


def _is(read: Callable[[str], str], name: str, value: str) -> str:
    from mailcow_wizard.names import NotAName

    try:
        return read(value)
    except NotAName as error:
        raise UsageError(_("--{name} {value} is {why}", name=name, value=quoted(value), why=error)) from None


def _minutes(name: str, value: str, before: object) -> float:
    from mailcow_wizard.numerals import whole

    if not 1 <= whole(value) <= 120:
        raise UsageError(
            _("--{name} {value} is not a number of minutes from 1 to 120", name=name, value=quoted(value))
        )
    return float(value)


def _provider(name: str, value: str, before: object) -> str:
    from mailcow_wizard.names import provider

    return _is(provider, name, value)


def _server_by_ssh(name: str, value: str, before: object) -> str:
    from mailcow_wizard.host.reach.ssh import destination

    if not destination(value):
        raise UsageError(_("--{name} {value} is not [user@]server[:port]", name=name, value=quoted(value)))
    return value


def _seconds(name: str, value: str, before: object) -> float:
    try:
        seconds = float(value)
    except ValueError:
        seconds = 0.0
    if not 0.05 <= seconds <= 3600:
        raise UsageError(
            _("--{name} {value} is not a number of seconds from 0.05 to 3600", name=name, value=quoted(value))
        )
    return seconds


def _language(name: str, value: str, before: object) -> str:
    from mailcow_wizard.language import LANGUAGES

    if value not in LANGUAGES:
        raise none_of(name, value, LANGUAGES)
    return value


VALUES: dict[str, tuple[str, Callable[[str, str, object], object]]] = {
    "dir": ("directory", _text),
    "hostname": ("hostname", _host_name),
    "domain": ("domains", _repeatable(_mail_domain)),
    "state-dir": ("state_dir", _text),
    "host": ("host", _text),
    "record": ("record", _text),
    "timeout": ("timeout", _seconds),
    "address": ("addresses", _repeatable(_public_address)),
    "resolver": ("resolver", _one_address),
    "ntp": ("ntp", _repeatable(_server)),
    "log": ("log", _text),
    "subject": ("subject", _text),
    "tsig": ("tsig", _text),
    "server": ("server", _one_address),
    "provider": ("provider", _provider),
    "resume": ("resume", _text),
    "reason": ("reason", _text),
    "until": ("until", _text),
    "format": ("format", _text),
    "from": ("asked_from", _hosts),
    "result": ("result", _text),
    "minutes": ("minutes", _minutes),
    "lang": ("language", _language),
    "repository": ("repository", _repository),
    "branch": ("branch", _branch),
    "first-mailbox": ("first_mailbox", _mailbox),
    "password-file": ("password_file", _text),
    "api-key": ("api_key", _api_addresses),
    "far-mailbox": ("far_mailbox", _mailbox),
    "far-imap": ("far_imap", _server_and_port),
    "far-password-file": ("far_password", _text),
    "answers": ("answers", _text),
    "ssh": ("ssh", _server_by_ssh),
}
"""Options with a value: the field of `Options`, and what reads it from its name, the text, the value before.

Raises UsageError.
"""
