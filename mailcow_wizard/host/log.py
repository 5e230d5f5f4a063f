"""The log that `--log` asks for: what was done, with times, for its owner only."""

import os
import stat
import time

from mailcow_wizard.host.door import Denied, HostError
from mailcow_wizard.host.trust import followed

_MOST_BYTES = 8 << 20


def tail(path: str, start: int) -> bytes:
    """What lies in a log behind this byte; empty where there is nothing, or no log."""
    try:
        with open(path, "rb") as file:
            file.seek(start)
            return file.read(_MOST_BYTES)
    except OSError:
        return b""


def _opened(path: str) -> int:
    """Raises OSError, HostError. Not a pipe that nobody reads, and not what another user laid there."""
    followed(path)
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
    descriptor = os.open(path, flags | os.O_NONBLOCK, 0o600)
    found = os.fstat(descriptor)
    if stat.S_ISREG(found.st_mode) and (found.st_uid not in (0, os.geteuid()) or found.st_nlink > 1):
        os.close(descriptor)
        raise Denied(f"{path} could not be written: it is not this user's own file")
    os.set_blocking(descriptor, True)
    return descriptor


class LogFile:
    """Lines with the time in UTC, each on disk when the next one comes."""

    def __init__(self, path: str, first: str) -> None:
        """Opens the file and appends the first line. Raises HostError."""
        try:
            self._descriptor = _opened(path)
            self._add(first)
        except OSError as error:
            raise HostError(f"{path} could not be written: {error.strerror}") from None

    def write(self, text: str) -> None:
        """Adds a line; a full disk must not stop what is logged."""
        try:
            self._add(text)
        except OSError:
            return

    def _add(self, text: str) -> None:
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        os.write(self._descriptor, f"{stamp} {text}\n".encode("utf-8", "backslashreplace"))
