"""The only door to a machine: what can be asked of one.

`Host` is the interface; `real.RealHost` asks this machine, those in `recorded` write answers down and replay
them. Every call ends within a bounded time, may be made from any thread, and raises `HostError` when there
is no answer.
"""

from mailcow_wizard.host.errors import Denied, HostError, Missing
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


class Host:
    """A machine that can be asked. Subclasses answer; this class only says what can be asked."""

    def read(self, path: str, limit: int = MIB) -> bytes:
        """The content of a file; raises TooLarge over `limit` bytes."""
        raise NotImplementedError

    def names(self, path: str) -> tuple[str, ...]:
        """The names in a directory, sorted."""
        raise NotImplementedError

    def info(self, path: str, follow: bool = True) -> FileInfo:
        """What kind of file it is; `follow` looks through symbolic links."""
        raise NotImplementedError

    def resolve(self, path: str) -> str:
        """The path with every symbolic link followed."""
        raise NotImplementedError

    def contains(self, path: str, needle: bytes) -> bool:
        """Whether the first 4 MiB of a file hold these bytes."""
        raise NotImplementedError

    def space(self, path: str) -> Space:
        """Free and total space of the file system that holds `path`."""
        raise NotImplementedError

    def which(self, command: str) -> str:
        """The path of a command in the system's own directories; raises Missing."""
        raise NotImplementedError

    def run(self, argv: tuple[str, ...], timeout: float = 5.0, most: int = MIB, begun: bool = False) -> Ran:
        """Runs a command that only looks; ends it and its children after `timeout` seconds (NoAnswer).
        Raises TooLarge where it says more than `most` bytes, unless what it `begun` with is enough."""
        raise NotImplementedError

    def uname(self) -> Uname:
        """The kernel's own description."""
        raise NotImplementedError

    def user(self) -> User:
        """Who runs this program."""
        raise NotImplementedError

    def variable(self, name: str) -> str:
        """An environment variable; empty where it is not set."""
        raise NotImplementedError

    def working_directory(self) -> str:
        """The directory that this program was started in."""
        raise NotImplementedError

    def now(self) -> float:
        """The real-time clock, seconds since 1970."""
        raise NotImplementedError

    def listeners(self, ports: tuple[int, ...]) -> Listeners:
        """TCP sockets in state LISTEN on these ports, in this network namespace."""
        raise NotImplementedError

    def holders(self, sockets: tuple[Listener, ...]) -> tuple[Holder, ...]:
        """Who holds these sockets, one answer for each, in their order."""
        raise NotImplementedError

    def running(self, names: tuple[str, ...]) -> tuple[Process, ...]:
        """The processes whose name (comm, which the kernel cuts at 15 characters) is one of these."""
        raise NotImplementedError

    def http(self, socket_path: str, target: str, timeout: float = 3.0) -> HttpReply:
        """GET over a Unix socket (Docker's API)."""
        raise NotImplementedError

    def ask_time(self, servers: tuple[str, ...], timeout: float = 3.0) -> tuple[TimeAnswer, ...]:
        """Asks NTP servers, all at once; one answer for each address asked."""
        raise NotImplementedError

    def ask_dns(self, questions: tuple[DnsQuestion, ...], timeout: float = 3.0) -> tuple[DnsReply, ...]:
        """Asks name servers, all at once; one reply for each question, in their order."""
        raise NotImplementedError

    def probe(self, probes: tuple[Probe, ...], timeout: float = 4.0) -> tuple[Probed, ...]:
        """Tries to get out, all at once; one result for each, in their order."""
        raise NotImplementedError

    def kept(self, name: str) -> bytes:
        """A document that the wizard itself keeps about this machine, as JSON."""
        raise NotImplementedError

    def hairpin(
        self, address: str, own: str, ports: tuple[int, ...], timeout: float = 2.5
    ) -> tuple[Hairpin, ...]:
        """Connects to `address`, and listens on `own` (an address of this machine) meanwhile, on each port
        that is free; one result for each."""
        raise NotImplementedError

    def changing(self) -> "Changing":
        """What changes this machine. Raises HostError where it cannot be changed."""
        raise HostError("a recorded machine cannot be changed")

    def source_address(self, destination: str) -> str:
        """This machine's own address that packets to `destination` leave with; no packet is sent."""
        raise NotImplementedError

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
        """GET over HTTP, or HTTPS with a certificate that is checked; `family` is 4, 6 or 0 for either.
        HTTPS may go through the proxy with this URL. With an `address` the name is not looked up."""
        raise NotImplementedError

    def certificate(
        self, address: str, port: int, name: str, starttls: bool = False, timeout: float = 8.0
    ) -> Certificate:
        """What the server there shows to a client that asks for `name`; `starttls` over SMTP."""
        raise NotImplementedError

    def converse(self, dialogues: "tuple[Dialogue, ...]", timeout: float = 10.0) -> "tuple[Spoken, ...]":
        """Talks to servers, to all at once; one result for each, in their order. Never raises."""
        raise NotImplementedError

    def send_and_find(self, trip: "Trip", timeout: float = 60.0) -> "Tripped":
        """Sends a test message, looks for it where it should arrive, and deletes it there. Never raises."""
        raise NotImplementedError

    def close(self) -> None:
        """Ends what was started and still runs."""

    def text(self, path: str, limit: int = MIB) -> str:
        """A file's content as text; bytes that are not UTF-8 are replaced."""
        return self.read(path, limit).decode("utf-8", "replace")

    def exists(self, path: str) -> bool:
        """Whether something is there; False also where this user may not look."""
        try:
            return bool(self.info(path))
        except (Missing, Denied):
            return False
