"""A process of our own that goes on when this one ends: a session of its own, no terminal."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time

from mailcow_wizard.host.door import HostError

_PROGRAM = "import sys; sys.path.insert(0, sys.argv[1]); from {0} import main; sys.exit(main(sys.argv[2:]))"


class Detached:
    """The process that was started."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self.pid = process.pid

    def ended(self) -> bool:
        """Whether it is over; it is also buried then."""
        return self._process.poll() is not None


def start(module: str, words: tuple[str, ...], handed: int) -> Detached:
    """Starts `main(words)` of one of our modules; `handed` is an open file that it inherits.

    The same interpreter and the same code, wherever that lies: a checkout, a venv, a zip file. Nothing
    secret may be among the words: everybody can read them. Raises HostError.
    """
    # Until the process is ready to hear it (`Stopping`), being asked to stop waits.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM,))
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    try:
        process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM.format(module), root, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            umask=0o022,
            start_new_session=True,
            pass_fds=(handed,),
        )
    except OSError as error:
        raise HostError(f"no process could be started: {error.strerror}") from None
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return Detached(process)


def ask_to_stop(pid: int) -> None:
    """Tells such a process that it should come to an end."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGTERM)


class Stopping:
    """In such a process: whether it was told to come to an end. A hangup and ctrl+C do not concern it."""

    def __init__(self) -> None:
        self.asked = False
        # Not SIG_IGN, which the commands that are run would inherit, and daemons that these start.
        for number in (signal.SIGHUP, signal.SIGINT):
            signal.signal(number, self._ignore)
        signal.signal(signal.SIGTERM, self._ask)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGTERM,))

    def _ignore(self, number: int, frame: object) -> None:
        return

    def _ask(self, number: int, frame: object) -> None:
        self.asked = True


def own_pid() -> int:
    """This process's number."""
    return os.getpid()


def pause(seconds: float) -> None:
    """Waits."""
    time.sleep(seconds)
