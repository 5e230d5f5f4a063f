"""The only door to a machine: what can be asked of one, and what the answers look like.

`Host` is the interface; `real.RealHost` asks this machine, those in `recorded` write answers down and replay
them. Every call ends within a bounded time, may be made from any thread, and raises `HostError` when there
is no answer. Named tuples: thirty frozen dataclasses would add 34 ms to every start (Python 3.11).
"""

from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from mailcow_wizard.host.changing import Changing
    from mailcow_wizard.host.conversation import Dialogue, Spoken, Trip, Tripped

MIB = 1 << 20


class HostError(Exception):
    """The machine did not answer. The text is one calm sentence to show; `remedies`: what may mend it."""

    remedies: tuple[str, ...] = ()


class Missing(HostError):
    """There is no such file, directory or command."""


class Denied(HostError):
    """This user may not look at it; root may."""


class NoAnswer(HostError):
    """Nothing came within the time allowed."""


class Refused(HostError):
    """Nobody takes connections there: what listened has ended."""


class TooLarge(HostError):
    """More than the caller asked to read at most."""


class NotRecorded(HostError):
    """A recorded machine was asked something that it was not asked when it was recorded: `question`."""

    question = ""


class FileInfo(NamedTuple):
    """What stat(2) says. `kind` is file, directory, link, socket or other; `mtime` in seconds since 1970."""

    kind: str
    mode: int
    uid: int
    gid: int
    size: int
    mtime: float


class Space(NamedTuple):
    """What statvfs(2) says: bytes and inodes. `free` counts what an unprivileged user may take (f_bavail)."""

    free: int
    total: int
    free_inodes: int
    inodes: int


class Ran(NamedTuple):
    """The outcome of a command: exit code (negative: killed by that signal), and its output as text."""

    code: int
    out: str
    err: str


class Uname(NamedTuple):
    """What uname(2) says, and the width of this program's pointers in bits."""

    node: str
    release: str
    version: str
    machine: str
    bits: int


class User(NamedTuple):
    """Who runs this. `capabilities` is the effective set as a bit mask (capabilities(7))."""

    uid: int
    name: str
    capabilities: int


class Listener(NamedTuple):
    """A TCP socket that has a port to itself.

    `address` is as written by inet_ntop; `v6only` is None where the source does not tell; `interface` is
    empty unless the socket is bound to one; `cgroup` is the kernel's cgroup id, 0 where it does not tell.
    `state` is listening; or, where the kernel refuses the port to Docker all the same: bound, connected,
    closing (no process has it), unseen (no list shows it) or published (Docker says that a container has it).
    """

    family: int
    address: str
    port: int
    v6only: bool | None
    interface: str
    uid: int
    inode: int
    cgroup: int
    state: str = "listening"


class Listeners(NamedTuple):
    """Who has the ports asked for, and the source: `netlink` or `proc`.

    `untried` are ports of which only the listeners are known: this user may not bind them, or somebody
    listens on one of the addresses.
    """

    sockets: tuple[Listener, ...]
    source: str
    untried: tuple[int, ...] = ()


class Process(NamedTuple):
    """A process. `user` is a name or a number as text; `cgroup` is its path; `exe` is empty if unreadable."""

    pid: int
    name: str
    user: str
    command: tuple[str, ...]
    exe: str
    cgroup: str


class Holder(NamedTuple):
    """Who holds one socket: its processes (none where they cannot be read), its cgroup's path, its user."""

    inode: int
    processes: tuple[Process, ...]
    cgroup: str
    user: str


class HttpReply(NamedTuple):
    """An answer in HTTP; `date` is its Date line, `at` when it came, by this machine's real-time clock."""

    status: int
    body: bytes
    date: str = ""
    at: float = 0.0


class TimeAnswer(NamedTuple):
    """One NTP server's raw answer, or why there is none.

    `sent` and `received` are nanoseconds of this machine's real-time clock, stamped by the kernel where it
    does; `nonce` is the transmit timestamp that was sent; `packet` is empty when `error` says why.
    """

    server: str
    address: str
    sent: int
    received: int
    nonce: bytes
    packet: bytes
    error: str


class DnsQuestion(NamedTuple):
    """What is asked of name servers: `name` in ASCII, `type` such as `MX`, `servers` as addresses.

    `recursive` asks a resolver to find out, `dnssec` for signatures too, `checking_disabled` for the answer
    even where its signatures are broken. `transport` is `udp` (an answer cut short counts) or `tcp` where
    nothing else may be used.
    """

    name: str
    type: str
    servers: tuple[str, ...]
    recursive: bool = True
    dnssec: bool = False
    checking_disabled: bool = False
    transport: str = ""


class DnsReply(NamedTuple):
    """A name server's answer, or why there is none.

    `transport` is udp or tcp, `seconds` from the first question to this server; `packet` is empty when
    `error` says why. The packet is to the question that was asked, and otherwise not looked at.
    """

    server: str
    transport: str
    packet: bytes
    seconds: float
    error: str


class Probe(NamedTuple):
    """One attempt to get out: `kind` is `tcp` (connect), `greeting` (connect and read a line), `udp` or
    `ping` (ICMP echo).

    `payload` is what UDP sends, in hexadecimal digits. `size` is that of the whole packet in bytes, which may
    then not be fragmented; 0: small. `patience` in seconds, where it is less than that of the whole call.
    """

    kind: str
    address: str
    port: int = 0
    payload: str = ""
    size: int = 0
    patience: float = 0.0


class Probed(NamedTuple):
    """What became of an attempt.

    `outcome` is open, silent, refused, reset (after it was accepted), no route, blocked (by this machine's
    own rules), too large, not allowed (needs root) or failed. `greeting` is the first line that came;
    `told_by` the address of a router or firewall that said no; `mtu` the largest packet that one or this
    machine named; `text` the kernel's word for it; `seconds` how long it took.
    """

    outcome: str
    seconds: float
    greeting: str = ""
    told_by: str = ""
    mtu: int = 0
    text: str = ""


class Hairpin(NamedTuple):
    """What became of a connection to this machine's public address that it made itself.

    `outcome` is arrived (a listener of ours took it and answered with the word of this attempt), foreign
    (somebody else answered), in use (somebody has the port here, so that nothing was tried), or as in
    `Probed`.
    """

    port: int
    outcome: str
    seconds: float


class Certificate(NamedTuple):
    """The certificate that a server shows (DER); `trouble` says why a client would not trust it, empty where
    it would."""

    der: bytes
    trouble: str


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
