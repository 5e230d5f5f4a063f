"""Runs a command that changes the machine: to its end, whatever happens to this program meanwhile."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pwd
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from mailcow_wizard.host.errors import HostError, NoAnswer, Unending
from mailcow_wizard.host.processes.commands import is_marked, starting, without_env
from mailcow_wizard.host.processes.search_path import search_path, which
from mailcow_wizard.host.programs.lexicon import credentials
from mailcow_wizard.host.programs.paths import program
from mailcow_wizard.host.replies import MIB
from mailcow_wizard.typed import NamedTuple

MOST_OUTPUT = MIB
"""Of a command's output this much is told, in bytes; what follows is dropped."""

_MARK = "MAILCOW_WIZARD_CHANGE"
_PAUSE_S = 0.03
_PATIENCE_S = 5.0
_LONGEST_LINE = 4096
_DEBIAN = ("apt", "apt-get", "aptitude", "dpkg", "dpkg-reconfigure")


class Stopped(HostError):
    """The command was ended before its time, because somebody asked for that."""


class Setting(NamedTuple):
    """Where a command runs, what it finds in its environment besides what all do, whether all that it says
    is told, however much that is, and whether no line of it is cut."""

    directory: str = "/"
    variables: Mapping[str, str] = MappingProxyType({})
    talkative: bool = False
    whole: bool = False


def _never() -> bool:
    return False


def environment(command: str) -> dict[str, str]:
    """What a command that changes the machine finds in its environment, beside the mark."""
    home = "/"
    with contextlib.suppress(KeyError):
        home = pwd.getpwuid(os.geteuid()).pw_dir
    made = {"PATH": search_path(), "HOME": home, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "TERM": "dumb"}
    if os.path.basename(command) in _DEBIAN:
        made["DEBIAN_FRONTEND"] = "noninteractive"
    return made


def _handed_on(argv: tuple[str, ...]) -> dict[str, str]:
    """The credentials that our own program for DNS providers finds in its environment, and nobody else."""
    return credentials() if argv[:2] == program("dns_provider") else {}


def run(
    argv: tuple[str, ...],
    timeout: float,
    listen: Callable[[str], None],
    mark: str,
    note: Callable[[int], None],
    setting: Setting = Setting(),  # noqa: B008  # it is never changed
    stopped: Callable[[], bool] = _never,
) -> int:
    """See `Changing.run`."""
    name = without_env(argv)[0]
    with _sink(argv[0]) as sink:
        output = _Output(sink, listen, setting)
        process = _start(argv, sink, mark, note, setting)
        end = time.monotonic() + timeout
        while True:
            try:
                code = process.wait(_PAUSE_S)
                break
            except subprocess.TimeoutExpired:
                output.tell()
            asked = stopped()
            if not asked and time.monotonic() <= end:
                continue
            ended = _end(process)
            output.close()
            if not ended:
                raise Unending(f"{name} (process {process.pid}) does not end, not even when it is killed")
            if asked:
                raise Stopped(f"{name} was ended, as was asked for")
            raise NoAnswer(f"{name} did not end within {timeout:g} s and was ended")
        output.close()
        return code


def wait_for(pid: int, mark: str, seconds: float) -> None:
    """See `Changing.wait_for`."""
    end = time.monotonic() + seconds
    while is_marked(pid, _MARK, mark):
        if time.monotonic() > end + _PATIENCE_S:
            raise Unending(f"process {pid} does not end, not even when it is killed")
        if time.monotonic() > end:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
        time.sleep(_PAUSE_S)


@contextlib.contextmanager
def _sink(command: str) -> Iterator[int]:
    """A file in memory that takes the output: a pipe would end the command when nobody reads any more."""
    try:
        descriptor = _file_in_memory()
    except OSError as error:
        raise HostError(f"{command} could not be started: {error.strerror}") from None
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _file_in_memory() -> int:
    try:
        descriptor = os.memfd_create("output", os.MFD_CLOEXEC)
    except (OSError, AttributeError):
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    fcntl.fcntl(descriptor, fcntl.F_SETFL, fcntl.fcntl(descriptor, fcntl.F_GETFL) | os.O_APPEND)
    return descriptor


def _start(
    argv: tuple[str, ...], sink: int, mark: str, note: Callable[[int], None], setting: Setting
) -> subprocess.Popen[bytes]:
    def before() -> None:
        note(os.getpid())

    path = setting.directory
    if not os.path.isdir(path):  # else it would be the command that is told not to be there
        raise HostError(f"{path} is not there")
    try:
        with starting(argv[0]):
            return subprocess.Popen(
                [which(argv[0]), *argv[1:]],
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                env={**environment(argv[0]), **setting.variables, **_handed_on(argv), _MARK: mark},
                cwd=path,
                umask=0o022,
                start_new_session=True,
                # In the child, so that its number is written down before it does anything.
                preexec_fn=before,
            )
    except subprocess.SubprocessError:
        raise HostError(f"{argv[0]} was not started: its start could not be written down") from None


class _Output:
    """Reads the sink behind the command's back, and tells its lines."""

    def __init__(self, sink: int, listen: Callable[[str], None], setting: Setting) -> None:
        self._sink = sink
        self._listen = listen
        self._talkative = setting.talkative
        self._longest = MOST_OUTPUT if setting.whole else _LONGEST_LINE
        self._at = 0
        self._told = 0
        self._rest = b""

    def tell(self) -> None:
        """Tells the lines that came since; what cannot be read is lost, and the command goes on."""
        with contextlib.suppress(OSError):
            self._read()

    def _read(self) -> None:
        while (self._talkative or self._told < MOST_OUTPUT) and (
            data := os.pread(self._sink, 1 << 16, self._at)
        ):
            self._at += len(data)
            self._lines(self._rest + data)
        if self._talkative and self._at >= MOST_OUTPUT:
            # A word that was written at this very moment is lost with what was told.
            os.ftruncate(self._sink, 0)
            self._at = 0
        elif not self._talkative and self._told >= MOST_OUTPUT:
            # What nobody reads takes no memory: appending goes on at the beginning of an empty file.
            os.ftruncate(self._sink, 0)

    def close(self) -> None:
        """Tells what is left, a line without an end too."""
        self.tell()
        if self._rest:
            self._listen(self._rest.decode("utf-8", "replace"))

    def _lines(self, data: bytes) -> None:
        self._told += len(data) - len(self._rest)
        # A NUL, with which some far sides end their words, shows nothing in a terminal.
        plain = data.replace(b"\0", b"").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *lines, self._rest = plain.split(b"\n")
        if len(self._rest) > self._longest:
            lines.append(self._rest)
            self._rest = b""
        for line in lines:
            if line.strip():
                self._listen(line[: self._longest].decode("utf-8", "replace"))
        if self._told >= MOST_OUTPUT and not self._talkative:
            self._rest = b""
            self._listen("(it says more; that is not shown)")


def _end(process: subprocess.Popen[bytes]) -> bool:
    """Asks the command and its children to end, then ends them; whether it did."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_PATIENCE_S)
            return True
    return False
