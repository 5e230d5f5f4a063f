"""A lock that ends with its holder, however that ends; it can be handed to a process that was started."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import time

from mailcow_wizard.host.errors import Denied, HostError

_PATIENCE_S = 0.4
_PAUSE_S = 0.02
_MOST_BYTES = 4096
_FLAGS = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
"""Not blocking: a FIFO in the file's place would wait for a writer for ever."""
_NO_PLACE = (errno.ENOENT, errno.ENOTDIR, errno.EEXIST, errno.EROFS, errno.ENOSPC, errno.EDQUOT)
_NO_LOCKS = (errno.EOPNOTSUPP, errno.ENOSYS)


class Taken(HostError):
    """Somebody else has it. `text` is what the holder wrote into it."""

    def __init__(self, text: str) -> None:
        super().__init__("the lock is taken")
        self.text = text


class Nowhere(HostError):
    """There is no such lock, and none can be made: nobody has it."""


class NowhereForUs(Nowhere, Denied):
    """The same, as far as this user can see."""


class Flock:
    """A lock that is held; `descriptor` is its open file."""

    def __init__(self, descriptor: int) -> None:
        """Takes over a lock that another process took and handed on."""
        self.descriptor = descriptor
        os.set_inheritable(descriptor, False)

    def say(self, text: str) -> None:
        """Writes into the lock, for those who find it taken; they read what was there before, or this."""
        said = text.encode()[:_MOST_BYTES]
        with contextlib.suppress(OSError):
            # In one piece over all that was there: blanks at the end say nothing.
            os.pwrite(self.descriptor, said.ljust(os.fstat(self.descriptor).st_size), 0)
            os.ftruncate(self.descriptor, len(said))

    def close(self) -> None:
        """Gives it up; a process that it was handed to still holds it."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


def take(path: str, patience: float = _PATIENCE_S) -> Flock:
    """Takes the lock, whose file is made where it is missing; for so many seconds it waits for it. Raises
    Taken, Nowhere, HostError."""
    try:
        lock = Flock(_opened(path))
    except PermissionError as error:
        if os.path.exists(path):
            raise NowhereForUs(f"{path} may be written by its owner only") from None
        # A directory above says no.
        raise NowhereForUs(f"{path} could not be written: {error.strerror}") from None
    except OSError as error:
        kind = Nowhere if error.errno in _NO_PLACE else HostError
        raise kind(f"{path} could not be written: {error.strerror}") from None
    # Whoever only looks (`holder`) has it for a moment.
    end = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(lock.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return lock
        except BlockingIOError:
            if time.monotonic() > end:
                text = _text(lock.descriptor)
                lock.close()
                raise Taken(text) from None
            time.sleep(_PAUSE_S)
        except OSError as error:
            lock.close()
            kind = Nowhere if error.errno in _NO_LOCKS else HostError
            raise kind(f"{path} cannot be locked: {error.strerror}") from None


def _opened(path: str) -> int:
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT | _FLAGS, 0o600)
    except OSError as error:
        if error.errno != errno.EROFS:
            raise
        # Somebody may have it from before the file system was made read-only, and it can still be taken.
        try:
            return os.open(path, os.O_RDONLY | _FLAGS)
        except FileNotFoundError:
            raise error from None


def holder(path: str) -> str | None:
    """What the holder wrote into the lock; None where nobody holds it."""
    try:
        descriptor = os.open(path, os.O_RDONLY | _FLAGS)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _text(descriptor)
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return None


def _text(descriptor: int) -> str:
    try:
        return os.pread(descriptor, _MOST_BYTES, 0).decode("utf-8", "replace")
    except OSError:
        return ""
