"""A program of its own: prints the tables that nftables has, a line with family and name each, where the
command nft is not there to say so.

  python nft_tables.py

Asks the kernel as nft does (linux/netfilter/nf_tables.h), and reads names only. Its exit code is 1 where the
kernel does not answer.
"""

from __future__ import annotations

import os
import sys

if not __package__:
    # Started by its path: the package lies three directories up, and the modules beside this file must not be
    # taken for others of their name.
    sys.path[0] = os.path.abspath(os.path.join(__file__, "../../../.."))

import socket
import struct
from collections.abc import Iterator

from mailcow_wizard.harmless import shown

_NETFILTER = 12  # NETLINK_NETFILTER
_NFTABLES = 10 << 8  # NFNL_SUBSYS_NFTABLES
_NEW_TABLE, _GET_TABLE = 0, 1
_REQUEST_DUMP = 0x301
_ERROR, _DONE = 2, 3
_NAME = 1  # NFTA_TABLE_NAME
_HEADER, _FAMILY_HEADER, _ATTRIBUTE = struct.Struct("=IHHII"), struct.Struct("=BBH"), struct.Struct("=HH")
_FAMILIES = {1: "inet", 2: "ip", 3: "arp", 5: "netdev", 7: "bridge", 10: "ip6"}
_PATIENCE_S = 5.0
_LARGEST = 1 << 16


def main() -> int:
    """Runs the program; its exit code."""
    try:
        found = list(_tables())
    except (OSError, ValueError) as error:
        print(shown(f"the kernel does not list the tables of nftables: {error}"))
        return 1
    for family, name in found:
        print(shown(f"{family} {name}"))
    return 0


def _tables() -> Iterator[tuple[str, str]]:
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETFILTER) as kernel:
        kernel.settimeout(_PATIENCE_S)
        length = _HEADER.size + _FAMILY_HEADER.size
        asked = _HEADER.pack(length, _NFTABLES | _GET_TABLE, _REQUEST_DUMP, 1, 0)
        kernel.send(asked + _FAMILY_HEADER.pack(0, 0, 0))
        while True:
            found, ended = tables(kernel.recv(_LARGEST))
            yield from found
            if ended:
                return


def tables(answer: bytes) -> tuple[list[tuple[str, str]], bool]:
    """The tables in an answer of the kernel's, by family and name, and whether it is the last one. Raises
    ValueError where it is a refusal, or no such answer."""
    found: list[tuple[str, str]] = []
    place = 0
    try:
        while place < len(answer):
            length, kind, _flags, _number, _port = _HEADER.unpack_from(answer, place)
            if length < _HEADER.size or place + length > len(answer):
                raise ValueError("its answer is cut short")
            body = answer[place + _HEADER.size : place + length]
            place += -length % 4 + length
            if kind == _DONE:
                return found, True
            if kind == _ERROR:
                raise ValueError(os.strerror(-struct.unpack_from("=i", body)[0] & 0xFFFF))
            if kind == _NFTABLES | _NEW_TABLE:
                family = _FAMILY_HEADER.unpack_from(body)[0]
                found.append((_FAMILIES.get(family, str(family)), _name(body[_FAMILY_HEADER.size :])))
    except struct.error:
        raise ValueError("its answer is cut short") from None
    return found, False


def _name(attributes: bytes) -> str:
    place = 0
    while place < len(attributes):
        length, kind = _ATTRIBUTE.unpack_from(attributes, place)
        if length < _ATTRIBUTE.size:
            break
        if kind & 0x3FFF == _NAME:
            value = attributes[place + _ATTRIBUTE.size : place + length]
            return value.rstrip(b"\0").decode("utf-8", "replace")
        place += -length % 4 + length
    return "?"


if __name__ == "__main__":
    sys.exit(main())
