"""Name servers that are silent, slow, refusing, lying or endless: checks of mail end in time, and say so."""

import socket
import time
from collections.abc import Mapping

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest
from dns_world import DOMAIN, NAME, ZONE, World
from lab.name_server import NameServer

from mailcow_wizard.checks import dns_spf, reputation
from mailcow_wizard.engine import runner
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.network.dns import Round, Silence
from mailcow_wizard.host.replies import DnsQuestion, DnsReply
from mailcow_wizard.model import Check, Finding, Settings

pytestmark = pytest.mark.timed

SHORT_S = 0.6
"""For an answer where none will come. Who does answer has the usual time: a busy machine takes it."""
NO_ANSWER = ("!silent", "!garbage", "!lying")
RESOLVER, OWN, LISTS = "127.0.53.11", "127.0.53.12", "127.0.53.13"
OURS, REVERSED = "198.51.100.25", "25.100.51.198"
SPF = dns_spf.CHECKS[0]
BLOCKLISTS = reputation.CHECKS[0]

Rows = Mapping[tuple[str, str], tuple[str, ...]]


class Asking(World):
    """Asks real servers, at another port than theirs."""

    def __init__(self, port: int, most: float) -> None:
        super().__init__({})
        self._port = port
        self._most = most
        self._silence = Silence()

    def ask_dns(self, questions: tuple[DnsQuestion, ...], timeout: float = 3.0) -> tuple[DnsReply, ...]:
        return Round(questions, min(timeout, self._most), self._silence, self._port).replies()


class Server(NameServer):
    """Answers from some rows; a value in front of them may be a way to misbehave."""

    def __init__(self, address: str, port: int, rows: Rows, delay: float = 0.0) -> None:
        self._rows = rows
        super().__init__(address, port, self._say, delay)

    def _say(self, packet: bytes, transport: str) -> list[bytes]:
        asked = dns.message.from_wire(packet)
        question = asked.question[0]
        name, type = question.name.to_text().removesuffix("."), dns.rdatatype.to_text(question.rdtype)
        found = self._rows.get((name, type), ())
        response = dns.message.make_response(asked)
        response.flags |= dns.flags.AA
        how, values = (found[0], found[1:]) if found and found[0].startswith("!") else ("", found)
        if how == "!silent":
            return []
        if how == "!garbage":
            return [packet[:2] + b"\x81\x80" + b"\xff" * 40]
        if how in ("!SERVFAIL", "!REFUSED"):
            response.set_rcode(dns.rcode.from_text(how[1:]))
        if values:
            response.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", type, *values))
        if how == "!lying":
            other = response.to_wire().replace(b"\7example", b"\7exampel").replace(b"\3zen", b"\3nez")
            wrong_id = bytes((packet[0] ^ 255,)) + response.to_wire()[1:]
            return [other, wrong_id]
        if how == "!tcp" and transport == "udp":
            response.answer.clear()
            response.flags |= dns.flags.TC
        return [response.to_wire(max_size=65535)]


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def judged(port: int, check: Check, rows: Rows, lists: Rows | None = None, delay: float = 0.0) -> Finding:
    """What the check finds, and that it does so in little time."""
    zone = {key: (value,) if isinstance(value, str) else value for key, value in ZONE.items()}
    every = {**zone, ("ns.example.net", "A"): (OWN,), ("ns.lists.example", "A"): (LISTS,), **rows}
    in_vain = any(one[0] in NO_ANSWER for some in (every, lists or {}) for one in some.values())
    settings = Settings(hostname=NAME, domains=(DOMAIN,), addresses=(OURS,), resolver=RESOLVER)
    with (
        Server(RESOLVER, port, every),
        Server(OWN, port, every, delay),
        Server(LISTS, port, lists or {}),
    ):
        start = time.monotonic()
        found = runner.look(check, Facts(Asking(port, SHORT_S if in_vain else 3.0), settings))
        assert time.monotonic() - start < 6.0
    return next(runner.join(check, one) for one in found if one.subject in (DOMAIN, OURS))


