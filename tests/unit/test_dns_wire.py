"""What name servers' packets say: the same as dnspython reads in them, and nothing from garbage."""

import random
import struct
import time

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

from mailcow_wizard.facts.dns.wire import EXPLANATIONS, Unreadable, message

TEXTS = {
    "A": ["192.0.2.1", "0.0.0.0"],
    "AAAA": ["2001:db8::1", "::", "2001:db8:0:0:1::"],
    "NS": ["ns1.Example.NET.", "."],
    "CNAME": ["Mail.Example.org.", r"a\.b\032c\"\;\(\)\@\$\\.example.org."],
    "PTR": [r"\000\255.example.org."],
    "DNAME": ["example.net."],
    "MX": ["10 Mail.example.org.", "0 ."],
    "SRV": ["0 1 443 mail.example.org.", "0 0 0 ."],
    "SOA": ["ns1.example.net. Host\\.master.example.net. 1 3600 900 604800 60"],
    "TXT": ['"v=spf1 mx" " -all"', '""', r'"\000\200\"\\"', '"' + "x" * 255 + '" "y"', '"zürich"'],
    "TLSA": ["3 1 1 " + "ab" * 32, "2 0 2 " + "cd" * 64],
    "DS": ["12345 13 2 " + "AB" * 32],
    "CAA": ['0 issue "letsencrypt.org; a=b"', r'128 tbs "\"\\\007"'],
    "RRSIG": ["A 13 2 300 20260101000000 20250101000000 1 example.org. " + "AAAA" * 16],
    "HINFO": ['"a" "b"'],
}


def folded(name: str) -> str:
    return name.lower() if name == "." else name.lower().removesuffix(".")


def by_dnspython(packet: bytes) -> tuple[object, ...]:
    """The same message as the library reads it."""
    read = dns.message.from_wire(packet, ignore_trailing=True)
    sections = []
    for section in (read.answer, read.authority, read.additional):
        rows = []
        for group in section:
            type = dns.rdatatype.to_text(group.rdtype)
            for one in group:
                text = one.to_text()
                if type == "TXT":
                    text = b"".join(one.strings).decode("utf-8", "replace")
                elif type in ("MX", "SRV", "CNAME", "NS", "PTR", "SOA", "DNAME"):
                    text = " ".join(folded(word) for word in text.split(" "))
                elif type in ("RRSIG", "HINFO"):
                    text = ""
                name = folded(group.name.to_text())
                rows.append((name, "TYPE13" if type == "HINFO" else type, group.ttl, text))
        sections.append(sorted(rows))
    flags = [bool(read.flags & one) for one in (dns.flags.AA, dns.flags.AD)]
    return (dns.rcode.to_text(read.rcode()), *flags, *sections)


def ours(packet: bytes) -> tuple[object, ...]:
    read = message(packet)
    sections = [sorted(map(tuple, one)) for one in (read.answer, read.authority, read.additional)]
    return (read.code, read.authoritative, read.authenticated, *sections)


def made(chance: random.Random) -> bytes:
    """A message with some records of some types."""
    response = dns.message.make_response(
        dns.message.make_query("_dmarc.Example.org.", "TXT", want_dnssec=True)
    )
    response.flags |= chance.choice([0, dns.flags.AA, dns.flags.AD, dns.flags.TC])
    response.set_rcode(dns.rcode.Rcode(chance.choice([0, 2, 3, 5, 16, 23])))
    seen = set()
    for section in (response.answer, response.authority, response.additional):
        for _ in range(chance.randrange(6)):
            type = chance.choice(list(TEXTS))
            name = chance.choice(
                ["example.org.", "Mail.Example.org.", "a.b.c.example.org.", ".", r"x\.y.org."]
            )
            if (name.lower(), type) not in seen:
                seen.add((name.lower(), type))
                texts = TEXTS[type] if type not in ("SOA", "CNAME", "DNAME") else TEXTS[type][:1]
                section.append(dns.rrset.from_text(name, chance.randrange(1 << 20), "IN", type, *texts))
    return response.to_wire(max_size=65535)


