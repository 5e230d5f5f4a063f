"""What a machine is asked with, and what its answers look like.

Named tuples: thirty frozen dataclasses would add 34 ms to every start (Python 3.11).
"""

from mailcow_wizard.typed import NamedTuple

MIB = 1 << 20


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
