"""The command `build`: the wizard with all that it needs as one file."""

from __future__ import annotations

from collections.abc import Callable

from mailcow_wizard.cli import exit_codes
from mailcow_wizard.cli.arguments import Options
from mailcow_wizard.harmless import harmless
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.one_file import build as one_file
from mailcow_wizard.host.terminal import streams
from mailcow_wizard.language import _, heard


def build(options: Options, write: Callable[[str], None]) -> int:
    """Writes the file; returns the exit code."""
    try:
        size = one_file.write(options.words[0])
    except HostError as error:
        streams.say(harmless(heard(error)))
        return exit_codes.CANNOT_WRITE
    path = harmless(options.words[0])
    write(_("{path}: {size:.1f} MB. To start it: python3 {path}", path=path, size=size / 1e6) + "\n")
    return exit_codes.OK
