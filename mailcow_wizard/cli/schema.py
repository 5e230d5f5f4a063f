"""The command `schema`: the JSON Schema of what each command prints with `--json`, or of answers files."""

import json
from collections.abc import Callable

from mailcow_wizard.cli import exit_codes
from mailcow_wizard.cli.arguments import Options
from mailcow_wizard.report import schema as documents


def schema(options: Options, write: Callable[[str], None]) -> int:
    """Runs the command; returns the exit code."""
    if options.words:
        from mailcow_wizard.answers import schema as answers

        described = answers.schema()
    else:
        described = documents.schema()
    write(json.dumps(described, indent=2) + "\n")
    return exit_codes.OK
