"""The log that `--log` asks for: what was done, with times, for its owner only."""

import contextlib
import os
import re
import stat

from mailcow_wizard.host import invoker
from mailcow_wizard.host.errors import Denied, HostError
from mailcow_wizard.host.files.trust import followed

_MOST_BYTES = 8 << 20
_LONGEST_BEGIN = 200
"""The time and what a line begins with have not more bytes."""


def size(path: str) -> int:
    """A log's bytes; 0 where there is none."""
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def tail(path: str, start: int) -> bytes:
    """What lies in a log behind this byte, a piece of it where it is much; empty where there is nothing, or
    no log."""
    try:
        with open(path, "rb") as file:
            file.seek(start)
            return file.read(_MOST_BYTES)
    except OSError:
        return b""


def last_with(path: str, word: bytes) -> int:
    """Where the last line stands that begins with this word, behind its time; 0 where none does."""
    begins = re.compile(rb"^\S+ " + re.escape(word), re.MULTILINE)
    at = size(path)
    while at > 0:
        at = max(0, at - _MOST_BYTES + _LONGEST_BEGIN)
        data = tail(path, at)
        # Of half a line nobody knows what it begins with.
        first = (data.find(b"\n") + 1 or len(data)) if at else 0
        found = [one.start() for one in begins.finditer(data, first)]
        if found:
            return at + found[-1]
    return 0


def _opened(path: str) -> int:
    """Raises OSError, HostError. Not a pipe that nobody reads, and not what another user laid there."""
    followed(path)
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOCTTY
    descriptor = os.open(path, flags | os.O_NONBLOCK, 0o600)
    found = os.fstat(descriptor)
    # A terminal belongs to who sits at it, and /dev/null has other names in containers.
    ours = stat.S_ISCHR(found.st_mode) or (found.st_uid in (0, os.geteuid()) and found.st_nlink == 1)
    if not ours and not _is_a_stream(found):
        os.close(descriptor)
        raise Denied(f"{path} could not be written: it is not this user's own file")
    os.set_blocking(descriptor, True)
    return descriptor


def _is_a_stream(found: os.stat_result) -> bool:
    """Whether what is said goes there anyway, as to /dev/stderr: with sudo a pipe belongs to who came so."""
    for number in (1, 2):
        with contextlib.suppress(OSError):
            if os.path.samestat(os.fstat(number), found):
                return True
    return False


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
        stamp = invoker.utc(invoker.now())
        os.write(self._descriptor, f"{stamp} {text}\n".encode("utf-8", "backslashreplace"))
