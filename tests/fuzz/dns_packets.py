"""Answers of name servers, as examples: made, and from the recorded machines."""

from __future__ import annotations

import functools

from mailcow_wizard.host.recording.codec import unpack
from mailcow_wizard.host.replies import DnsReply
from tests.fuzz.targets_door import machines, said_in

_RECORDS = (
    ("SRV", "0 5 443 mail.example.org."),
    ("RRSIG", "A 8 3 300 20270101000000 20260101000000 1 example.org. AAAA"),
    ("DS", "1 8 2 " + "ab" * 32), ("TLSA", "3 1 1 " + "ab" * 32), ("CAA", '0 issue "letsencrypt.org"'),
    ("TXT", '"a" "b\\\\\\034"'), ("DNSKEY", "257 3 8 AwEAAQ=="), ("NSEC", "b.example.org. A RRSIG"),
)  # fmt: skip


def _made() -> list[bytes]:
    """An answer with each type of record, and one that explains its own error."""
    import dns.edns
    import dns.message
    import dns.rrset

    asked = dns.message.make_query("example.org.", "A", use_edns=True)
    made = []
    for type, value in _RECORDS:
        reply = dns.message.make_response(asked)
        reply.answer.append(dns.rrset.from_text("example.org.", 300, "IN", type, value))
        made.append(reply.to_wire())
    reply.use_edns(options=[dns.edns.EDEOption(dns.edns.EDECode.DNSSEC_BOGUS, "x")])
    return [*made, reply.to_wire()]


@functools.cache
def packets() -> tuple[bytes, ...]:
    """Answers of name servers: of each type two."""
    found: dict[str, list[bytes]] = {"made": _made()}
    for machine in machines():
        for key, said in machine.answers.items():
            if key.startswith("ask_dns") and "value" in said and said["value"]["packet"]:
                packet = said_in(unpack(DnsReply, said["value"]))
                found.setdefault(key.split(" ")[2], []).append(packet)
    return tuple(
        one for some in found.values() for one in (some if len(some) < 10 else sorted(some, key=len)[-2:])
    )
