"""What routers and firewalls on the way say about packets of ours (ICMP errors), read from a socket."""

import errno
import socket
import struct

from mailcow_wizard.typed import NamedTuple

# linux/in.h, linux/in6.h, linux/errqueue.h; Python has no names for them.
_RECVERR = {
    socket.AF_INET: (socket.IPPROTO_IP, 11),
    socket.AF_INET6: (socket.IPPROTO_IPV6, 25),
}
_DISCOVER = {
    socket.AF_INET: (socket.IPPROTO_IP, 10),
    socket.AF_INET6: (socket.IPPROTO_IPV6, 23),
}
_MTU = {socket.AF_INET: (socket.IPPROTO_IP, 14), socket.AF_INET6: (socket.IPPROTO_IPV6, 24)}
_ALWAYS_WHOLE = 3  # IP_PMTUDISC_PROBE: do not fragment, and forget what was learned before
_IPV6_DONTFRAG = 62
_ERROR = struct.Struct("=IBBBBII")
_FROM_ICMP = (2, 3)
# Codes of "destination unreachable" that only a rule sends: prohibited (v4: 9, 10, 13), policy (v6: 1, 5, 6).
_BY_RULE = {2: (9, 10, 13), 3: (1, 5, 6)}
_UNREACHABLE = {2: 3, 3: 1}


class Report(NamedTuple):
    """One report: the kernel's error number, who sent it (empty: this machine's kernel itself), the MTU that
    it names or 0, whether only a firewall's rule says so, and how the packet began that it is about."""

    number: int
    by: str
    mtu: int
    by_rule: bool
    about: bytes


def listen(sock: socket.socket) -> None:
    """Lets the kernel keep such reports for this socket."""
    sock.setsockopt(*_RECVERR[sock.family], 1)


def keep_whole(sock: socket.socket) -> None:
    """Packets of this socket leave in one piece or not at all."""
    sock.setsockopt(*_DISCOVER[sock.family], _ALWAYS_WHOLE)
    if sock.family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_DONTFRAG, 1)


def known_mtu(sock: socket.socket) -> int:
    """The largest packet that this machine thinks possible on the socket's way, in bytes; 0: not known."""
    try:
        return sock.getsockopt(*_MTU[sock.family])
    except OSError:
        return 0


def report(sock: socket.socket) -> Report | None:
    """The oldest report that is kept; None where there is none."""
    try:
        about, ancillary, _, _ = sock.recvmsg(512, 512, socket.MSG_ERRQUEUE | socket.MSG_DONTWAIT)
    except OSError:
        return None
    for level, kind, data in ancillary:
        if (level, kind) == _RECVERR[sock.family] and len(data) >= _ERROR.size:
            number, origin, type, code, _, info, _ = _ERROR.unpack_from(data)
            by = _address(data[_ERROR.size :]) if origin in _FROM_ICMP else ""
            ruled = type == _UNREACHABLE.get(origin) and code in _BY_RULE[origin]
            return Report(number, by, info if number == errno.EMSGSIZE else 0, ruled, about)
    return None


def _address(data: bytes) -> str:
    family = struct.unpack_from("=H", data)[0] if len(data) >= 2 else 0
    if family == socket.AF_INET and len(data) >= 8:
        return socket.inet_ntop(socket.AF_INET, data[4:8])
    if family == socket.AF_INET6 and len(data) >= 24:
        return socket.inet_ntop(socket.AF_INET6, data[8:24])
    return ""
