"""Asks the person at the terminal."""

import os
import sys


def can_ask(on_stderr: bool = False) -> bool:
    """Whether somebody reads our questions, on stdout or on stderr, and can answer them."""
    shown = sys.stderr if on_stderr else sys.stdout
    try:
        return all(stream is not None and stream.isatty() for stream in (sys.stdin, shown))
    except ValueError:  # closed
        return False


def choose(question: str, choices: str, on_stderr: bool = False) -> str:
    """Asks until the answer begins with one of these letters; the last stands for the end of the input."""
    shown = sys.stderr if on_stderr else sys.stdout
    while True:
        shown.write(f"{question} [{'/'.join(choices)}] ")
        shown.flush()
        line = sys.stdin.readline()
        answer = line.strip().lower()
        if answer and answer[0] in choices:
            return answer[0]
        if not line:
            shown.write(os.linesep)
            return choices[-1]


def ask_within(question: str, seconds: float, on_stderr: bool = False) -> bool:
    """Asks for a yes; no answer in time, any other, and the end of the input are a no."""
    import select

    shown = sys.stderr if on_stderr else sys.stdout
    shown.write(f"{question} [y/N] ")
    shown.flush()
    try:
        ready = select.select([sys.stdin], [], [], seconds)[0]
        return bool(ready) and sys.stdin.readline().strip().lower() in ("y", "yes")
    except (OSError, ValueError):
        return False


def ask(question: str, otherwise: bool = False, on_stderr: bool = False) -> bool:
    """Asks until the answer is yes or no; an empty line and the end of the input are `otherwise`."""
    shown = sys.stderr if on_stderr else sys.stdout
    choice = "[Y/n]" if otherwise else "[y/N]"
    while True:
        shown.write(f"{question} {choice} ")
        shown.flush()
        line = sys.stdin.readline()
        answer = line.strip().lower()
        if answer in ("y", "yes"):
            return True
        if answer in ("n", "no"):
            return False
        if not line:
            shown.write(os.linesep)
            return False
        if not answer:
            return otherwise
