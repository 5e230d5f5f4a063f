"""A process of our own that goes on when this one ends: a session of its own, no terminal."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time

from mailcow_wizard import language
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.processes.search_path import search_path

SYSTEMD = "/run/systemd/system"
"""This directory is there where systemd is the first process (sd_booted(3))."""
_SYSTEMD_S = 20.0
_PROGRAM = (
    "import sys; sys.path.insert(0, sys.argv[1]); from mailcow_wizard.language import use; use(sys.argv[2]); "
    "from {0} import main; sys.exit(main(sys.argv[3:]))"
)


class Detached:
    """The process that was started."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self.pid = process.pid

    def ended(self) -> bool:
        """Whether it is over; it is also buried then."""
        return self._process.poll() is not None


def start(module: str, words: tuple[str, ...], handed: tuple[int, ...], tongue: str = "") -> Detached:
    """Starts `main(words)` of one of our modules; `handed` are open files that it inherits.

    The same interpreter, language and code, wherever that lies: a checkout, a venv, a zip file; `tongue` is
    another language. Nothing secret may be among the words: everybody can read them. Raises HostError.
    """
    # Until the process is ready to hear it (`Stopping`), being asked to stop waits.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM,))
    try:
        process = subprocess.Popen(
            [sys.executable, "-c", *program(module, tongue), *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            umask=0o022,
            start_new_session=True,
            pass_fds=handed,
        )
    except OSError as error:
        raise HostError(f"no process could be started: {error.strerror}") from None
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return Detached(process)


def program(module: str, tongue: str = "", code: str = "") -> tuple[str, ...]:
    """What an interpreter is told (-c) to run `main` of one of our modules, in this language or another, with
    the words that follow; `code` is where another copy of ours lies."""
    return (_PROGRAM.format(module), code or root(), tongue or language.current())


class Unit:
    """A process that systemd started for us, in a unit of its own."""

    def __init__(self, name: str) -> None:
        self.name = name

    def ended(self) -> bool:
        """Whether it is over."""
        ran = _quietly(["systemctl", "is-active", "--quiet", self.name])
        return ran is not None and ran != 0


def start_apart(
    module: str, words: tuple[str, ...], unit: str, about: str, tongue: str = ""
) -> Detached | Unit:
    """Starts `main(words)` of one of our modules in nobody's session: as a unit of systemd's where there is
    systemd, so that no end of a login ends it, else in a session of its own. Raises HostError.

    When it is killed, the commands that it runs come to their end all the same.
    """
    if os.path.isdir(SYSTEMD):
        options = [f"--property={one}" for one in ("KillMode=process", "OOMPolicy=continue", "UMask=0022")]
        argv = [
            *("systemd-run", "--quiet", "--collect", f"--unit={unit}", f"--description={about}", *options),
            *("--", sys.executable, "-c", *map(_in_unit, (*program(module, tongue), *words))),
        ]
        if _quietly(argv) == 0:
            return Unit(unit)
    return start(module, words, (), tongue)


def _in_unit(word: str) -> str:
    """A word of a unit's command, in which systemd would put variables in the place of their names
    (systemd.service(5))."""
    return word.replace("$", "$$")


def _quietly(argv: list[str]) -> int | None:
    """Runs a short command of systemd's; its exit code, None where it could not be run."""
    nothing = subprocess.DEVNULL
    try:
        ran = subprocess.run(
            argv,
            stdin=nothing,
            stdout=nothing,
            stderr=nothing,
            env={"PATH": search_path()},
            timeout=_SYSTEMD_S,
            check=False,
        )
        return ran.returncode
    except (OSError, subprocess.SubprocessError):
        return None


def root() -> str:
    """Where our code lies: the directory above our package."""
    return os.path.abspath(os.path.join(__file__, "../../../.."))


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