@pytest.mark.parametrize("seed", range(300))
def test_it_reads_what_the_library_reads(seed: int) -> None:
    packet = made(random.Random(seed))
    assert ours(packet) == by_dnspython(packet)
    assert ours(packet + b"trailing") == ours(packet)


@pytest.mark.parametrize("type", TEXTS)
def test_every_type(type: str) -> None:
    response = dns.message.make_response(dns.message.make_query("example.org.", type))
    for text in TEXTS[type]:
        response.answer = [dns.rrset.from_text("example.org.", 60, "IN", type, text)]
        assert ours(response.to_wire()) == by_dnspython(response.to_wire())


@pytest.mark.parametrize("seed", range(100))
def test_damage_is_unreadable_or_read_and_ends(seed: int) -> None:
    chance = random.Random(seed)
    whole = made(chance)
    for _ in range(50):
        data = bytearray(whole[: chance.randrange(len(whole) + 1)] if chance.random() < 0.3 else whole)
        for _ in range(chance.randrange(1, 8)):
            if data:
                data[chance.randrange(len(data))] = chance.choice([0, 0xC0, 0xFF, chance.randrange(256)])
        try:
            found = message(bytes(data))
        except Unreadable:
            continue
        for one in (*found.answer, *found.authority, *found.additional):
            assert one.name.isprintable()
            assert len(one.name) <= 1100


def with_name(name: bytes, before: bytes = b"") -> bytes:
    """A message whose only record has this name, behind these bytes of a record before."""
    return struct.pack("!HHHHHH", 0, 0x8180, 0, 1, 0, 0) + before + name + b"\0\1\0\1\0\0\0\1\0\4\1\2\3\4"


@pytest.mark.parametrize(
    "name",
    [
        b"\xc0\x0c",  # to itself
        b"\xc0\x0e\xc0\x0c",  # to each other
        b"\xc0\xff",  # beyond the end
        b"\1a\xc0\x0c",  # a label and back to itself
        b"\x40a\0",  # a kind of label that does not exist
        b"\x3f" + b"a" * 62,  # cut short
        b"\x3f" + b"a" * 63 + (b"\x3f" + b"b" * 63) * 4 + b"\0",  # over 255 bytes
        b"\1a" * 200 + b"\0",
        b"",
    ],
)
def test_names_that_are_none(name: bytes) -> None:
    with pytest.raises(Unreadable):
        message(with_name(name))


def test_long_chains_of_pointers_end_early() -> None:
    chain = b"\0" + b"".join(struct.pack("!H", 0xC000 | 12 + max(0, 2 * n - 1)) for n in range(8000))
    start = time.process_time()
    with pytest.raises(Unreadable):
        message(struct.pack("!HHHHHH", 0, 0x8180, 0, 9000, 0, 0) + chain)
    assert time.process_time() - start < 1.0


def test_many_records_are_bounded() -> None:
    one = b"\0\0\1\0\1\0\0\0\1\0\4"
    rows = b"".join(one + struct.pack("!I", n) for n in range(4000))
    assert len(message(struct.pack("!HHHHHH", 0, 0x8180, 0, 4000, 0, 0) + rows).answer) == 2000


def test_what_a_server_says_about_its_error() -> None:
    for number, words in enumerate(EXPLANATIONS):
        assert dns.edns.EDECode(number).name.replace("_", " ").lower() == words
    for code, text, said in (
        (6, None, "dnssec bogus"),
        (23, "far away", "far away"),
        (7, "github.com/A", "signature expired: github.com/A"),
        (6, "Signature expired (DNSSEC bogus)", "Signature expired (DNSSEC bogus)"),
        (999, None, "error 999"),
    ):
        response = dns.message.make_response(dns.message.make_query("a.", "A"))
        response.use_edns(0, options=[dns.edns.EDEOption(code, text)])  # type: ignore[arg-type]
        response.set_rcode(dns.rcode.SERVFAIL)
        found = message(response.to_wire())
        assert (found.code, found.explained) == ("SERVFAIL", said)
