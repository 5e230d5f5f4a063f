"""Work in a process of its own, beside this one: it takes another processor and not this interpreter's lock.

The child is a copy of this process, made before there are threads. What it says comes through a pipe; a
second pipe, whose other end only this process has, ends it and the commands it runs when this process ends,
however that happens.
"""

import contextlib
import fcntl
import os
import pickle
import signal
import threading
import time
from collections.abc import Callable, Iterator

_HEAD = 4
_CHUNK = 1 << 16
_ROOM = 1 << 18  # so that the child need not wait until somebody reads
_CALMER = 10
_PATIENCE_S = 0.5

Say = Callable[[object], None]


class Apart:
    """A child at work."""

    def __init__(self, pid: int, said: int, lifeline: int) -> None:
        self._pid = pid
        self._said = said
        self._lifeline = lifeline
        self._rest = b""

    def hear(self, wait: bool) -> list[object] | None:
        """What the child has said since the last call; without `wait` that may be nothing yet. None: it will
        say no more."""
        os.set_blocking(self._said, wait)
        try:
            data = os.read(self._said, _CHUNK)
        except BlockingIOError:
            return []
        if not data:
            return None
        self._rest += data
        return list(self._whole())

    def _whole(self) -> Iterator[object]:
        """Takes the whole messages from what was read."""
        while len(self._rest) >= _HEAD:
            end = _HEAD + int.from_bytes(self._rest[:_HEAD], "big")
            if len(self._rest) < end:
                return
            message, self._rest = self._rest[_HEAD:end], self._rest[end:]
            yield pickle.loads(message)  # noqa: S301 -- our own child wrote it

    def end(self) -> None:
        """Ends the child and what it runs, where that has not ended by itself."""
        os.close(self._lifeline)
        deadline = time.monotonic() + _PATIENCE_S
        # Not for ever: a process that waits for a dead disk does not end even so.
        with contextlib.suppress(ChildProcessError):
            while not os.waitpid(self._pid, os.WNOHANG)[0] and time.monotonic() < deadline:
                time.sleep(0.002)


def start(work: Callable[[Say], None], close: Callable[[], None]) -> Apart | None:
    """Starts a child that does `work`, to which it gives a function that says things (anything that pickle
    takes); at its end, early or not, it calls `close`. None where this user may have no more processes."""
    said, saying = os.pipe()
    lifeline, held = os.pipe()
    with contextlib.suppress(OSError):
        fcntl.fcntl(saying, fcntl.F_SETPIPE_SZ, _ROOM)
    try:
        pid = os.fork()
    except OSError:
        for descriptor in (said, saying, lifeline, held):
            os.close(descriptor)
        return None
    if pid == 0:
        try:
            os.close(said)
            os.close(held)
            _child(work, close, saying, lifeline)
        finally:
            os._exit(1)
    os.close(saying)
    os.close(lifeline)
    return Apart(pid, said, held)


def _child(work: Callable[[Say], None], close: Callable[[], None], saying: int, lifeline: int) -> None:
    """What the child does. The terminal is none of its business: neither its keys nor its end."""
    os.setsid()
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    os.nice(_CALMER)  # the screen comes first

    def watch() -> None:
        os.read(lifeline, 1)
        close()
        os._exit(0)

    def say(something: object) -> None:
        data = pickle.dumps(something)
        data = len(data).to_bytes(_HEAD, "big") + data
        while data:
            data = data[os.write(saying, data) :]

    threading.Thread(target=watch, daemon=True, name="lifeline").start()
    work(say)
    close()
    os._exit(0)
