"""Answers in brief: the code and the addresses, as dnspython reads them too, and nothing from garbage."""

import random

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from mailcow_wizard.facts.dns.brief import Brief, brief
from mailcow_wizard.host.door import DnsReply

NAME = "2.0.0.127.zen.spamhaus.org."


def packet(*rows: tuple[str, str, str], code: str = "NOERROR") -> bytes:
    response = dns.message.make_response(dns.message.make_query(NAME, "A"))
    response.set_rcode(dns.rcode.from_text(code))
    for name, type, value in rows:
        response.answer.append(dns.rrset.from_text(name, 60, "IN", type, value))
    response.authority.append(dns.rrset.from_text("org.", 60, "IN", "SOA", "a. b. 1 2 3 4 5"))
    response.additional.append(dns.rrset.from_text("ns.org.", 60, "IN", "A", "192.0.2.1"))
    return response.to_wire()


def said(data: bytes) -> Brief:
    return brief(DnsReply("192.0.2.53", "udp", data, 0.0, ""))


def test_what_is_said() -> None:
    listed = packet((NAME, "A", "127.0.0.2"), (NAME, "A", "127.0.0.4"))
    assert said(listed) == Brief("192.0.2.53", "NOERROR", ("127.0.0.2", "127.0.0.4"))
    alias = packet((NAME, "CNAME", "x.dq.example."), ("x.dq.example.", "A", "127.0.0.10"))
    assert said(alias).addresses == ("127.0.0.10",)
    assert said(packet((NAME, "TXT", '"127.0.0.2"'))).addresses == ()
    for code in ("NXDOMAIN", "SERVFAIL", "REFUSED"):
        assert said(packet(code=code)) == Brief("192.0.2.53", code)


def test_no_answer() -> None:
    silent = brief(DnsReply("192.0.2.53", "", b"", 0.0, "no answer within 2 s"))
    assert silent == Brief("192.0.2.53", "", error="no answer within 2 s")


@pytest.mark.parametrize("seed", range(20))
def test_garbage_is_no_answer_and_ends(seed: int) -> None:
    chance = random.Random(seed)
    whole = packet((NAME, "A", "127.0.0.2"), (NAME, "A", "127.0.0.4"))
    for _ in range(200):
        data = bytearray(whole[: chance.randrange(1, len(whole) + 1)])
        for _ in range(chance.randrange(6)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        found = said(bytes(data))
        assert len(found.addresses) <= 100
        assert found.code or found.error
    assert said(whole[:12]).error == "its answer is not readable"
    assert said(b"\0\0\x81\x80\0\1\xff\xff\0\0\0\0" + b"\xc0\x0c" * 40).addresses == ()


def test_many_records_are_bounded() -> None:
    rows = [(NAME, "A", f"127.0.{n // 250}.{n % 250}") for n in range(500)]
    assert len(said(packet(*rows)).addresses) == 100
