"""Where our own programs lie, for a plan that runs them like any other command."""

from __future__ import annotations

import os
import sys

from mailcow_wizard.patterns import pattern

_OURS = pattern(r"/.*/mailcow_wizard/host/(?:programs/)?([a-z_]+)\.py")
_PYTHON = pattern(r"/.*/python[0-9.]*")


def program(name: str) -> tuple[str, ...]:
    """The first words of a command that runs one of the files beside this one.

    By its path, with the interpreter that runs now: a plan's commands have neither our working directory nor
    our environment.
    """
    return (sys.executable, os.path.join(os.path.dirname(os.path.abspath(__file__)), f"{name}.py"))


def here(argv: tuple[str, ...]) -> tuple[str, ...]:
    """A command that was written down, with our own programs where they lie now: they may have lain where
    nothing is any more, as what the one-file build unpacks."""
    found = _OURS.fullmatch(argv[1]) if len(argv) > 1 and _PYTHON.fullmatch(argv[0]) else None
    ours = program(found[1]) if found else ()
    return (*ours, *argv[2:]) if ours and os.path.exists(ours[1]) else argv
