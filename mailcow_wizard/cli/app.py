"""The command line: from words to an exit code. stdout is data, stderr is narration."""

import signal
import sys
from collections.abc import Callable, Sequence
from types import FrameType

from mailcow_wizard.cli import exit_codes
from mailcow_wizard.cli.arguments import Options, UsageError, parse
from mailcow_wizard.cli.values import NothingDone
from mailcow_wizard.harmless import shown
from mailcow_wizard.host.terminal import streams
from mailcow_wizard.language import _


class CannotWriteOutput(Exception):
    """stdout takes no more, and not because its reader went away."""


def run(words: Sequence[str]) -> int:
    """Runs one command line and returns its exit code; leaves no child behind."""
    signal.signal(signal.SIGTERM, _terminated)
    # Started by nohup it goes on without its terminal, as it was told to.
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, _terminated)
    if not streams.mend():
        streams.say(_("the output could not be written: it is closed"))
        return exit_codes.OUTPUT
    try:
        return _finished(_documented(words))
    except BrokenPipeError:
        streams.forget_stdout()
        return exit_codes.OK
    except CannotWriteOutput as error:
        streams.forget_stdout()
        streams.say(_("the output could not be written: {error}", error=error))
        return exit_codes.OUTPUT
    except KeyboardInterrupt:
        return exit_codes.INTERRUPTED


def _documented(words: Sequence[str]) -> int:
    """Runs it; what ends it before its document was written is the document (contract: exactly one)."""
    output = _Output()
    problems: Sequence[object] = ()
    try:
        return _dispatch(parse(words), output.write)
    except UsageError as error:
        code, text, problems = exit_codes.USAGE, str(error), getattr(error, "problems", ())
    except NothingDone as error:
        code, text = error.code, str(error)
    except (BrokenPipeError, CannotWriteOutput):
        raise
    except Exception as error:
        from mailcow_wizard.engine.defect import described

        code, text = exit_codes.DEFECT, described(error)
    if "--ascii" in words:
        streams.only_ascii()
    streams.say(text)
    # Where both are given, nobody knows which form is wanted.
    if "--json" in words and "--plain" not in words and output.empty:
        import json

        from mailcow_wizard.report.plan import of_error

        output.write(json.dumps(of_error(text, problems)) + "\n")
    return code


class _Output:
    """stdout, and whether something was written to it."""

    def __init__(self) -> None:
        self.empty = True

    def write(self, text: str) -> None:
        """Raises BrokenPipeError where nobody reads, CannotWriteOutput where it is full."""
        self.empty = False
        try:
            # A program gets values as they are: `conf get`.
            sys.stdout.write(shown(text) if sys.stdout.isatty() else text)
            sys.stdout.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise CannotWriteOutput(error.strerror) from None


def _terminated(number: int, frame: FrameType | None) -> None:
    sys.exit(exit_codes.HUNG_UP if number == signal.SIGHUP else exit_codes.TERMINATED)


def _finished(code: int) -> int:
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise CannotWriteOutput(error.strerror) from None
    return code


def _version_document(version: str) -> str:
    import json

    from mailcow_wizard.report.document import SCHEMA

    return json.dumps({"schema": SCHEMA, "version": version}) + "\n"


def _dispatch(options: Options, write: Callable[[str], None]) -> int:
    if options.ascii and (options.command or options.help):
        streams.only_ascii()
    if options.help:
        from mailcow_wizard.cli.help import help_text

        write(help_text(options.command))
        return exit_codes.OK
    if options.version:
        from mailcow_wizard import __version__

        write(f"mailcow-wizard {__version__}\n" if not options.json else _version_document(__version__))
        return exit_codes.OK
    # Each command is a function in a module of its own name, imported when it is asked for.
    command = "ssh" if options.ssh else options.command or "wizard"
    module = __import__(f"mailcow_wizard.cli.{command}", fromlist=[command])
    code: int = getattr(module, command)(options, write)
    return code
