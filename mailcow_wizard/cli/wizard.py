"""The command without a word: the full-screen wizard, where the terminal can hold it."""

import sys

from mailcow_wizard.cli import exit_codes
from mailcow_wizard.cli.arguments import Options


def wizard(options: Options) -> int:
    """Starts the wizard; refuses a terminal that it cannot serve. Returns the exit code."""
    refusal = _refusal(options)
    if refusal:
        print(f"mailcow-wizard: {refusal}\nRun this instead: mailcow-wizard check --plain", file=sys.stderr)
        return exit_codes.USAGE
    from mailcow_wizard.cli.opening import open_session
    from mailcow_wizard.tui.start import start

    return start(open_session(options), options)


def _refusal(options: Options) -> str:
    return ""
