"""The program's entry. It prints its first line before it imports anything that costs time."""

import gc
import sys

from mailcow_wizard import __version__, language
from mailcow_wizard.host import entrance

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

_INTERRUPTED = 130  # as `exit_codes` has it, which is not imported yet


def main() -> "NoReturn":
    """Runs the command line and ends the process."""
    try:
        entrance.close_to_others()
        entrance.hold_streams()
        code = _run(sys.argv[1:])
        for stream in (sys.stdout, sys.stderr):
            if stream:
                stream.flush()
    except KeyboardInterrupt:
        # Before and behind the command line proper, which answers for itself.
        code = _INTERRUPTED
    entrance.end(code)


def _run(words: list[str]) -> int:
    if words == ["--version"]:
        _say(f"mailcow-wizard {__version__}\n")
        return 0
    language.choose(words, entrance.environment(), _names, lambda: _repeated(words))
    if words in (["--help"], ["-h"]):
        from mailcow_wizard.cli.help import help_text

        _say(help_text())
        return 0
    if _opens_the_screen(words) and entrance.is_for_screens():
        splash = language._("mailcow-wizard {version} looks at this machine", version=__version__)
        _say(f"{splash}\n")
    # Loading modules makes no garbage, and looking for it takes a twentieth of a short run.
    gc.disable()
    from mailcow_wizard.cli.app import run

    return run(words)


def _names() -> tuple[str, str]:
    """Imported where a sentence needs it: the first line needs none."""
    from mailcow_wizard.host import calling

    return calling.names()


def _repeated(words: list[str]) -> "tuple[language.Repeated, language.Repeated]":
    """The same for the options that belong behind the name."""
    from mailcow_wizard.cli.repeating import repeated

    return repeated(words, entrance.environment())


def _opens_the_screen(words: list[str]) -> bool:
    """Whether the line is short enough to be sure of that before it is read."""
    return words in ([], ["--demo"]) or (len(words) == 1 and words[0].startswith("--lang="))


def _say(text: str) -> None:
    try:
        entrance.write(text.encode(getattr(sys.stdout, "encoding", None) or "ascii", "replace"))
    except BrokenPipeError:
        sys.exit(0)
    except OSError as error:
        from mailcow_wizard.host.terminal import streams

        streams.say(
            language._("the output could not be written: {error}", error=error.strerror)
            if sys.stdout
            else language._("the output could not be written: it is closed")
        )
        sys.exit(74)


if __name__ == "__main__":
    main()
