"""Runs a command that may not open netlink sockets, as under a strict container or service sandbox.

`python -I -S refuse_netlink.py COMMAND…`: a seccomp filter answers socket(AF_NETLINK) with EAFNOSUPPORT.
"""

import ctypes
import errno
import os
import platform
import struct
import sys

_PR_SET_SECCOMP = 22
_PR_SET_NO_NEW_PRIVS = 38
_SECCOMP_MODE_FILTER = 2
_ALLOW = 0x7FFF0000
_ERRNO = 0x00050000
_LOAD = 0x20
_JUMP_IF_EQUAL = 0x15
_RETURN = 0x06
_AF_NETLINK = 16
_SOCKET_CALL = {"x86_64": 41, "aarch64": 198}
# Offsets in struct seccomp_data: the call's number, the low half of its first argument.
_NUMBER, _FIRST_ARGUMENT = 0, 16


def program(call: int) -> bytes:
    """The filter, as struct sock_filter rows: code, jump if true, jump if false, operand."""
    rows = (
        (_LOAD, 0, 0, _NUMBER),
        (_JUMP_IF_EQUAL, 0, 3, call),
        (_LOAD, 0, 0, _FIRST_ARGUMENT),
        (_JUMP_IF_EQUAL, 0, 1, _AF_NETLINK),
        (_RETURN, 0, 0, _ERRNO | errno.EAFNOSUPPORT),
        (_RETURN, 0, 0, _ALLOW),
    )
    return b"".join(struct.pack("=HBBI", *row) for row in rows)


def refuse() -> None:
    """Installs the filter for this process and all that it starts."""
    libc = ctypes.CDLL(None, use_errno=True)
    rows = program(_SOCKET_CALL[platform.machine()])
    buffer = ctypes.create_string_buffer(rows, len(rows))
    table = struct.pack("@HP", len(rows) // 8, ctypes.addressof(buffer))
    for arguments in ((_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), (_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, table)):
        if libc.prctl(*arguments) != 0:
            raise OSError(ctypes.get_errno(), "prctl")


if __name__ == "__main__":
    refuse()
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606
