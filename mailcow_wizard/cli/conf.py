"""The command `conf`: reads, judges, changes and makes mailcow.conf."""

from __future__ import annotations

import re
from collections.abc import Callable

from mailcow_wizard import __version__
from mailcow_wizard.cli import exit_codes
from mailcow_wizard.cli.arguments import Options, UsageError
from mailcow_wizard.cli.opening import absolute, open_session
from mailcow_wizard.cli.output import sentence_columns
from mailcow_wizard.cli.values import NothingDone
from mailcow_wizard.conf.document import Document
from mailcow_wizard.conf.rule import LEVEL_WORDS, LEVELS, LintFinding
from mailcow_wizard.conf.rules import lint
from mailcow_wizard.engine.session import Session
from mailcow_wizard.facts.surroundings import surroundings, without_machine
from mailcow_wizard.fixes.mailcow_conf import content_of, is_lacking, path_of, said_of_none
from mailcow_wizard.harmless import harmless
from mailcow_wizard.host.errors import Denied, HostError
from mailcow_wizard.host.terminal import streams
from mailcow_wizard.language import _, heard, ngettext
from mailcow_wizard.report.document import SCHEMA
from mailcow_wizard.typed import TYPE_CHECKING
from mailcow_wizard.wrapping import wrapped

if TYPE_CHECKING:
    from typing import Any

Write = Callable[[str], None]
_KEY = r"[A-Za-z_][A-Za-z0-9_]*"
_LONGEST_VALUE = 1 << 20


def conf(options: Options, write: Write) -> int:
    """Runs the command; returns the exit code."""
    word, *words = options.words
    values = _values(word, words)
    session = open_session(options)
    try:
        if word == "get":
            return _get(session, words[0], options, write)
        if word == "lint":
            return _lint(session, words[0] if words else "", options, write)
        from mailcow_wizard.cli.conf_change import make, set_values

        return (set_values if word == "set" else make)(session, values, options, write)
    finally:
        session.host.close()


def _values(word: str, words: list[str]) -> dict[str, str]:
    """The KEY=VALUE of the line. Raises UsageError where the words do not fit the command."""
    if word == "get":
        if len(words) != 1 or not re.fullmatch(_KEY, words[0]):
            raise UsageError(_("conf get needs one key, such as MAILCOW_HOSTNAME"))
        return {}
    if word == "lint":
        if len(words) > 1:
            raise UsageError(_("conf lint takes one file at most"))
        return {}
    values: dict[str, str] = {}
    for number, one in enumerate(words, 1):
        key, equals, value = one.partition("=")
        if not equals or not re.fullmatch(_KEY, key):
            # Not the word itself: it may be a password.
            raise UsageError(
                _(
                    "word {number} behind conf {word} is not KEY=VALUE, such as SMTP_PORT=25",
                    number=number,
                    word=word,
                )
            )
        if key in values:
            raise UsageError(_("{key} is given twice", key=key))
        values[key] = value
    if word == "set" and not values:
        raise UsageError(_("conf set needs KEY=VALUE, such as SMTP_PORT=25"))
    return values


def _get(session: Session, key: str, options: Options, write: Write) -> int:
    facts = session.new_facts()
    document = Document.read(_content(session, path_of(facts), path_of(facts)))
    value = document.get(key)
    said = document.unread((key,) if value is not None else ()) or document.readings.parted().get(key)
    if said:
        streams.say(_("{key} is not read alike: {said}; see `./wizard conf lint`", key=key, said=said))
    if options.json:
        dump({"key": key, "value": value}, write)
    elif value is not None:
        shown = value.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
        # A terminal gets what it can show, a program the value as it is.
        write(f"{harmless(shown, _LONGEST_VALUE) if streams.on_terminal() else shown}\n")
    if value is None and not said:
        streams.say(_("{key} is not set", key=key))
    if value is None:
        return exit_codes.FAIL
    return exit_codes.WARN if said else exit_codes.OK


def _lint(session: Session, file: str, options: Options, write: Write) -> int:
    facts = session.new_facts()
    own = path_of(facts)
    path = absolute(file or own, session.host)
    data = _content(session, path, own)
    found = lint(data, facts.get(surroundings if path == own else without_machine))
    if options.json:
        rows = [
            {
                **{name: getattr(one, name) for name in ("line", "rule", "level")},
                "key": one.key or None,
                "message": harmless(one.message),
                "fix": harmless(one.remedy) if one.fix else None,
            }
            for one in found
        ]
        dump({"file": path, "findings": rows}, write)
    else:
        columns = sentence_columns(options.plain)
        shown = (part for one in found for part in wrapped(_line(path, one), columns, hanging=4))
        write("".join(f"{part}\n" for part in shown) + f"{_closing(found)}\n")
    levels = {one.level for one in found}
    return exit_codes.FAIL if "error" in levels else exit_codes.WARN if "warning" in levels else exit_codes.OK


def _line(path: str, finding: LintFinding) -> str:
    where = f"{path}:{finding.line}" if finding.line else path
    remedy = _("; right would be: {remedy}", remedy=finding.remedy) if finding.fix else ""
    return harmless(
        f"{where}: {LEVEL_WORDS[finding.level]}: {finding.message}{remedy} [{finding.rule}]", 1000
    )


def _closing(found: tuple[LintFinding, ...]) -> str:
    words = [
        _counted(level, number) for level in LEVELS if (number := sum(one.level == level for one in found))
    ]
    return ", ".join(words) or _("nothing to complain about")


def _counted(level: str, number: int) -> str:
    if level == "error":
        return ngettext("1 error", "{n} errors", number)
    if level == "warning":
        return ngettext("1 warning", "{n} warnings", number)
    return _("{number} advice", number=number)


def _content(session: Session, path: str, own: str) -> bytes:
    """The bytes of a file that is to be read; `own` is mailcow's. Raises UsageError, NothingDone."""
    try:
        return content_of(session.host, path)
    except HostError as error:
        said = harmless(heard(error))
        if isinstance(error, Denied):
            raise NothingDone(exit_codes.NEEDS_ROOT, said) from None
        if path == own and is_lacking(session.host, path):
            said = said_of_none(session.new_facts(), said)
        raise UsageError(said) from None


def dump(document: dict[str, Any], write: Write) -> None:
    """Writes the one JSON document."""
    import json

    write(json.dumps({"schema": SCHEMA, "version": __version__, **document}) + "\n")
