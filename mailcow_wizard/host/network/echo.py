"""Packets made by hand: echo requests (ICMP, RFC 792 and 4443) without the ping command, and one TCP SYN that
shows whether this machine's own rules let it out."""

import os
import socket
import struct

_REQUEST: dict[int, int] = {socket.AF_INET: 8, socket.AF_INET6: 128}
_REPLY: dict[int, int] = {socket.AF_INET: 0, socket.AF_INET6: 129}
_PROTOCOL: dict[int, int] = {socket.AF_INET: socket.IPPROTO_ICMP, socket.AF_INET6: socket.IPPROTO_ICMPV6}
_ICMP_HEADER = 8
_IP_HEADER: dict[int, int] = {socket.AF_INET: 20, socket.AF_INET6: 40}
_USUAL = 56  # bytes of payload, as ping sends them
_NONCE = 8
_SYN = 0x5002  # header of five words, flag SYN
_IPV6_CHECKSUM = 7
_CHECKSUM_AT = 16


class Echo:
    """A socket for echo requests of one family, and the packets to send with it.

    Linux lets users of a group send them without being root (net.ipv4.ping_group_range); root always may, by
    a raw socket. Raises OSError: this user may not.
    """

    def __init__(self, family: int, size: int) -> None:
        self.family = family
        self._nonce = os.urandom(_NONCE)
        self._id = int.from_bytes(os.urandom(2), "big")
        self._number = 0
        payload = size - _IP_HEADER[family] - _ICMP_HEADER if size else _USUAL
        self._payload = self._nonce + bytes(max(0, payload - _NONCE))
        flags = socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
        try:
            self.socket = socket.socket(family, socket.SOCK_DGRAM | flags, _PROTOCOL[family])
            self._raw = False
        except OSError:
            self.socket = socket.socket(family, socket.SOCK_RAW | flags, _PROTOCOL[family])
            self._raw = True

    def packet(self) -> bytes:
        """The next request."""
        self._number += 1
        start = struct.pack("!BBHHH", _REQUEST[self.family], 0, 0, self._id, self._number)
        total = checksum(start + self._payload)
        return start[:2] + total.to_bytes(2, "big") + start[4:] + self._payload

    def is_reply(self, data: bytes) -> bool:
        """Whether a received packet answers one of ours; what answers may cut the payload short."""
        if self._raw and self.family == socket.AF_INET and data:
            data = data[(data[0] & 15) * 4 :]
        place = _ICMP_HEADER
        return len(data) >= place and data[0] == _REPLY[self.family] and data[place:][:_NONCE] == self._nonce

    def is_own(self, about: bytes) -> bool:
        """Whether a report is about a request of ours: raw sockets hear those of their neighbours too."""
        return not self._raw or about[4:6] == self._id.to_bytes(2, "big")


def leaves(source: str, destination: str, port: int) -> bool:
    """Whether a TCP SYN is let out by this machine's own rules.

    For a connection the kernel keeps that to itself, and waits; for a packet of a raw socket it says EPERM.
    What answers it gets a reset, for nobody here has asked. Needs CAP_NET_RAW; without it the answer is yes.
    """
    family = socket.AF_INET6 if ":" in destination else socket.AF_INET
    # A port outside of the range that connections of this machine leave from.
    own = 1024 + int.from_bytes(os.urandom(2), "big") % 8192
    segment = struct.pack("!HHIIHHHH", own, port, int.from_bytes(os.urandom(4), "big"), 0, _SYN, 1024, 0, 0)
    try:
        with socket.socket(family, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.IPPROTO_TCP) as raw:
            if family == socket.AF_INET6:
                raw.setsockopt(socket.IPPROTO_IPV6, _IPV6_CHECKSUM, _CHECKSUM_AT)
            else:
                total = checksum(_pseudo_header(source, destination, len(segment)) + segment)
                segment = segment[:_CHECKSUM_AT] + total.to_bytes(2, "big") + segment[_CHECKSUM_AT + 2 :]
            try:
                raw.sendto(segment, socket.MSG_DONTWAIT, (destination, 0))
            except PermissionError:
                return False
    except OSError:
        return True
    return True


def _pseudo_header(source: str, destination: str, length: int) -> bytes:
    ends = socket.inet_aton(source) + socket.inet_aton(destination)
    return ends + struct.pack("!BBH", 0, socket.IPPROTO_TCP, length)


def checksum(data: bytes) -> int:
    """The Internet's checksum (RFC 1071)."""
    padded = data + b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF
