"""The terminal taken for a full screen before anything that draws it is imported, and given back.

What is typed meanwhile waits in the kernel, unseen, for whoever reads the terminal next.
"""

from __future__ import annotations

import os
import signal
import termios

from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType
    from typing import Any

    Attributes = list[Any]

ALTERNATE = "\x1b[?1049h"
"""The second screen of a terminal, which leaves what was there before as it was."""
_BEGIN = f"{ALTERNATE}\x1b[?25l"
_END = "\x1b[?1049l\x1b[?25h"
_IN, _SIZED = 0, 1  # where Textual reads, and asks for the size
_ENDING = (signal.SIGTERM, signal.SIGHUP)
_MOST_COLUMNS, _MOST_ROWS = 1000, 500
"""More than letters of four by six pixels give on a screen of 3840 by 2160; a terminal may say 65535, which
would take all memory."""


class FullScreen:
    """A terminal without echo, on its second screen, until `close` or `hand_over`."""

    def __init__(self, columns: int, rows: int, attributes: Attributes) -> None:
        self.columns = columns
        self.rows = rows
        self.attributes = attributes
        """What the terminal was set to before (termios)."""
        self._open = False

    def begin(self) -> bool:
        """Takes the terminal; whether it could be done."""
        try:
            termios.tcsetattr(_IN, termios.TCSANOW, _raw(self.attributes))
        except termios.error:
            return False
        self._open = True
        for number in _ENDING:
            signal.signal(number, self._ended)
        return self.write(_BEGIN)

    def write(self, text: str) -> bool:
        """Writes all of it; whether it could be done."""
        left = text.encode("utf-8", "replace")
        try:
            while left:
                left = left[os.write(2, left) :]  # where Textual draws
        except OSError:
            return False
        return True

    def hand_over(self) -> None:
        """Whoever draws from here on gives the terminal back, too."""
        self._open = False

    def close(self) -> None:
        """Gives the terminal back as it was, where nobody else took it over."""
        if not self._open:
            return
        self.hand_over()
        self.write(_END)
        try:
            # An answer of the terminal would reach the shell as if it were typed.
            termios.tcsetattr(_IN, termios.TCSAFLUSH, self.attributes)
        except termios.error:
            return

    def _ended(self, number: int, _frame: FrameType | None) -> None:
        self.close()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)


def full_screen() -> FullScreen | None:
    """This process's terminal; None where it has no size or cannot be asked."""
    try:
        columns, rows = os.get_terminal_size(_SIZED)
        attributes = termios.tcgetattr(_IN)
    except (OSError, termios.error):
        return None
    return FullScreen(*bounded(columns, rows), attributes) if columns > 0 and rows > 0 else None


def bounded(columns: int, rows: int) -> tuple[int, int]:
    """How much of a terminal of this size is drawn on."""
    return min(columns, _MOST_COLUMNS), min(rows, _MOST_ROWS)


def _raw(attributes: Attributes) -> Attributes:
    """As Textual's driver sets it: each key by itself, unseen, as it was typed."""
    taken = [*attributes]
    taken[0] &= ~(termios.IXON | termios.IXOFF | termios.ICRNL | termios.INLCR | termios.IGNCR)
    taken[3] &= ~(termios.ECHO | termios.ICANON | termios.IEXTEN | termios.ISIG)
    taken[6] = [*attributes[6]]
    taken[6][termios.VMIN] = 1
    return taken
