"""The standard streams: stdout may be closed or full, stderr may be gone, and neither ends in a traceback."""

from __future__ import annotations

import os
import sys

from mailcow_wizard.harmless import shown
from mailcow_wizard.language import _
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO

SPELLINGS = {
    **dict(zip("äöüÄÖÜß", ("ae", "oe", "ue", "Ae", "Oe", "Ue", "ss"), strict=True)),
    **dict(zip("•×·–—„“”‚‘’µ", "*x---\"\"\"'''u", strict=True)),
    "…": "...",
    "→": "->",
    "←": "<-",
    "≥": ">=",
    "≤": "<=",
    "±": "+/-",
    "\u202f": " ",
    "\u00a0": " ",
}
"""How our own words are written where there is only ASCII."""


def mend() -> bool:
    """Makes both streams fit for any text, stderr also where it was closed; whether there is a stdout."""
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115  # it stays open
    for stream in (sys.stdout, sys.stderr):
        # Where the terminal's encoding lacks a character an escape is better than a traceback.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    return sys.stdout is not None


def only_ascii() -> None:
    """From now on both streams write ASCII; other characters are spelled with it, or shown as escapes."""
    import codecs

    codecs.register_error("mailcow-wizard-ascii", _spelled)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="ascii", errors="mailcow-wizard-ascii")


def write_utf8() -> None:
    """From now on stdout writes UTF-8, which documents are in whatever the locale; a terminal keeps its own
    encoding, and what is to be ASCII stays so."""
    if hasattr(sys.stdout, "reconfigure") and sys.stdout.encoding != "ascii" and not sys.stdout.isatty():
        sys.stdout.reconfigure(encoding="utf-8")


def _spelled(error: UnicodeError) -> tuple[str, int]:
    import unicodedata

    if not isinstance(error, UnicodeEncodeError):
        raise error
    spelled = ""
    for letter in error.object[error.start : error.end]:
        plain = unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode()
        spelled += SPELLINGS.get(letter) or plain or letter.encode("ascii", "backslashreplace").decode()
    return spelled, error.end


def say(text: str) -> None:
    """A line of narration on stderr, which breaks between words on a terminal; where nobody can take it, it
    is lost."""
    from mailcow_wizard.wrapping import wrapped

    columns = 0 if "--plain" in sys.argv else _columns(sys.stderr)
    lines = (wrapped(line, columns, hanging=2) for line in f"mailcow-wizard: {text}".split("\n"))
    broken = "\n".join(part for line in lines for part in line)
    try:
        sys.stderr.write(f"{shown(broken)}\n")
        sys.stderr.flush()
    except OSError:
        _forget(2)


def same_line(text: str, last: bool) -> None:
    """Replaces the line on stderr that was said before in this way."""
    try:
        sys.stderr.write(f"\r\x1b[K{shown(text)}" + "\n" * last)
        sys.stderr.flush()
    except OSError:
        _forget(2)


def show_until_closed(text: str) -> None:
    """Shows a text on the bare terminal, which wraps and selects it by itself, until Enter, Esc or q."""
    try:
        sys.stdout.write(f"\n{shown(text)}\n\n{_('Enter or Esc goes back to the wizard.')} ")
        sys.stdout.flush()
        _wait_until_closed()
        sys.stdout.write("\n")
        sys.stdout.flush()
    except (OSError, ValueError, KeyboardInterrupt):
        return


def _wait_until_closed() -> None:
    """Waits for a key that closes, or for the end of the input."""
    import termios

    descriptor = sys.stdin.fileno()
    try:
        before = termios.tcgetattr(descriptor)
    except termios.error:
        sys.stdin.readline()
        return
    # Ctrl+C is a key among others here: as a signal it would end the wizard behind the text.
    each_key = [*before[:3], before[3] & ~(termios.ICANON | termios.ECHO | termios.ISIG), *before[4:]]
    try:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, each_key)
        while (typed := os.read(descriptor, 64)) and not _closes(typed):
            pass
    finally:
        termios.tcsetattr(descriptor, termios.TCSAFLUSH, before)


def _closes(typed: bytes) -> bool:
    """Whether a key that closes is among these bytes: Esc only as the last, for other keys begin with it."""
    return typed.endswith(b"\x1b") or any(one in b"\r\nq\x03\x04" for one in typed)


def forget_stdout() -> None:
    """Gives up what could not be written to stdout."""
    _forget(1)


def _forget(descriptor: int) -> None:
    """The interpreter flushes the streams once more at its end, and would complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)


def wants_colour() -> bool:
    """Whether stdout is a terminal that knows escapes and whose user did not say NO_COLOR."""
    return on_terminal() and not os.environ.get("NO_COLOR")


def on_terminal() -> bool:
    """Whether stdout is a terminal that is more than a teletype."""
    return sys.stdout.isatty() and os.environ.get("TERM", "") not in ("", "dumb", "unknown")


def columns() -> int:
    """How wide the terminal at stdout is; 0 where stdout is none or does not say."""
    return _columns(sys.stdout)


def _columns(stream: TextIO) -> int:
    try:
        return os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        return 0
