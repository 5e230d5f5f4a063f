"""The command `man`: the manual page, in the language of man(7)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from mailcow_wizard import __version__
from mailcow_wizard.cli import exit_codes
from mailcow_wizard.cli.arguments import Options
from mailcow_wizard.cli.help import filled
from mailcow_wizard.cli.usage import ABOUT, COMMANDS, EXAMPLES, EXIT_CODES, GENERAL, SELECTOR, Row, Usage
from mailcow_wizard.language import _
from mailcow_wizard.sentences import capitalized

_NAME = "mailcow-wizard"
_COLUMNS = 70
_DATE = "2026-11-27"
_DESCRIPTION = (
    _(
        "It looks at what mailcow needs and what this machine has: system, kernel, ports, network, firewall, "
        "DNS, time, Docker, configuration, and a running mailcow. For whatever is in the way it says what it "
        "found, why it matters and what mends it; where it cannot tell it says unknown. It mends what it may "
        "after showing every command and every line that changes, looks again, and takes any change back."
    ),
    _("Without a command it is a full-screen wizard, which needs a terminal."),
    SELECTOR,
)
_FILES: tuple[Row, ...] = (
    (
        "/var/lib/mailcow-wizard",
        _(
            "the journal of changes, what was typed, the last run, install.log; readable by root alone "
            "(~/.local/state/mailcow-wizard without root)"
        ),
    ),
    ("/opt/mailcow-dockerized", _("mailcow, unless --dir says otherwise")),
)
_ENVIRONMENT: tuple[Row, ...] = (
    ("NO_COLOR", _("no colours")),
    ("MAILCOW_WIZARD_TSIG", _("the file with the key that signs DNS updates")),
    (
        "MAILCOW_WIZARD_MAILBOX, MAILCOW_WIZARD_MAILBOX_PASSWORD_FILE",
        _("a mailbox of this server for verify"),
    ),
    (
        "MAILCOW_WIZARD_FAR_MAILBOX, MAILCOW_WIZARD_FAR_IMAP, MAILCOW_WIZARD_FAR_PASSWORD_FILE",
        _("one elsewhere, to which verify sends a message"),
    ),
)


def man(options: Options, write: Callable[[str], None]) -> int:
    """Writes the page; returns the exit code."""
    write("".join(f"{line}\n" for line in _page()))
    return exit_codes.OK


def _page() -> Iterator[str]:
    yield f'.TH MAILCOW\\-WIZARD 8 "{_DATE}" "{_NAME} {__version__}"'
    yield f".SH {_roff(_('NAME'))}"
    yield f"{_roff(_NAME)} \\-"
    yield from _paragraphs([ABOUT])
    yield f".SH {_roff(_('SYNOPSIS'))}"
    yield f".B {_roff(_NAME)}"
    for usage in COMMANDS:
        for form in usage.forms:
            yield ".br"
            yield f".B {_roff(f'{_NAME} {form}')}"
    yield f".SH {_roff(_('DESCRIPTION'))}"
    yield from _paragraphs(_DESCRIPTION)
    yield f".SH {_roff(_('COMMANDS'))}"
    for usage in COMMANDS:
        yield from _command(usage)
    yield f".SH {_roff(_('OPTIONS'))}"
    yield _roff(_("They may stand before or after the command."))
    yield from _rows(GENERAL)
    yield f".SH {_roff(_('EXIT STATUS'))}"
    yield _roff(_("The first that applies of 70, 1, 2, 3, 0."))
    yield from _rows(EXIT_CODES)
    yield f".SH {_roff(_('ENVIRONMENT'))}"
    yield from _rows(_ENVIRONMENT)
    yield f".SH {_roff(_('FILES'))}"
    yield from _rows(_FILES)
    yield f".SH {_roff(_('EXAMPLES'))}"
    yield from _rows([(f"{_NAME} {words}".rstrip(), meaning) for words, meaning in EXAMPLES])


def _command(usage: Usage) -> Iterator[str]:
    yield f".SS {_roff(', '.join(usage.forms))}"
    about = f"{capitalized(usage.brief)}. {usage.about}"
    yield from _paragraphs([about])
    yield from _rows(usage.options)
    for words, meaning in usage.examples:
        yield ".TP"
        yield f".B {_roff(f'{_NAME} {words}')}"
        yield from _paragraphs([meaning or usage.brief])


def _paragraphs(texts: Iterable[str]) -> Iterator[str]:
    for number, text in enumerate(texts):
        if number:
            yield ".PP"
        yield from map(_protected, filled(_escaped(text), _COLUMNS))


def _rows(rows: Iterable[Row]) -> Iterator[str]:
    for word, meaning in rows:
        yield ".TP"
        yield f".B {_roff(word)}"
        yield from _paragraphs([meaning])


def _roff(text: str) -> str:
    """A line as roff takes it."""
    return _protected(_escaped(text))


def _escaped(text: str) -> str:
    """No escape, a minus that can be copied, and letters beyond ASCII by their numbers."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace("…", "\\&...").replace('"', "\\(dq")
    return "".join(one if one.isascii() else f"\\[u{ord(one):04X}]" for one in escaped)


def _protected(line: str) -> str:
    """No request at the line's beginning."""
    return f"\\&{line}" if line.startswith((".", "'")) else line
