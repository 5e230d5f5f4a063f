"""What the terminal can show, by what it says of itself."""

import os
import sys

from mailcow_wizard.typed import NamedTuple

_MUTE = ("", "dumb", "unknown", "cons25", "emacs")


class Terminal(NamedTuple):
    """`refusal` says why a full screen cannot be drawn (empty: it can); the rest how to draw."""

    refusal: str
    utf8: bool
    colour: bool


def examine() -> Terminal:
    """Looks at the standard streams and at TERM, NO_COLOR and the locale's encoding."""
    name = os.environ.get("TERM", "")
    encoding = (sys.stdout.encoding or "").lower().replace("-", "").replace("_", "")
    # The Linux console's font has 256 or 512 glyphs, and not these.
    utf8 = encoding == "utf8" and name != "linux"
    return Terminal(_refusal(name), utf8, not os.environ.get("NO_COLOR"))


def _refusal(name: str) -> str:
    for descriptor, what in ((0, "standard input"), (1, "standard output"), (2, "standard error")):
        if not os.isatty(descriptor):
            return f"the wizard needs a terminal, and {what} is none"
    if name in _MUTE:
        return f"the terminal calls itself '{name or 'nothing'}' (TERM) and cannot draw a full screen"
    return ""


def prepare(slow_line: bool) -> None:
    """Sets what Textual reads from the environment when it is imported."""
    # Exported by some shells and programs, believed by Textual, and wrong after the first resize.
    for name in ("COLUMNS", "LINES"):
        os.environ.pop(name, None)
    os.environ.setdefault("TEXTUAL_FPS", "15" if slow_line else "60")
    os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    # Over a slow line the bytes of one key may arrive apart; Esc alone never does harm here.
    os.environ.setdefault("ESCDELAY", "200" if slow_line else "100")


def over_ssh() -> bool:
    """Whether this terminal is at the end of an SSH connection."""
    return bool(os.environ.get("SSH_CONNECTION") or os.environ.get("SSH_TTY"))
