"""Programs of our own that a plan runs like any other command."""

from __future__ import annotations

import os
import sys


def program(name: str) -> tuple[str, ...]:
    """The first words of a command that runs one of the files beside this one.

    By its path, with the interpreter that runs now: a plan's commands have neither our working directory nor
    our environment.
    """
    return (sys.executable, os.path.join(os.path.dirname(os.path.abspath(__file__)), f"{name}.py"))
