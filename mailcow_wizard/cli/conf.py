"""The command `conf`: reads, sets, checks and makes mailcow.conf."""

from collections.abc import Callable

from mailcow_wizard.cli.arguments import Options, UsageError


def conf(options: Options, write: Callable[[str], None]) -> int:
    """Runs the command; returns the exit code."""
    raise UsageError("conf is not part of this version yet")
