"""First packets of connections as they reach this machine, before its own rules see them.

A listener never hears of a connection that this machine's own firewall drops, and neither does it of one
that a firewall before it drops. This tells the two apart: a packet socket sees what the network card handed
over (packet(7)), the kernel's filter lets it see the first packet (SYN) to some ports and nothing else.
"""

from __future__ import annotations

import ctypes
import socket
import struct

from mailcow_wizard.typed import NamedTuple

_PROTOCOLS = {4: 0x0800, 6: 0x86DD}
_ATTACH_FILTER = 26  # SO_ATTACH_FILTER, which Python does not name
_TO_US = 0  # PACKET_HOST
_MOST_AT_ONCE = 256
_MOST_BEFORE = 10_000
_LONGEST = 128

_SYN, _SYN_OR_ACK = 0x02, 0x12
_TCP = 6
# Classic BPF (linux/filter.h).
_BYTE, _HALF = 0x30, 0x28
_BYTE_AT_X, _HALF_AT_X = 0x50, 0x48
_X_IS_LENGTH = 0xB1
_AND, _IF_EQUAL, _IF_SET, _RETURN = 0x54, 0x15, 0x45, 0x06

Instruction = tuple[int, int, int, int]


class Packet(NamedTuple):
    """The first packet of a connection reached this machine: for which port, of which family, from where."""

    port: int
    family: int
    peer: str


def watch(ports: tuple[int, ...], family: int) -> socket.socket | None:
    """A socket that sees first packets to these ports; None where this user, or this kernel, has none."""
    try:
        one = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_PROTOCOLS[family]))
    except OSError:
        return None
    try:
        _attach(one, _program(ports, family))
        one.setblocking(False)
        # What it heard before the filter stood.
        for _ in range(_MOST_BEFORE):
            one.recv(1)
    except BlockingIOError:
        return one
    except OSError:
        pass
    one.close()
    return None


def read(one: socket.socket, family: int) -> list[Packet]:
    """What it saw since it was last asked, a few hundred at most."""
    found = []
    for _ in range(_MOST_AT_ONCE):
        try:
            data, where = one.recvfrom(_LONGEST)
        except OSError:
            break
        packet = _packet(data, family) if where[2] == _TO_US else None
        if packet:
            found.append(packet)
    return found


def _packet(data: bytes, family: int) -> Packet | None:
    start = 4 * (data[0] & 0xF) if family == 4 and data else 40
    if len(data) < max(start, 20) + 4:
        return None
    kind = socket.AF_INET if family == 4 else socket.AF_INET6
    source = data[12:16] if family == 4 else data[8:24]
    return Packet(int.from_bytes(data[start + 2 : start + 4], "big"), family, socket.inet_ntop(kind, source))


def _program(ports: tuple[int, ...], family: int) -> list[Instruction]:
    """The kernel's filter: TCP, SYN without ACK, one of the ports."""
    count = len(ports)
    last = count + 1  # from the first comparison with a port: how far to the end that refuses
    jumps = [(_IF_EQUAL, count - number, 0, port) for number, port in enumerate(ports)]
    tail: list[Instruction] = [*jumps, (_RETURN, 0, 0, 0), (_RETURN, 0, 0, _LONGEST)]
    if family == 6:
        return [
            (_BYTE, 0, 0, 6),
            (_IF_EQUAL, 0, last + 3, _TCP),
            (_BYTE, 0, 0, 40 + 13),
            (_AND, 0, 0, _SYN_OR_ACK),
            (_IF_EQUAL, 0, last, _SYN),
            (_HALF, 0, 0, 40 + 2),
            *tail,
        ]
    return [
        (_BYTE, 0, 0, 9),
        (_IF_EQUAL, 0, last + 6, _TCP),
        (_HALF, 0, 0, 6),
        (_IF_SET, last + 4, 0, 0x1FFF),
        (_X_IS_LENGTH, 0, 0, 0),
        (_BYTE_AT_X, 0, 0, 13),
        (_AND, 0, 0, _SYN_OR_ACK),
        (_IF_EQUAL, 0, last, _SYN),
        (_HALF_AT_X, 0, 0, 2),
        *tail,
    ]


def _attach(one: socket.socket, program: list[Instruction]) -> None:
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in program))
    one.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, struct.pack("HP", len(program), ctypes.addressof(code)))
