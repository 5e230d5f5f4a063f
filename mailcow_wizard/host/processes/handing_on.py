"""Handing open files on to a process that somebody else started for us, as systemd does."""

from __future__ import annotations

import array
import contextlib
import os
import socket
import struct
from collections.abc import Callable, Iterator

from mailcow_wizard.host.errors import HostError

_NAME = "handing-on"
_TURN_S = 0.2
_FETCH_S = 10.0
_GIVEN = b"given"
_KEPT = b"kept"
_MOST = 8
"""So many files at once, at most."""
_NUMBER = array.array("i").itemsize
_CREDENTIALS = struct.Struct("3i")
"""What SO_PEERCRED answers: process, user, group (unix(7))."""


class Offer:
    """A place in a directory of our own where one other process of this user fetches open files."""

    def __init__(self, directory: str) -> None:
        """Only who holds the directory's lock may make one. Raises HostError."""
        self._path = f"{directory}/{_NAME}"
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._path)
            with _short(directory) as place:
                self._listener.bind(place)
            self._listener.listen(1)
        except OSError as error:
            self._listener.close()
            raise HostError(f"{self._path} could not be made: {error.strerror}") from None

    def hand_on(self, descriptors: tuple[int, ...], ended: Callable[[], bool], seconds: float) -> bool:
        """Waits until the other process has the files too; False where it ended, or did not come in time."""
        self._listener.settimeout(_TURN_S)
        for _unused in range(round(seconds / _TURN_S)):
            with contextlib.suppress(OSError):
                link, _ = self._listener.accept()
                with link:
                    link.settimeout(_FETCH_S)
                    if _is_ours(link) and _given(link, descriptors):
                        return True
            if ended():
                return False
        return False

    def close(self) -> None:
        """Takes the place away."""
        self._listener.close()
        with contextlib.suppress(OSError):
            os.unlink(self._path)


def fetch(directory: str) -> tuple[int, ...]:
    """The open files that are offered there; empty where nobody offers any."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as link:
        link.settimeout(_FETCH_S)
        with _short(directory) as place:
            link.connect(place)
        if not _is_ours(link):
            return ()
        text, more, _, _ = link.recvmsg(
            len(_GIVEN), socket.CMSG_SPACE(_MOST * _NUMBER), socket.MSG_CMSG_CLOEXEC
        )
        numbers = array.array("i")
        for level, kind, data in more:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                numbers.frombytes(data[: len(data) - len(data) % _NUMBER])
        if text == _GIVEN and numbers:
            link.send(_KEPT)
            return tuple(numbers)
    return ()


def _given(link: socket.socket, descriptors: tuple[int, ...]) -> bool:
    numbers = array.array("i", descriptors)
    link.sendmsg([_GIVEN], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, numbers)])
    return link.recv(len(_KEPT)) == _KEPT


def _is_ours(link: socket.socket) -> bool:
    """Whether a process of this user is at the other end."""
    said = link.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return bool(_CREDENTIALS.unpack(said)[1] == os.geteuid())


@contextlib.contextmanager
def _short(directory: str) -> Iterator[str]:
    """The place's path, short however long the directory's is: a socket's has at most 107 bytes."""
    descriptor = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{descriptor}/{_NAME}"
    finally:
        os.close(descriptor)
