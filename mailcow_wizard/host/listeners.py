"""Which TCP sockets listen on some ports, asked of the kernel over netlink, listening states only.

`ss` asks for every connection and scans every process; this asks for sockets in state LISTEN, whose number
does not grow with the connections (0.3 ms with 50 000 of them). See sock_diag(7).
"""

# The C module that socket wraps: socket itself also brings selectors and enums, 5 ms at every start.
import _socket as socket
import struct
from collections.abc import Callable, Iterator
from contextlib import closing

from mailcow_wizard.host.door import HostError, Listener, Listeners, NoAnswer

_NETLINK_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY = 20
_NLM_F_REQUEST_DUMP = 0x301
_NLMSG_ERROR = 2
_NLMSG_DONE = 3
_TCP_LISTEN = 10
_INET_DIAG_SKV6ONLY = 11
_INET_DIAG_CGROUP_ID = 21
_TIMEOUT_S = 2.0

_NLMSG = struct.Struct("=IHHII")
_REQUEST = struct.Struct("=BBBBI4s16s16s16s")
# family, state, timer, retrans, source port, destination port, source, destination, interface, cookie,
# expires, receive queue, send queue, uid, inode
_DIAG = struct.Struct("=BBBB2s2s16s16sI8sIIIII")
_ATTRIBUTE = struct.Struct("=HH")


def listeners(ports: tuple[int, ...]) -> Listeners:
    """The listeners on these ports in this network namespace; from /proc/net/tcp where netlink is refused."""
    try:
        return Listeners(_on(ports, _dump), "netlink")
    except OSError:
        return Listeners(_on(ports, _from_proc), "proc")


def _on(ports: tuple[int, ...], source: Callable[[int], Iterator[Listener]]) -> tuple[Listener, ...]:
    families = (socket.AF_INET, socket.AF_INET6)
    return tuple(one for family in families for one in source(family) if one.port in ports)


def _dump(family: int) -> Iterator[Listener]:
    """One family's listeners. Raises OSError where the kernel has no inet_diag or netlink is refused."""
    with closing(socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG)) as link:
        link.settimeout(_TIMEOUT_S)
        request = _REQUEST.pack(family, socket.IPPROTO_TCP, 0, 0, 1 << _TCP_LISTEN, b"", b"", b"", b"")
        header = _NLMSG.pack(_NLMSG.size + len(request), _SOCK_DIAG_BY_FAMILY, _NLM_F_REQUEST_DUMP, 1, 0)
        link.send(header + request)
        while True:
            try:
                data = link.recv(1 << 17)
            except TimeoutError:
                raise NoAnswer("the kernel did not list its sockets within 2 s") from None
            for kind, payload in _messages(data):
                if kind == _NLMSG_DONE:
                    return
                if kind == _NLMSG_ERROR:
                    raise OSError(-struct.unpack_from("=i", payload)[0], "sock_diag refused")
                if len(payload) >= _DIAG.size:
                    yield _listener(payload)


def _messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    offset = 0
    while offset + _NLMSG.size <= len(data):
        length, kind, _, _, _ = _NLMSG.unpack_from(data, offset)
        if length < _NLMSG.size:
            raise HostError("the kernel's list of sockets is not readable")
        yield kind, data[offset + _NLMSG.size : offset + length]
        offset += (length + 3) & ~3


def _listener(payload: bytes) -> Listener:
    fields = _DIAG.unpack_from(payload)
    family, port, source, interface, uid, inode = (fields[i] for i in (0, 4, 6, 8, 13, 14))
    attributes = dict(_attributes(payload[_DIAG.size :]))
    v6only = attributes.get(_INET_DIAG_SKV6ONLY)
    cgroup = attributes.get(_INET_DIAG_CGROUP_ID, b"")
    return Listener(
        family=4 if family == socket.AF_INET else 6,
        address=socket.inet_ntop(family, source[:4] if family == socket.AF_INET else source),
        port=int.from_bytes(port, "big"),
        v6only=bool(v6only[0]) if v6only else None,
        interface=_interface(interface),
        uid=uid,
        inode=inode,
        cgroup=struct.unpack("=Q", cgroup)[0] if len(cgroup) == 8 else 0,
    )


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    offset = 0
    while offset + _ATTRIBUTE.size <= len(data):
        length, kind = _ATTRIBUTE.unpack_from(data, offset)
        if length < _ATTRIBUTE.size:
            return
        yield kind, data[offset + _ATTRIBUTE.size : offset + length]
        offset += (length + 3) & ~3


def _interface(index: int) -> str:
    if not index:
        return ""
    try:
        return socket.if_indextoname(index)
    except OSError:
        return f"interface {index}"


def _from_proc(family: int) -> Iterator[Listener]:
    """The same from /proc/net/tcp, which lists listeners first; it tells neither v6only nor the cgroup."""
    try:
        with open("/proc/net/tcp" if family == socket.AF_INET else "/proc/net/tcp6", "rb") as table:
            table.readline()
            for line in table:
                row = line.split()
                if int(row[3], 16) != _TCP_LISTEN:
                    return
                yield _row(family, row)
    except OSError as error:
        # Without IPv6 in the kernel there is no tcp6; without tcp nobody knows what listens.
        if family == socket.AF_INET or not isinstance(error, FileNotFoundError):
            raise HostError(f"netlink is refused, and {error.filename}: {error.strerror}") from None


def _row(family: int, row: list[bytes]) -> Listener:
    """A row of /proc/net/tcp. The address is written as 32-bit words in the machine's own byte order."""
    address, _, port = row[1].partition(b":")
    words = [int(address[i : i + 8], 16) for i in range(0, len(address), 8)]
    packed = struct.pack(f"={len(words)}I", *words)
    return Listener(
        family=4 if family == socket.AF_INET else 6,
        address=socket.inet_ntop(family, packed),
        port=int(port, 16),
        v6only=None,
        interface="",
        uid=int(row[7]),
        inode=int(row[9]),
        cgroup=0,
    )
