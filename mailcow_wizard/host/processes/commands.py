"""Runs commands that look at the machine: bounded in time and output, with a clean environment."""

from __future__ import annotations

import contextlib
import itertools
import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping

from mailcow_wizard.host.errors import Denied, HostError, NoAnswer, TooLarge
from mailcow_wizard.host.processes.search_path import search_path, which
from mailcow_wizard.host.replies import MIB, Ran
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

_MOST_COMPLAINTS = MIB
_ENVIRONMENT = {"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "HOME": "/", "TERM": "dumb"}
_DOWNLOADS = ("apt", "apt-get", "dnf", "yum", "apk", "zypper", "git")
# mailcow's own: it runs git and curl.
_SCRIPT = "generate_config.sh"
# Our own: it asks a provider's API.
_PROGRAM = "dns_provider.py"
_MARK = "MAILCOW_WIZARD_COMMAND"
_MOST_ENVIRONMENT = 1 << 18
_PATIENCE_S = 0.3
# How often a command is looked at where the kernel does not tell of its end.
_LOOK_S = 0.01
_ROUNDS = 20


def without_env(argv: tuple[str, ...]) -> tuple[str, ...]:
    """The command itself, where `env` sets its environment first."""
    if argv[:1] != ("env",):
        return argv
    return tuple(itertools.dropwhile(lambda word: "=" in word, argv[1:])) or argv


def downloads(argv: tuple[str, ...]) -> bool:
    """Whether a command speaks with servers of the web, also one whose environment `env` sets first."""
    command, *more = [os.path.basename(one) for one in without_env(argv) if "=" not in one] or [""]
    return command in _DOWNLOADS or (command == "bash" and more[:1] == [_SCRIPT]) or more[:1] == [_PROGRAM]


class Commands:
    """The commands that run at the moment, so that none outlives the program."""

    def __init__(self, proxies: Callable[[], Mapping[str, str]] = dict) -> None:
        """`proxies` tells the variables that commands which download find in their environment."""
        self._proxies = proxies
        self._running: dict[subprocess.Popen[bytes], str] = {}
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._closed = False

    def run(self, argv: tuple[str, ...], timeout: float, most: int = MIB, begun: bool = False) -> Ran:
        """Runs a command in a session of its own; past `timeout` seconds ends it and all its children.
        See `Host.run`."""
        mark = f"{os.getpid()}-{next(self._numbers)}"
        more = self._proxies() if downloads(argv) else {}
        with self._lock:
            if self._closed:
                raise HostError("the program is ending")
            process = _start(argv, mark, more)
            self._running[process] = mark
        # One byte more tells that there is more.
        with contextlib.closing(_Said(process, most + 1)) as said:
            try:
                code = said.until_it_ends(timeout)
            except subprocess.TimeoutExpired:
                _end_marked(process, mark)
                raise NoAnswer(f"{argv[0]} did not end within {timeout:g} s") from None
            finally:
                _end(process)
                with self._lock:
                    del self._running[process]
            if not said.whole():
                # A child in a session of its own has the pipe. What is there already is the answer.
                _end_marked(process, mark)
                said.whole()
        if len(said.out) > most and not begun:
            raise TooLarge(f"{argv[0]} says more than {most >> 20} MiB")
        return Ran(code, _text(said.out[:most]), _text(said.err))

    def end_all(self) -> None:
        """Ends what still runs; nothing is started any more."""
        with self._lock:
            self._closed = True
            left = list(self._running.items())
        for process, mark in left:
            _end_marked(process, mark)


def _start(argv: tuple[str, ...], mark: str, more: Mapping[str, str]) -> subprocess.Popen[bytes]:
    with starting(argv[0]):
        return subprocess.Popen(
            [which(argv[0]), *argv[1:]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**more, **_ENVIRONMENT, "PATH": search_path(), _MARK: mark},
            cwd="/",
            start_new_session=True,
        )


@contextlib.contextmanager
def starting(command: str) -> Iterator[None]:
    """Raises Denied or HostError with a sentence for what keeps a command from being started."""
    try:
        yield
    except PermissionError:
        raise Denied(f"{command} may not be run by this user") from None
    except OSError as error:
        raise HostError(f"{command} could not be started: {error.strerror}") from None
    except ValueError:
        raise HostError(f"{command} could not be started: its words cannot be passed on") from None


class _Said:
    """What a command says, read as it comes and dropped where it is too much: it never waits for us."""

    def __init__(self, process: subprocess.Popen[bytes], most: int) -> None:
        """Keeps the first `most` bytes of what it says."""
        self._process = process
        self.out, self.err = bytearray(), bytearray()
        self._open: dict[int, tuple[IO[bytes], bytearray, int]] = {}
        self._poll = select.poll()
        pipes = ((process.stdout, self.out, most), (process.stderr, self.err, _MOST_COMPLAINTS))
        for pipe, kept, limit in pipes:
            if pipe:
                self._open[pipe.fileno()] = (pipe, kept, limit)
                self._poll.register(pipe.fileno(), select.POLLIN)

    def until_it_ends(self, seconds: float) -> int:
        """The command's exit code, at the moment when it ends: `Popen.wait` looks only every 50 ms. Raises
        TimeoutExpired."""
        try:
            descriptor = os.pidfd_open(self._process.pid)
        except (OSError, AttributeError):  # before Linux 5.3, or with another libc
            return self._until_seen_to_end(seconds)
        self._poll.register(descriptor, select.POLLIN)
        try:
            self._read(seconds, lambda came: descriptor in came)
        finally:
            self._poll.unregister(descriptor)
            os.close(descriptor)
        return self._process.wait(0)

    def _until_seen_to_end(self, seconds: float) -> int:
        end = time.monotonic() + seconds
        while self._process.poll() is None and time.monotonic() < end:
            self._read(_LOOK_S, lambda came: False)
        return self._process.wait(0)

    def whole(self) -> bool:
        """Reads what is left; whether that was all, and nobody can say more."""
        self._read(_PATIENCE_S, lambda came: not self._open)
        return not self._open

    def close(self) -> None:
        """Nothing more is read."""
        for pipe, _kept, _limit in self._open.values():
            pipe.close()
        self._open.clear()

    def _read(self, seconds: float, is_enough: Callable[[list[int]], bool]) -> None:
        """Reads for so long, or until the descriptors that something came from are enough."""
        end = time.monotonic() + seconds
        came: list[int] = []
        while not is_enough(came) and (left := end - time.monotonic()) > 0:
            came = [descriptor for descriptor, _events in self._poll.poll(left * 1000)]
            for descriptor in came:
                if descriptor in self._open:
                    self._take(descriptor)

    def _take(self, descriptor: int) -> None:
        pipe, kept, limit = self._open[descriptor]
        chunk = os.read(descriptor, 1 << 16)
        kept += chunk[: limit - len(kept)]
        if not chunk:
            self._poll.unregister(descriptor)
            del self._open[descriptor]
            pipe.close()


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends the whole session, and descendants that left it: one of them could hold the pipes open."""
    strays = _descendants(process.pid) if process.poll() is None else []
    _kill(os.killpg, process.pid, signal.SIGKILL)
    for stray in strays:
        _kill(os.kill, stray, signal.SIGKILL)
    # Not for ever: a process that waits for a dead disk does not end even so.
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_PATIENCE_S)


def _end_marked(process: subprocess.Popen[bytes], mark: str) -> None:
    """Ends the command, and what it left behind under another parent: the mark in its environment tells."""
    _end(process)
    for _ in range(_ROUNDS):
        strays = [pid for pid in _processes() if is_marked(pid, _MARK, mark)]
        if not strays:
            return
        for stray in strays:
            _kill(os.kill, stray, signal.SIGKILL)
        time.sleep(0.005)


def _processes() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def is_marked(pid: int, variable: str, mark: str) -> bool:
    """Whether a process has the mark in this variable, and is not one that got its number later; one that is
    dead and not yet buried has no environment."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as environment:
            return f"{variable}={mark}".encode() in environment.read(_MOST_ENVIRONMENT).split(b"\0")
    except OSError:
        return False


def _kill(kill: Callable[[int, int], None], pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        kill(pid, number)


def _descendants(pid: int) -> list[int]:
    found: list[int] = []
    waiting = [pid]
    while waiting:
        parent = waiting.pop()
        # Stopped first: a process that starts others while it is looked at would hide them.
        _kill(os.kill, parent, signal.SIGSTOP)
        try:
            with open(f"/proc/{parent}/task/{parent}/children", "rb") as children:
                below = [int(word) for word in children.read().split()]
        except (OSError, ValueError):
            continue
        found += below
        waiting += below
    return found


def _text(data: bytearray) -> str:
    return data.decode("utf-8", "replace")
