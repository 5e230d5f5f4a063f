"""Numbered directories of small private files: each appears whole or not at all, and survives a power cut."""

from __future__ import annotations

import contextlib
import errno
import os

from mailcow_wizard.host.errors import Denied, HostError, Missing
from mailcow_wizard.host.files.state import flush_directory
from mailcow_wizard.host.replies import MIB
from mailcow_wizard.numerals import is_number, whole
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_UNFINISHED = ".new-"
_LOG = "log"
_MOST_BYTES = 64 * MIB
_PRIVATE = 0o700
_RESERVE = "reserve"
_RESERVED_BYTES = 16384
_FULL = (errno.ENOSPC, errno.EDQUOT)


class Records:
    """The records below one directory, which the first one makes. Writers hold a lock of theirs."""

    def __init__(self, path: str) -> None:
        self.path = path

    def numbers(self) -> tuple[int, ...]:
        """The records that there are, in the order in which they were added."""
        try:
            names = os.listdir(self.path)
        except OSError:
            return ()
        return tuple(sorted(whole(name) for name in names if is_number(name)))

    def look(self) -> None:
        """Raises Denied where this user may not see the records, HostError where nobody can."""
        try:
            os.scandir(self.path).close()
        except FileNotFoundError:
            return
        except PermissionError:
            raise Denied(f"{self.path} may be read by its owner only") from None
        except OSError as error:
            raise HostError(f"{self.path} could not be read: {error.strerror}") from None

    def add(self, files: Mapping[str, bytes]) -> int:
        """Adds a record with these files; its number. Raises HostError, and then there is no new record.

        Some room is kept for it (see `release`): how a change ended can be written to a disk that is full.
        """
        number = max(self.numbers(), default=0) + 1
        part = os.path.join(self.path, f"{_UNFINISHED}{number}")
        try:
            self._make()
            self._sweep()
            os.mkdir(part, _PRIVATE)
            for name, data in {**files, _RESERVE: os.urandom(_RESERVED_BYTES)}.items():
                _write(os.path.join(part, name), data)
            flush_directory(part)
            os.rename(part, self._place(number))
            flush_directory(self.path)
        except PermissionError:
            raise Denied(f"{self.path} may be written by its owner only") from None
        except OSError as error:
            _remove(part)
            raise HostError(f"{self.path} could not be written: {error.strerror}") from None
        return number

    def _make(self) -> None:
        above = os.path.dirname(self.path)
        # makedirs gives the mode to the last directory only.
        for path in (above, self.path):
            os.makedirs(path, mode=_PRIVATE, exist_ok=True)
        flush_directory(above)

    def _sweep(self) -> None:
        """Removes what a killed `add` left."""
        for name in os.listdir(self.path):
            if name.startswith(_UNFINISHED):
                _remove(os.path.join(self.path, name))

    def read(self, number: int, name: str) -> bytes:
        """A record's file. Raises Missing, HostError."""
        try:
            with open(os.path.join(self._place(number), name), "rb") as file:
                return file.read(_MOST_BYTES)
        except FileNotFoundError:
            raise Missing(f"record {number} has no {name}") from None
        except OSError as error:
            raise HostError(f"{self._place(number)}/{name}: {error.strerror}") from None

    def write(self, number: int, name: str, data: bytes) -> None:
        """Makes or replaces a record's file in one step. Raises HostError, and then it is as it was."""
        place = self._place(number)
        try:
            try:
                _replace(place, name, data)
            except OSError as error:
                if error.errno not in _FULL:
                    raise
                self.release(number)
                _replace(place, name, data)
        except OSError as error:
            raise HostError(f"{place}/{name} could not be written: {error.strerror}") from None

    def release(self, number: int) -> None:
        """Gives free the room that was kept for a record."""
        with contextlib.suppress(OSError):
            os.unlink(os.path.join(self._place(number), _RESERVE))

    def append(self, number: int, data: bytes) -> None:
        """Adds to a record's log; a full disk must not stop what is told there."""
        with contextlib.suppress(OSError):
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
            descriptor = os.open(os.path.join(self._place(number), _LOG), flags, 0o600)
            try:
                os.write(descriptor, data)
            finally:
                os.close(descriptor)

    def tail(self, number: int, start: int) -> bytes:
        """What of a record's log lies behind this byte; empty where there is nothing."""
        try:
            with open(os.path.join(self._place(number), _LOG), "rb") as file:
                file.seek(start)
                return file.read(_MOST_BYTES)
        except OSError:
            return b""

    def _place(self, number: int) -> str:
        return os.path.join(self.path, str(number))


def _remove(directory: str) -> None:
    import shutil

    shutil.rmtree(directory, ignore_errors=True)


def _write(path: str, data: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    with open(os.open(path, flags, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _replace(place: str, name: str, data: bytes) -> None:
    part = os.path.join(place, f"{name}.part")
    try:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(part)
        _write(part, data)
        os.rename(part, os.path.join(place, name))
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(part)
        raise
    flush_directory(place)
