"""What the terminal can show, by what it says of itself."""

import os
import sys

from mailcow_wizard.host import calling
from mailcow_wizard.typed import NamedTuple

_MUTE = ("dumb", "unknown", "cons25", "emacs")

_OLD = ("vt1", "vt5", "ansi", "cygwin")


class Terminal(NamedTuple):
    """`refusal` says why a full screen cannot be drawn (empty: it can); the rest how to draw."""

    refusal: str
    utf8: bool
    colour: bool


def examine() -> Terminal:
    """Looks at the standard streams and at TERM, NO_COLOR and the locale's name."""
    name = os.environ.get("TERM", "")
    encoding = (sys.stdout.encoding or "").lower().replace("-", "").replace("_", "")
    # The Linux console's font has 256 or 512 glyphs, and not these.
    utf8 = encoding == "utf8" and name != "linux" and _is_utf8(_variables())
    return Terminal(_refusal(name), utf8, not os.environ.get("NO_COLOR"))


def _variables() -> dict[str, str]:
    """The environment this started with: Python itself sets LC_CTYPE to C.UTF-8 in the C locale."""
    if os.environ.get("MAILCOW_WIZARD_FROM"):
        return dict(os.environ)  # what the person's own machine said
    try:
        with open("/proc/self/environ", encoding="utf-8", errors="replace") as file:
            pairs = (entry.partition("=") for entry in file.read().split("\0"))
            return {name: value for name, _, value in pairs}
    except OSError:
        return dict(os.environ)


def _is_utf8(variables: dict[str, str]) -> bool:
    """Whether the locale's name says UTF-8: Python's own encoding is UTF-8 in the C locale, too."""
    values = (variables.get(name, "") for name in ("LC_ALL", "LC_CTYPE", "LANG"))
    name = next((value for value in values if value), "").lower()
    return "utf-8" in name or "utf8" in name


def _refusal(name: str) -> str:
    if not os.isatty(0):
        return "the wizard needs a terminal, and standard input is none"
    if not os.isatty(1):
        return "the wizard needs a terminal, and standard output is none"
    if not os.isatty(2):
        return "the wizard needs a terminal, and standard error is none"
    if not name:
        return "the terminal does not say what it is (TERM), so that no full screen can be drawn"
    if name in _MUTE:
        return f"the terminal calls itself '{name}' (TERM) and cannot draw a full screen"
    return ""


def prepare(slow_line: bool) -> None:
    """Sets what Textual reads from the environment when it is imported."""
    # Exported by some shells and programs, believed by Textual, and wrong after the first resize.
    for name in ("COLUMNS", "LINES"):
        os.environ.pop(name, None)
    os.environ.setdefault("TEXTUAL_FPS", "15" if slow_line else "120")
    os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    # Over a slow line the bytes of one key may arrive apart; Esc alone never does harm here.
    os.environ.setdefault("ESCDELAY", "200" if slow_line else "100")


class Drawing(NamedTuple):
    """How the screen reaches the terminal: whole, as Textual writes it (`plain`), or only what changed, with
    the sequences that came with the VT220 (`modern`) or without them."""

    plain: bool
    modern: bool


def drawing() -> Drawing:
    """Looks at MAILCOW_WIZARD_PLAIN_DISPLAY and TERM."""
    old = os.environ.get("TERM", "").startswith(_OLD)
    return Drawing(bool(os.environ.get("MAILCOW_WIZARD_PLAIN_DISPLAY")), not old)


def adds_returns(descriptor: int) -> bool:
    """Whether the kernel sends this terminal a carriage return before each line feed."""
    import termios

    try:
        flags: int = termios.tcgetattr(descriptor)[1]
    except termios.error:
        return False
    wanted = termios.OPOST | termios.ONLCR
    return flags & wanted == wanted


def over_ssh() -> bool:
    """Whether this terminal is at the end of an SSH connection."""
    return bool(os.environ.get("SSH_CONNECTION") or os.environ.get("SSH_TTY"))


def instead() -> str:
    """The command line that shows the same without a full screen, started as this one was."""
    said = {"--json", "--plain"} & set(sys.argv[1:])
    return _line(calling.names()[0], "check", *(() if said else ("--plain",)))


def as_root() -> str:
    """This command line for root."""
    return _line(calling.names()[1])


def _line(start: str, *words: str) -> str:
    """A call of this program, with these words before those of this command line."""
    import shlex

    from mailcow_wizard.harmless import harmless
    from mailcow_wizard.redaction import assignment_shown

    # Whoever runs it has it in sudo's log, too.
    return harmless(f"{start} {shlex.join([*words, *map(assignment_shown, sys.argv[1:])])}".rstrip(), 400)
