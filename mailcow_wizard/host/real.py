"""This machine."""

import errno
import os
import stat
import sys
import threading
import time
from collections.abc import Mapping
from types import MappingProxyType

from mailcow_wizard.host.door import Host
from mailcow_wizard.host.errors import Denied, HostError, Missing, Refused, TooLarge
from mailcow_wizard.host.replies import (
    MIB,
    Certificate,
    DnsQuestion,
    DnsReply,
    FileInfo,
    Hairpin,
    Holder,
    HttpReply,
    Listener,
    Listeners,
    Probe,
    Probed,
    Process,
    Ran,
    Space,
    TimeAnswer,
    Uname,
    User,
)
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from mailcow_wizard.host.files.changing import Changing
    from mailcow_wizard.host.network.conversation import Dialogue, Spoken, Trip, Tripped
    from mailcow_wizard.host.network.dns import Silence
    from mailcow_wizard.host.processes.commands import Commands

_KINDS = (
    (stat.S_ISREG, "file"),
    (stat.S_ISDIR, "directory"),
    (stat.S_ISLNK, "link"),
    (stat.S_ISSOCK, "socket"),
)
_SEARCHED = 4 * MIB


def _said(path: str, error: OSError | ValueError) -> HostError:
    """What the kernel said about a path, in the door's words; a ValueError: no path at all."""
    if not isinstance(error, OSError):
        return HostError("a path that no file can have")
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return Missing(f"{path} is not there")
    if error.errno in (errno.EACCES, errno.EPERM):
        return Denied(f"{path} may not be read by this user")
    if error.errno in (errno.ECONNREFUSED, errno.ECONNRESET, errno.EPIPE):
        return Refused(f"nobody takes connections on {path}, or not for long")
    return HostError(f"{path}: {error.strerror or error}")


