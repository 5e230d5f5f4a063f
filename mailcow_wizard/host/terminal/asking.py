"""Asks the person at the terminal."""

import os
import sys

from mailcow_wizard.harmless import shown
from mailcow_wizard.language import pgettext


def can_ask(on_stderr: bool = False) -> bool:
    """Whether somebody reads our questions, on stdout or on stderr, and can answer them."""
    asked = sys.stderr if on_stderr else sys.stdout
    try:
        return all(stream is not None and stream.isatty() for stream in (sys.stdin, asked))
    except ValueError:  # closed
        return False


def choose(question: str, choices: str, on_stderr: bool = False) -> str:
    """Asks until the answer begins with one of these letters; the last stands for the end of the input."""
    stream = sys.stderr if on_stderr else sys.stdout
    while True:
        stream.write(f"{shown(question)} [{'/'.join(choices)}] ")
        stream.flush()
        line = _line()
        answer = line.strip().lower()
        if answer and answer[0] in choices:
            return answer[0]
        if not line:
            stream.write(os.linesep)
            return choices[-1]


def ask_within(question: str, seconds: float, on_stderr: bool = False) -> bool:
    """Asks for a yes; no answer in time, any other, and the end of the input are a no."""
    import select

    stream = sys.stderr if on_stderr else sys.stdout
    stream.write(f"{shown(question)} {_choice(False)} ")
    stream.flush()
    try:
        ready = select.select([sys.stdin], [], [], seconds)[0]
        return bool(ready) and sys.stdin.readline().strip().lower() in _words("yes", _yes())
    except (OSError, ValueError):
        return False


def ask(question: str, otherwise: bool = False, on_stderr: bool = False) -> bool:
    """Asks until the answer is yes or no; an empty line and the end of the input are `otherwise`."""
    stream = sys.stderr if on_stderr else sys.stdout
    while True:
        stream.write(f"{shown(question)} {_choice(otherwise)} ")
        stream.flush()
        line = _line()
        answer = line.strip().lower()
        if answer in _words("yes", _yes()):
            return True
        if answer in _words("no", _no()):
            return False
        if not line:
            stream.write(os.linesep)
            return False
        if not answer:
            return otherwise


def _line() -> str:
    """What is typed, empty at its end. What is not in the terminal's encoding is no answer."""
    try:
        return sys.stdin.readline()
    except UnicodeDecodeError:
        return "?\n"


def _yes() -> str:
    return pgettext("an answer", "yes")


def _no() -> str:
    return pgettext("an answer", "no")


def _choice(otherwise: bool) -> str:
    """The letters that can be typed; what an empty line means is in capitals."""
    yes, no = _yes()[0], _no()[0]
    return f"[{yes.upper()}/{no}]" if otherwise else f"[{yes}/{no.upper()}]"


def _words(english: str, spoken: str) -> set[str]:
    """What counts as an answer; the English one does in every language."""
    return {english, english[0], spoken, spoken[0]}
