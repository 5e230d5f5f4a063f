"""The command line: from words to an exit code. stdout is data, stderr is narration."""

import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType

from mailcow_wizard.cli import exit_codes
from mailcow_wizard.cli.arguments import Options, UsageError, parse


class CannotWriteOutput(Exception):
    """stdout takes no more, and not because its reader went away."""


def run(words: Sequence[str]) -> int:
    """Runs one command line and returns its exit code; leaves no child behind."""
    signal.signal(signal.SIGTERM, _terminated)
    try:
        return _finished(_dispatch(parse(words)))
    except UsageError as error:
        print(f"mailcow-wizard: {error}", file=sys.stderr)
        return exit_codes.USAGE
    except BrokenPipeError:
        _forget_stdout()
        return exit_codes.OK
    except CannotWriteOutput as error:
        _forget_stdout()
        print(f"mailcow-wizard: the output could not be written: {error}", file=sys.stderr)
        return exit_codes.OUTPUT
    except KeyboardInterrupt:
        return exit_codes.INTERRUPTED


def write(text: str) -> None:
    """Writes to stdout. Raises BrokenPipeError where nobody reads, CannotWriteOutput where it is full."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise CannotWriteOutput(error.strerror) from None


def _terminated(number: int, frame: FrameType | None) -> None:
    sys.exit(exit_codes.TERMINATED)


def _finished(code: int) -> int:
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise CannotWriteOutput(error.strerror) from None
    return code


def _forget_stdout() -> None:
    """The interpreter flushes stdout once more at its end, and would complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _dispatch(options: Options) -> int:
    _make_encodable()
    if options.help:
        from mailcow_wizard.cli.usage import HELP

        write(HELP)
        return exit_codes.OK
    if options.version:
        from mailcow_wizard import __version__

        write(f"mailcow-wizard {__version__}\n")
        return exit_codes.OK
    if options.command == "schema":
        import json

        from mailcow_wizard.report.schema import schema

        write(json.dumps(schema(), indent=2) + "\n")
        return exit_codes.OK
    if options.command == "check":
        from mailcow_wizard.cli.check import check

        return check(options, write)
    from mailcow_wizard.cli.wizard import wizard

    return wizard(options)


def _make_encodable() -> None:
    """Where the terminal's encoding lacks a character an escape is better than a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
