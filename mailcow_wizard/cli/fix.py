"""The command `fix`: shows what can be done about a finding, and does it."""

from collections.abc import Callable

from mailcow_wizard.cli.arguments import Options, UsageError


def fix(options: Options, write: Callable[[str], None]) -> int:
    """Runs the command; returns the exit code."""
    raise UsageError("fix is not part of this version yet")
