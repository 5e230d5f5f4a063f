"""The text of `--help`: of all commands, or of one."""

from collections.abc import Iterable, Iterator

from mailcow_wizard.cli.usage import ABOUT, COMMANDS, EXAMPLES, EXIT_CODES, GENERAL, SELECTOR, Row, Usage
from mailcow_wizard.language import _
from mailcow_wizard.sentences import capitalized

_NAME = "mailcow-wizard"
_COLUMNS = 80
_WORDS = 18


def help_text(command: str = "") -> str:
    """What the program or one of its commands does, for a terminal of 80 columns."""
    usage = next((one for one in COMMANDS if one.command == command), None)
    lines = _of_command(usage) if usage else _of_all()
    return "".join(f"{line}\n" for line in lines)


def _of_all() -> Iterator[str]:
    yield from filled(f"{_NAME}: {ABOUT}", _COLUMNS)
    yield ""
    yield from _rows([("", _("the full-screen wizard")), *((one.forms[0], one.brief) for one in COMMANDS)])
    yield ""
    yield from filled(SELECTOR, _COLUMNS)
    yield ""
    yield _("Options of some commands; their --help says what they do")
    yield from (f"  {line}" for line in filled(" ".join(_of_some()), _COLUMNS - 2))
    yield ""
    yield _("Options, before or after the command")
    yield from _rows(GENERAL)
    yield ""
    yield _("Examples")
    yield from _examples(EXAMPLES)
    yield ""
    yield from _exit_codes()


def _of_command(usage: Usage) -> Iterator[str]:
    yield from (f"{_NAME} {form}" for form in usage.forms)
    yield ""
    yield from filled(f"{capitalized(usage.brief)}. {usage.about}", _COLUMNS)
    if usage.options:
        yield ""
        yield _("Options")
        yield from _rows(usage.options)
    if usage.examples:
        yield ""
        yield _("Examples")
        yield from _examples(usage.examples)
    yield ""
    yield _("Options of all commands")
    yield from _rows(GENERAL)
    yield ""
    yield from _exit_codes()


def _exit_codes() -> list[str]:
    said = "; ".join(f"{code} {what}" for code, what in EXIT_CODES)
    return filled(_("Exit codes: {said}.", said=said), _COLUMNS)


def _of_some() -> list[str]:
    """The options of commands, by name."""
    return sorted({words.split()[0] for usage in COMMANDS for words, _meaning in usage.options})


def _rows(rows: Iterable[Row]) -> Iterator[str]:
    """Words in a column, what they mean beside it; too long a word gets a line of its own."""
    for word, meaning in rows:
        beside = filled(meaning, _COLUMNS - _WORDS - 4)
        if len(word) > _WORDS:
            yield f"  {word}"
            word = ""
        for line in beside:
            yield f"  {word:<{_WORDS}}  {line}".rstrip()
            word = ""


def filled(text: str, columns: int) -> list[str]:
    """The text in lines of so many characters at most; importing textwrap takes longer than `--help`."""
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > columns:
            lines.append("")
        lines[-1] += f" {word}" if lines[-1] else word
    return lines


def _examples(rows: Iterable[Row]) -> Iterator[str]:
    for words, meaning in rows:
        line = f"  {_NAME} {words}".rstrip()
        if not meaning:
            yield line
        elif len(line) + len(meaning) + 4 <= _COLUMNS:
            yield (
                f"{line:<42}  # {meaning}"
                if len(line) <= 42 and len(meaning) <= 34
                else f"{line}  # {meaning}"
            )
        else:
            yield line
            yield f"      # {meaning}"