class RealHost(Host):
    """The machine that the program runs on. Rare and heavy parts are imported when they are asked for."""

    def __init__(
        self, state_directory: str = "", variables: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        """`state_directory` is where the wizard keeps what it knows of this machine; empty: the usual one.
        `variables` are those of who began the work of this process, besides its own."""
        self._state_directory = state_directory
        self._variables = variables
        self._commands: Commands | None = None
        self._silence: Silence | None = None
        self._lock = threading.Lock()

    def read(self, path: str, limit: int = MIB) -> bytes:
        try:
            # Not blocking: a FIFO put in a file's place would wait for a writer for ever.
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
            try:
                return _read_at_most(descriptor, path, limit)
            finally:
                os.close(descriptor)
        except (OSError, ValueError) as error:
            raise _said(path, error) from None

    def kept(self, name: str) -> bytes:
        from mailcow_wizard.host.files.state import default_directory

        return self.read(f"{self._state_directory or default_directory()}/{name}.json")

    def names(self, path: str) -> tuple[str, ...]:
        try:
            return tuple(sorted(os.listdir(path)))
        except (OSError, ValueError) as error:
            raise _said(path, error) from None

    def info(self, path: str, follow: bool = True) -> FileInfo:
        try:
            found = os.stat(path, follow_symlinks=follow)
        except (OSError, ValueError) as error:
            raise _said(path, error) from None
        kind = next((name for test, name in _KINDS if test(found.st_mode)), "other")
        mode = stat.S_IMODE(found.st_mode)
        return FileInfo(kind, mode, found.st_uid, found.st_gid, found.st_size, found.st_mtime)

    def resolve(self, path: str) -> str:
        try:
            return os.path.realpath(path, strict=True)
        except (OSError, ValueError) as error:
            raise _said(path, error) from None

    def contains(self, path: str, needle: bytes) -> bool:
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
            with open(descriptor, "rb") as file:
                return needle in (file.read(_SEARCHED) or b"")
        except (OSError, ValueError) as error:
            raise _said(path, error) from None

    def space(self, path: str) -> Space:
        try:
            found = os.statvfs(path)
        except (OSError, ValueError) as error:
            raise _said(path, error) from None
        size = found.f_frsize
        return Space(found.f_bavail * size, found.f_blocks * size, found.f_favail, found.f_files)

    def which(self, command: str) -> str:
        from mailcow_wizard.host.processes.search_path import which

        return which(command)

    def run(self, argv: tuple[str, ...], timeout: float = 5.0, most: int = MIB, begun: bool = False) -> Ran:
        from mailcow_wizard.host.processes.commands import Commands

        with self._lock:
            self._commands = self._commands or Commands(self._proxies)
        return self._commands.run(argv, timeout, most, begun)

    def changing(self) -> "Changing":
        from mailcow_wizard.host.files.changing import Changing

        return Changing(self._proxies())

    def _proxies(self) -> Mapping[str, str]:
        from mailcow_wizard.host.network.proxy_variables import variables

        return variables(self)

    def close(self) -> None:
        if self._commands:
            self._commands.end_all()

    def uname(self) -> Uname:
        found = os.uname()
        bits = 64 if sys.maxsize > 2**32 else 32
        return Uname(found.nodename, found.release, found.version, found.machine, bits)

    def user(self) -> User:
        uid = os.geteuid()
        from mailcow_wizard.host.processes.proc import user_names

        capabilities = 0
        for line in self.text("/proc/self/status").splitlines():
            if line.startswith("CapEff:"):
                capabilities = _hexadecimal(line.partition(":")[2].strip())
        return User(uid, user_names().get(uid, str(uid)), capabilities)

    def variable(self, name: str) -> str:
        return self._variables.get(name) or os.environ.get(name, "")

    def working_directory(self) -> str:
        try:
            return os.getcwd()
        except OSError as error:
            raise _said("the working directory", error) from None

    def now(self) -> float:
        return time.time()

    def listeners(self, ports: tuple[int, ...]) -> Listeners:
        from mailcow_wizard.host.processes import listeners

        try:
            return listeners.listeners(ports)
        except OSError as error:
            raise _said("the list of listening sockets", error) from None

    def holders(self, sockets: tuple[Listener, ...]) -> tuple[Holder, ...]:
        from mailcow_wizard.host.processes import holders

        return holders.holders(sockets)

    def running(self, names: tuple[str, ...]) -> tuple[Process, ...]:
        from mailcow_wizard.host.processes import proc as processes

        return processes.running(names)

    def http(self, socket_path: str, target: str, timeout: float = 3.0) -> HttpReply:
        from mailcow_wizard.host.network import unix_http

        try:
            return unix_http.get(socket_path, target, timeout)
        except OSError as error:
            raise _said(socket_path, error) from None

    def ask_time(self, servers: tuple[str, ...], timeout: float = 3.0) -> tuple[TimeAnswer, ...]:
        from mailcow_wizard.host.network import ntp

        return ntp.ask_time(servers, timeout)

    def ask_dns(self, questions: tuple[DnsQuestion, ...], timeout: float = 3.0) -> tuple[DnsReply, ...]:
        from mailcow_wizard.host.network.dns import Round, Silence

        with self._lock:
            self._silence = self._silence or Silence()
        return Round(questions, timeout, self._silence).replies()

    def probe(self, probes: tuple[Probe, ...], timeout: float = 4.0) -> tuple[Probed, ...]:
        from mailcow_wizard.host.network.probing import Round

        return Round(probes, timeout).results()

    def hairpin(
        self, address: str, own: str, ports: tuple[int, ...], timeout: float = 2.5
    ) -> tuple[Hairpin, ...]:
        from mailcow_wizard.host.network import hairpin

        return hairpin.Round(address, own, ports, timeout).results()

    def source_address(self, destination: str) -> str:
        from mailcow_wizard.host.network import route

        return route.source_address(destination)

    def fetch(
        self,
        name: str,
        path: str,
        family: int = 0,
        timeout: float = 4.0,
        tls: bool = False,
        proxy: str = "",
        address: str = "",
    ) -> HttpReply:
        from mailcow_wizard.host.network import web

        return web.fetch(name, path, family, timeout, tls, proxy, address)

    def certificate(
        self, address: str, port: int, name: str, starttls: bool = False, timeout: float = 8.0
    ) -> Certificate:
        from mailcow_wizard.host.network.certificate import certificate

        return certificate(address, port, name, starttls, timeout)

    def converse(self, dialogues: "tuple[Dialogue, ...]", timeout: float = 10.0) -> "tuple[Spoken, ...]":
        from mailcow_wizard.host.network.dialogue import converse

        return converse(dialogues, timeout)

    def send_and_find(self, trip: "Trip", timeout: float = 60.0) -> "Tripped":
        from mailcow_wizard.host.network.mail_trip import send_and_find

        return send_and_find(trip, timeout)


def _hexadecimal(text: str) -> int:
    try:
        return int(text, 16)
    except ValueError:
        raise HostError("what this user may do (/proc/self/status) is not readable") from None


def _read_at_most(descriptor: int, path: str, limit: int) -> bytes:
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        raise HostError(f"{path} is not a file")
    parts: list[bytes] = []
    size = 0
    while part := os.read(descriptor, min(limit + 1 - size, MIB)):
        parts.append(part)
        size += len(part)
        if size > limit:
            raise TooLarge(f"{path} is larger than {limit:,} bytes")
    return b"".join(parts)
