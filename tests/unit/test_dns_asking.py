"""Asking name servers: which answer counts, who is asked next, how long it takes."""

import socket
import time

import pytest
from lab.name_server import FORMERR, NXDOMAIN, REFUSED, SERVFAIL, TRUNCATED, Answer, NameServer, reply

from mailcow_wizard.facts.dns.resolvers import MOST_USED, nameservers
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.network.dns import Round, Silence
from mailcow_wizard.host.network.dns_wire import encoded
from mailcow_wizard.host.replies import DnsQuestion, DnsReply

pytestmark = pytest.mark.timed

GOOD, OTHER = "127.0.53.1", "127.0.53.2"


@pytest.fixture
def port() -> int:
    """A port that nobody has at this moment; both servers of a test take it on addresses of their own."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((GOOD, 0))
        return int(probe.getsockname()[1])


def right(packet: bytes, transport: str) -> list[bytes]:
    return [reply(packet, ("192.88.99.10",))]


def silent(packet: bytes, transport: str) -> list[bytes]:
    return []


def code(number: int) -> Answer:
    return lambda packet, transport: [reply(packet, flags=number)]


def ask(port: int, *servers: str, timeout: float = 1.0, silence: Silence | None = None) -> DnsReply:
    question = DnsQuestion("mail.example.org", "A", servers)
    return Round((question,), timeout, silence or Silence(), port).replies()[0]


def rcode(answer: DnsReply) -> int:
    return answer.packet[3] & 15


def test_seventy_questions_cost_little_more_than_one_round_trip(port: int) -> None:
    with NameServer(GOOD, port, right, delay=0.05):
        questions = tuple(DnsQuestion(f"n{n}.example.org", "A", (GOOD,)) for n in range(70))
        times = []
        for _ in range(5):
            start = time.monotonic()
            replies = Round(questions, 3.0, Silence(), port).replies()
            times.append(time.monotonic() - start)
            assert all(one.packet.endswith(bytes((192, 88, 99, 10))) for one in replies)
    # On a busy machine one of them is not held up.
    assert min(times) < 0.05 * 1.6 + 0.1


def test_a_silent_first_server_costs_a_tenth_of_a_second_and_then_nothing(port: int) -> None:
    silence = Silence()
    with NameServer(OTHER, port, silent), NameServer(GOOD, port, right):
        start = time.monotonic()
        assert ask(port, OTHER, GOOD, silence=silence).server == GOOD
        assert 0.09 < time.monotonic() - start < 0.25
        start = time.monotonic()
        assert ask(port, OTHER, GOOD, silence=silence).server == GOOD
        assert time.monotonic() - start < 0.09


def test_where_nobody_listens_the_next_is_asked_at_once(port: int) -> None:
    with NameServer(GOOD, port, right):
        questions = tuple(DnsQuestion(f"n{n}.example.org", "A", (OTHER, GOOD)) for n in range(20))
        start = time.monotonic()
        replies = Round(questions, 1.0, Silence(), port).replies()
    assert {one.server for one in replies} == {GOOD}
    assert time.monotonic() - start < 0.09
    assert ask(port, OTHER).error == "refused"


def test_silence_is_said_to_be_silence(port: int) -> None:
    with NameServer(OTHER, port, silent) as server:
        answer = ask(port, OTHER, timeout=0.9)
        assert answer.error == "no answer within 0.9 s"
        assert len(server.asked) == 2  # a lost packet is not the end


@pytest.mark.parametrize("number", [SERVFAIL, REFUSED])
def test_a_server_that_cannot_tell_is_not_the_last_word(port: int, number: int) -> None:
    with NameServer(OTHER, port, code(number)), NameServer(GOOD, port, right):
        start = time.monotonic()
        assert ask(port, OTHER, GOOD).server == GOOD
        assert time.monotonic() - start < 0.09
        assert rcode(ask(port, OTHER)) == number


def test_no_such_name_is_an_answer(port: int) -> None:
    with NameServer(OTHER, port, code(NXDOMAIN)), NameServer(GOOD, port, right):
        assert rcode(ask(port, OTHER, GOOD)) == NXDOMAIN


def test_a_bad_answer_is_kept_when_the_other_server_is_silent(port: int) -> None:
    with NameServer(OTHER, port, code(SERVFAIL)), NameServer(GOOD, port, silent):
        assert rcode(ask(port, OTHER, GOOD, timeout=0.4)) == SERVFAIL


def test_an_answer_cut_short_is_fetched_over_tcp(port: int) -> None:
    def short(packet: bytes, transport: str) -> list[bytes]:
        return [reply(packet, flags=TRUNCATED) if transport == "udp" else reply(packet, ("10.0.0.1",) * 500)]

    with NameServer(GOOD, port, short):
        answer = ask(port, GOOD)
    assert answer.transport == "tcp"
    assert len(answer.packet) > 4000


def test_tcp_that_is_closed_is_said(port: int) -> None:
    with NameServer(GOOD, port, code(TRUNCATED), tcp=False):
        answer = ask(port, GOOD, timeout=0.5)
    assert answer.error == "its answer is too long for UDP, and over TCP: refused"


def over_tcp(port: int, count: int = 64, timeout: float = 3.0) -> tuple[DnsReply, ...]:
    questions = tuple(DnsQuestion(f"n{n}.example.org", "A", (GOOD,), transport="tcp") for n in range(count))
    return Round(questions, timeout, Silence(), port).replies()


def all_right(replies: tuple[DnsReply, ...]) -> bool:
    """Whether each question has its own answer."""
    names = [f"n{n}".encode() for n in range(len(replies))]
    return all(
        one.transport == "tcp" and bytes((len(name),)) + name + b"\7example" in one.packet
        for name, one in zip(names, replies, strict=True)
    )


def test_many_questions_over_tcp_share_a_few_connections(port: int) -> None:
    """A server leaves connections beyond its backlog waiting for a second."""
    with NameServer(GOOD, port, right, backlog=10, each=16) as server:
        start = time.monotonic()
        assert all_right(over_tcp(port))
        assert time.monotonic() - start < 0.95
    assert server.connections <= 4


@pytest.mark.parametrize("holds", [False, True])
def test_a_server_that_reads_one_question_of_a_connection_is_asked_again(holds: bool, port: int) -> None:
    """It closes the connection behind its answer, or forgets about it."""
    with NameServer(GOOD, port, right, holds=holds):
        assert all_right(over_tcp(port, 24))


def test_answers_over_tcp_come_in_whichever_order(port: int) -> None:
    kept: list[bytes] = []

    def last_first(packet: bytes, transport: str) -> list[bytes]:
        kept.append(right(packet, transport)[0])
        return [] if len(kept) % 4 else [b"", b"\0" * 12, *kept[:-5:-1]]

    with NameServer(GOOD, port, last_first, each=4):
        assert all_right(over_tcp(port, 16))


def test_a_connection_that_ends_without_an_answer_is_said(port: int) -> None:
    with NameServer(GOOD, port, silent):
        (answer,) = over_tcp(port, 1)
    assert answer.error == "closed before the answer was complete"


def test_a_server_without_edns_is_asked_without(port: int) -> None:
    def old(packet: bytes, transport: str) -> list[bytes]:
        return [reply(packet, flags=FORMERR)] if packet[11] else right(packet, transport)

    with NameServer(GOOD, port, old):
        assert rcode(ask(port, GOOD)) == 0


def test_forged_and_strange_packets_do_not_count(port: int) -> None:
    def forged(packet: bytes, transport: str) -> list[bytes]:
        wrong_id = bytes((packet[0] ^ 1,)) + right(packet, transport)[0][1:]
        other_name = right(packet, transport)[0].replace(b"mail", b"evil")
        question_back = packet
        return [b"", b"\0", wrong_id, other_name, question_back, b"\xff" * 600, right(packet, transport)[0]]

    with NameServer(GOOD, port, forged):
        answer = ask(port, GOOD)
    assert answer.packet.endswith(bytes((192, 88, 99, 10)))
    assert b"mail" in answer.packet


def test_the_letters_may_come_back_in_another_case(port: int) -> None:
    def shouting(packet: bytes, transport: str) -> list[bytes]:
        return [right(packet, transport)[0].replace(b"mail", b"MAIL")]

    with NameServer(GOOD, port, shouting):
        assert not ask(port, GOOD).error


def test_a_flood_does_not_outlast_the_time(port: int) -> None:
    def flood(packet: bytes, transport: str) -> list[bytes]:
        return [b"\0" * 500] * 20000

    with NameServer(GOOD, port, flood):
        start = time.monotonic()
        assert ask(port, GOOD, timeout=0.5).error
        assert time.monotonic() - start < 1.0


def test_no_server_and_no_route_are_said() -> None:
    assert ask(53).error == "there is no server to ask"
    if not socket.has_ipv6:
        pytest.skip("this Python has no IPv6")
    assert ask(53, "ff02::1:ff00:1%nowhere", timeout=0.2).error


@pytest.mark.parametrize("name", ["a" * 64 + ".org", "a..b", ".".join(["a" * 60] * 5)])
def test_names_that_dns_cannot_carry(name: str) -> None:
    with pytest.raises(HostError):
        encoded(name)


def test_the_root_and_the_trailing_dot() -> None:
    assert encoded(".") == b"\0"
    assert encoded("Mail.example.org.") == b"\4Mail\7example\3org\0"


@pytest.mark.parametrize(
    ("name", "wire"),
    [
        (r"a\.b.example", b"\3a.b\7example\0"),
        (r"a\\b.example", b"\3a\\b\7example\0"),
        (r"\032\255.example", b"\2\x20\xff\7example\0"),
        ("\\000" * 63 + ".example", b"\x3f" + b"\0" * 63 + b"\7example\0"),
    ],
)
def test_a_name_as_answers_have_it_is_asked_for_as_it_is(name: str, wire: bytes) -> None:
    """RFC 1035, 5.1: a label may hold any byte, and a zone may name such a server."""
    assert encoded(name) == wire


@pytest.mark.parametrize("name", [r"\256.example", "\\000" * 64 + ".example"])
def test_what_is_no_name_in_the_zone_files_form(name: str) -> None:
    with pytest.raises(HostError):
        encoded(name)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("nameserver 192.0.2.1\nnameserver\t2001:db8::1 # ours\n", ("192.0.2.1", "2001:db8::1")),
        ("nameserver   192.0.2.1\t \nnameserver fe80::1%eth0", ("192.0.2.1", "fe80::1%eth0")),
        ("# nameserver 192.0.2.1\n nameserver 192.0.2.2\nnameserver\nnameserver box\n", ()),
        ("nameserver 192.0.2.1\r\nnameserver fe80::1%eth0\r\n", ()),
        ("nameserver 192.0.2.1\n" * 3 + "nameserver 192.0.2.2\n", ("192.0.2.1",)),
        ("nameserver x\n" * 3 + "nameserver 192.0.2.2\n", ("192.0.2.2",)),
    ],
)
def test_name_servers_are_those_that_programs_ask(text: str, found: tuple[str, ...]) -> None:
    assert nameservers(text, MOST_USED) == found
