"""The command `undo`: lists changes and takes them back."""

from collections.abc import Callable

from mailcow_wizard.cli.arguments import Options, UsageError


def undo(options: Options, write: Callable[[str], None]) -> int:
    """Runs the command; returns the exit code."""
    raise UsageError("undo is not part of this version yet")
