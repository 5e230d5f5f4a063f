"""The names of nftables' tables, in the kernel's own words (linux/netfilter/nf_tables.h)."""

import struct

import pytest

from mailcow_wizard.host.programs.nft_tables import tables

_DONE = struct.pack("=IHHII", 20, 3, 2, 1, 0) + bytes(4)


def _table(family: int, name: bytes) -> bytes:
    name += b"\0"
    attribute = struct.pack("=HH", 4 + len(name), 1) + name + bytes(-len(name) % 4)
    flags = struct.pack("=HHI", 8, 2, 0)
    body = struct.pack("=BBH", family, 0, 0) + flags + attribute
    return struct.pack("=IHHII", 16 + len(body), 10 << 8, 2, 1, 0) + body


def test_tables() -> None:
    listed = _table(1, b"firewalld") + _table(2, b"nat") + _table(99, b"x")
    assert tables(listed) == ([("inet", "firewalld"), ("ip", "nat"), ("99", "x")], False)
    assert tables(listed + _DONE)[1]
    assert tables(_DONE) == ([], True)


@pytest.mark.parametrize(
    "answer",
    [
        _table(1, b"firewalld")[:-1],
        b"\x01",
        struct.pack("=IHHII", 20, 2, 0, 1, 0) + struct.pack("=i", -1),
        struct.pack("=IHHII", 16, 10 << 8, 2, 1, 0),
        struct.pack("=IHHII", 0, 10 << 8, 2, 1, 0),
    ],
)
def test_what_is_no_answer(answer: bytes) -> None:
    with pytest.raises(ValueError, match=r"cut short|not permitted"):
        tables(answer)
