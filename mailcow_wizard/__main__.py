"""The program's entry. It prints its first line before it imports anything that costs time."""

import os
import sys

from mailcow_wizard import __version__

_SPLASH = f"mailcow-wizard {__version__} looks at this machine…\n"


def main() -> int:
    """Runs the command line; returns the exit code."""
    words = sys.argv[1:]
    if words == ["--version"]:
        _say(f"mailcow-wizard {__version__}\n")
        return 0
    if (
        words in ([], ["--demo"])
        and all(map(os.isatty, (0, 1, 2)))
        and os.environ.get("TERM", "dumb") != "dumb"
    ):
        _say(_SPLASH)
    from mailcow_wizard.cli.app import run

    return run(words)


def _say(text: str) -> None:
    try:
        os.write(1, text.encode("utf-8" if _speaks_utf8() else "ascii", "replace"))
    except BrokenPipeError:
        sys.exit(0)
    except OSError:
        sys.exit(74)


def _speaks_utf8() -> bool:
    return (getattr(sys.stdout, "encoding", None) or "").lower().replace("-", "") == "utf8"


if __name__ == "__main__":
    sys.exit(main())
