"""What is typed at the terminal, for a thread that sleeps while nothing is."""

from __future__ import annotations

import os
import select
import signal
import termios

_CHUNK = 4096


class Keyboard:
    """A terminal to read from until `end` is called, from whichever thread."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._woken, self._end = os.pipe()
        self.gone = False
        """Whether there is no terminal any more."""

    def wait(self, patience: float | None) -> bytes | None:
        """What is typed next; nothing where nothing is within `patience` seconds; None at the end.

        Without patience it waits as long as it takes.
        """
        ready = self._ready(patience)
        if self._woken in ready:
            return None
        if not ready:
            return b""
        try:
            typed = os.read(self._descriptor, _CHUNK)
        except BlockingIOError:  # another process that reads it, too, was quicker
            return b""
        except OSError:
            self.gone = True
            return None
        self.gone = not typed and not self._is_there()
        return None if self.gone else typed

    def rest(self, seconds: float) -> bool:
        """Reads nothing for so long, so that what is typed waits in the terminal; False at the end."""
        waiting = select.poll()
        waiting.register(self._woken, select.POLLIN)
        return not waiting.poll(seconds * 1000)

    def _ready(self, patience: float | None) -> set[int]:
        # Unlike select(2) it takes descriptors above 1023.
        waiting = select.poll()
        for one in (self._descriptor, self._woken):
            waiting.register(one, select.POLLIN)
        return {one for one, _event in waiting.poll(None if patience is None else patience * 1000)}

    def _is_there(self) -> bool:
        """Whether nothing means the key Ctrl+D, of a terminal that somebody else set back to lines."""
        try:
            termios.tcgetattr(self._descriptor)
        except termios.error:
            return False
        return True

    def end(self) -> None:
        """Wakes whoever waits."""
        os.write(self._end, b"\0")

    def close(self) -> None:
        """When nobody waits any more."""
        os.close(self._woken)
        os.close(self._end)


def hang_up() -> None:
    """Does what the kernel does only where the terminal that is gone is the one of this session."""
    os.kill(os.getpid(), signal.SIGHUP)