@pytest.mark.parametrize(
    ("rows", "status", "words"),
    [
        ({(DOMAIN, "TXT"): ('"v=spf1 mx -all"',)}, "pass", "lets mail from"),
        ({(DOMAIN, "TXT"): ("!tcp", '"v=spf1 mx -all"')}, "pass", "lets mail from"),
        ({(DOMAIN, "TXT"): ("!silent",)}, "unknown", "no answer within"),
        ({(DOMAIN, "TXT"): ("!garbage",)}, "unknown", "could not be asked"),
        ({(DOMAIN, "TXT"): ("!REFUSED",)}, "unknown", "REFUSED"),
        ({(DOMAIN, "TXT"): ("!lying", '"v=spf1 +all"')}, "unknown", "no answer within"),
        (
            {
                (DOMAIN, "TXT"): ('"v=spf1 include:far.example.net -all"',),
                ("far.example.net", "TXT"): ("!silent",),
            },
            "unknown",
            "far.example.net TXT could not be asked",
        ),
        (
            {
                (DOMAIN, "TXT"): ('"v=spf1 include:far.example.net -all"',),
                ("far.example.net", "TXT"): ("!SERVFAIL",),
            },
            "unknown",
            "SERVFAIL",
        ),
        (
            {(DOMAIN, "TXT"): ("!tcp", '"v=spf1 "' + ' "ip4:203.0.113.1 "' * 3500 + ' "mx -all"')},
            "fail",
            "is not valid: it is longer than 16384 letters",
        ),
        (
            {(DOMAIN, "TXT"): ("!tcp", *(f'"v=spf1 a:h{n}.example.org -all"' for n in range(500)))},
            "fail",
            "has 500 SPF records",
        ),
        ({(DOMAIN, "TXT"): ('"v=spf1 \\027[2J\\194\\155 -all"',)}, "fail", "is not valid"),
    ],
)
def test_spf(port: int, rows: Rows, status: str, words: str) -> None:
    found = judged(port, SPF, rows)
    assert (found.status, words in found.summary) == (status, True), found.summary
    assert (found.summary + found.found + "".join(found.remedies)).isprintable()


def test_spf_of_a_slow_server(port: int) -> None:
    assert judged(port, SPF, {(DOMAIN, "TXT"): ('"v=spf1 mx -all"',)}, delay=0.3).status == "pass"


ZEN = {("zen.spamhaus.org", "NS"): ("ns.lists.example.",)}
RIGHT = {("2.0.0.127.zen.spamhaus.org", "A"): ("127.0.0.2",)}


@pytest.mark.parametrize(
    ("lists", "status", "words"),
    [
        (RIGHT, "pass", "is not on Spamhaus ZEN"),
        ({**RIGHT, (f"{REVERSED}.zen.spamhaus.org", "A"): ("127.0.0.4",)}, "fail", "Spamhaus ZEN (infected"),
        ({**RIGHT, (f"{REVERSED}.zen.spamhaus.org", "A"): ("!silent",)}, "unknown", "no answer within"),
        (
            {**RIGHT, (f"{REVERSED}.zen.spamhaus.org", "A"): ("!garbage",)},
            "unknown",
            "could not be found out",
        ),
        ({**RIGHT, (f"{REVERSED}.zen.spamhaus.org", "A"): ("!REFUSED",)}, "unknown", "it answers REFUSED"),
        ({**RIGHT, (f"{REVERSED}.zen.spamhaus.org", "A"): ("!lying", "127.0.0.4")}, "unknown", "no answer"),
        (
            {
                **RIGHT,
                (f"{REVERSED}.zen.spamhaus.org", "A"): ("!tcp", *(f"127.0.0.{n}" for n in range(2, 250))),
            },
            "fail",
            "Spamhaus ZEN",
        ),
        ({("2.0.0.127.zen.spamhaus.org", "A"): ("127.255.255.254",)}, "unknown", "(127.255.255.254)"),
        ({}, "unknown", "it does not list its own test entry"),
    ],
)
def test_blocklists(port: int, lists: Rows, status: str, words: str) -> None:
    found = judged(port, BLOCKLISTS, ZEN, lists)
    assert (found.status, words in found.summary) == (status, True), found.summary
    assert len(found.found) <= 400
