"""Which TCP sockets have some ports: those that listen, and what else keeps Docker from binding.

`ss` asks for every connection and scans every process; this asks over netlink for sockets in state LISTEN,
whose number does not grow with the connections (0.3 ms with 50 000 of them). See sock_diag(7). A list of
the sockets in all states takes 50 ms then, and Linux before 6.8 leaves those out that are merely bound: so
they are looked for only where the kernel refuses a port on which nobody listens.
"""

# The C module that socket wraps: socket itself also brings selectors and enums, 5 ms at every start.
import _socket as socket
import struct
from collections.abc import Callable, Iterator
from contextlib import closing, suppress

from mailcow_wizard.host.errors import HostError, NoAnswer
from mailcow_wizard.host.processes.binding import EVERY_ADDRESS, refusals
from mailcow_wizard.host.replies import Listener, Listeners

_NETLINK_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY = 20
_NLM_F_REQUEST_DUMP = 0x301
_NLMSG_ERROR = 2
_NLMSG_DONE = 3
_TCP_CLOSE, _TCP_LISTEN = 7, 10
_TCP_BOUND_INACTIVE = 13  # since Linux 6.8, as a question only: the answer says CLOSE
_LISTENING = 1 << _TCP_LISTEN
_EVERY_STATE = (1 << _TCP_BOUND_INACTIVE + 1) - 1
_INET_DIAG_SKV6ONLY = 11
_INET_DIAG_CGROUP_ID = 21
_TIMEOUT_S = 2.0

_NLMSG = struct.Struct("=IHHII")
# family, protocol, extensions, padding, states, and an address that is not looked at
_REQUEST = struct.Struct("=BBBBI48s")
_FILTER = struct.Struct("=HHBBHBBHBBHBBH")
_BYTECODE, _AT_LEAST, _AT_MOST = 1, 2, 3
_STATES = {_TCP_LISTEN: "listening", _TCP_CLOSE: "bound"}
_FAMILIES = (socket.AF_INET, socket.AF_INET6)
_TABLES = {socket.AF_INET: "/proc/net/tcp", socket.AF_INET6: "/proc/net/tcp6"}
# family, state, timer, retrans, source port, destination port, source, destination, interface, cookie,
# expires, receive queue, send queue, uid, inode
_DIAG = struct.Struct("=BBBB2s2s16s16sI8sIIIII")
_ATTRIBUTE = struct.Struct("=HH")


def listeners(ports: tuple[int, ...]) -> Listeners:
    """Who has these ports in this network namespace; from /proc/net/tcp where netlink is refused."""
    try:
        found, source = _on(ports, _dump), "netlink"
    except OSError:
        found, source = _on(ports, _from_proc), "proc"
    untried = {one.port for one in found}
    for port in ports:
        if port not in untried:
            families = refusals(port)
            if families is None:
                untried.add(port)
            elif families:
                found += _others(port, families)
    return Listeners(found, source, tuple(sorted(untried)))


def _others(port: int, families: tuple[int, ...]) -> tuple[Listener, ...]:
    """What the kernel may refuse a port for: the sockets that are bound, else the connections, of each
    address one; where no list shows any, one for each family that was refused."""
    found: list[Listener] = []
    with suppress(OSError, HostError):
        found = [one for family in _FAMILIES for one in _dump(family, _EVERY_STATE, port)]
    bound = [one for one in found if one.state in ("listening", "bound")]
    chosen = {(one.family, one.address): one for one in bound or found}
    return tuple(chosen.values()) or tuple(_unseen(family, port) for family in families)


def _unseen(family: int, port: int) -> Listener:
    six = family == socket.AF_INET6
    address = EVERY_ADDRESS[family]
    return Listener(6 if six else 4, address, port, True if six else None, "", 0, 0, 0, "unseen")


def _on(ports: tuple[int, ...], source: Callable[[int], Iterator[Listener]]) -> tuple[Listener, ...]:
    return tuple(one for family in _FAMILIES for one in source(family) if one.port in ports)


def _dump(family: int, states: int = _LISTENING, port: int = 0) -> Iterator[Listener]:
    """One family's sockets in these states, of one port or of all.

    Raises OSError where the kernel has no inet_diag or netlink is refused.
    """
    with closing(socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG)) as link:
        link.settimeout(_TIMEOUT_S)
        request = _REQUEST.pack(family, socket.IPPROTO_TCP, 0, 0, states, b"")
        if port:
            request += _only(port)
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
                if kind == _NLMSG_ERROR and len(payload) >= 4:
                    raise OSError(-struct.unpack_from("=i", payload)[0], "sock_diag refused")
                if len(payload) >= _DIAG.size and payload[0] in _FAMILIES:
                    yield _listener(payload)


def _only(port: int) -> bytes:
    """The kernel's filter for a local port: each comparison says how far to go where it holds, where not."""
    least, most = (_AT_LEAST, 8, 20, 0, 0, port), (_AT_MOST, 8, 12, 0, 0, port)
    return _FILTER.pack(_FILTER.size, _BYTECODE, *least, *most)


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
    family, state, port, source, interface, uid, inode = (fields[i] for i in (0, 1, 4, 6, 8, 13, 14))
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
        state=_STATES.get(state, "connected" if inode else "closing"),
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
        with open(_TABLES[family], "rb") as table:
            table.readline()
            for line in table:
                row = line.split()
                if int(row[3], 16) != _TCP_LISTEN:
                    return
                yield _row(family, row)
    except (ValueError, IndexError, struct.error):
        raise HostError(f"{_TABLES[family]} is not readable") from None
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
