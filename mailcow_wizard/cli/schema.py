"""The command `schema`: the JSON Schema of what each command prints with `--json`."""

import json
from collections.abc import Callable

from mailcow_wizard.cli import exit_codes
from mailcow_wizard.cli.arguments import Options
from mailcow_wizard.report import schema as documents


def schema(options: Options, write: Callable[[str], None]) -> int:
    """Runs the command; returns the exit code."""
    write(json.dumps(documents.schema(), indent=2) + "\n")
    return exit_codes.OK
