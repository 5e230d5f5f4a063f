"""What is typed at the terminal, for a thread that sleeps while nothing is."""

from __future__ import annotations

import os
import select

_CHUNK = 4096


class Keyboard:
    """A terminal to read from until `end` is called, from whichever thread."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._woken, self._end = os.pipe()

    def wait(self, patience: float | None) -> bytes | None:
        """What is typed next; nothing where nothing is within `patience` seconds; None at the end.

        Without patience it waits as long as it takes.
        """
        ready = select.select([self._descriptor, self._woken], [], [], patience)[0]
        if self._woken in ready:
            return None
        if not ready:
            return b""
        try:
            return os.read(self._descriptor, _CHUNK) or None
        except OSError:  # the terminal is gone
            return None

    def end(self) -> None:
        """Wakes whoever waits."""
        os.write(self._end, b"\0")

    def close(self) -> None:
        """When nobody waits any more."""
        os.close(self._woken)
        os.close(self._end)
