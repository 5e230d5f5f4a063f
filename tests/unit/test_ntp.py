"""The packets: real UDP servers on loopback that answer well, badly, late, falsely or not at all."""

import socket
import statistics
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from mailcow_wizard.checks.time_offset import judge_offset
from mailcow_wizard.facts.time_answers import compare, read_answer
from mailcow_wizard.host.network import ntp
from tests.unit.ntp_servers import Servers, one, reply, right, shifted, silent

pytestmark = pytest.mark.timed


def test_the_request_is_a_version_4_client_packet_with_an_unpredictable_timestamp(servers: Servers) -> None:
    servers.add("127.0.0.1", right)
    ntp.ask_time(("127.0.0.1",), 1.0, servers.port)
    ntp.ask_time(("127.0.0.1",), 1.0, servers.port)
    first, second = servers.requests
    assert len(first) == 48
    assert first[0] == 0x23
    assert not any(first[1:40])
    assert first[40:] != second[40:]


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_a_right_server(servers: Servers, address: str) -> None:
    servers.add(address, right, delay=0.01)
    server = read_answer(one(ntp.ask_time((address,), 2.0, servers.port)))
    assert server.rejected == ""
    assert server.address == address
    assert server.stratum == 2
    assert abs(server.ahead) < 0.005


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"stratum": 0, "code": b"RATE", "first": 0xE4}, "kiss-of-death RATE: it is asked too often"),
        ({"stratum": 0, "code": b"DENY", "first": 0xE4}, "kiss-of-death DENY: it refuses this machine"),
        ({"stratum": 0, "code": b"X\x1b[m"}, "not synchronised itself (stratum 0)"),
        (
            {"stratum": 0, "code": bytes(4), "first": 0xE4},
            "not synchronised itself (it says so: leap bits 3)",
        ),
        ({"first": 0xE4}, "not synchronised itself (it says so: leap bits 3)"),
        ({"stratum": 16}, "not synchronised itself (stratum 16"),
        ({"stratum": 255}, "not synchronised itself (stratum 255"),
        ({"first": 0x23}, "not a server's answer (mode 3"),
        ({"origin": bytes(8)}, "wrong origin timestamp"),
    ],
)
def test_packets_that_do_not_count_are_rejected_by_name(
    servers: Servers, changes: dict[str, object], reason: str
) -> None:
    servers.add("127.0.0.1", lambda request, arrived: [reply(request, arrived, **changes)])  # type: ignore[arg-type]
    server = read_answer(one(ntp.ask_time(("127.0.0.1",), 0.3, servers.port)))
    assert server.rejected.startswith(reason)


def test_a_truncated_packet_is_kept_for_judging(servers: Servers) -> None:
    servers.add("127.0.0.1", lambda request, arrived: [reply(request, arrived)[:40]])
    answer = one(ntp.ask_time(("127.0.0.1",), 0.3, servers.port))
    assert read_answer(answer).rejected == "truncated: 40 bytes instead of 48"


def test_a_longer_packet_counts(servers: Servers) -> None:
    servers.add("127.0.0.1", lambda request, arrived: [reply(request, arrived) + bytes(20)])
    assert read_answer(one(ntp.ask_time(("127.0.0.1",), 1.0, servers.port))).rejected == ""


@pytest.mark.parametrize(
    "before",
    [
        lambda request, arrived: reply(request, arrived, ahead=93, origin=b"guessed!"),
        lambda request, arrived: reply(request, arrived, ahead=93)[:32],
        lambda request, arrived: reply(request, arrived, ahead=93, first=0x25),
        lambda request, arrived: b"",
    ],
    ids=["wrong origin", "truncated", "wrong mode", "empty"],
)
def test_a_forged_packet_does_not_end_the_waiting_for_the_right_one(
    servers: Servers, before: Callable[[bytes, int], bytes]
) -> None:
    servers.add("127.0.0.1", lambda request, arrived: [before(request, arrived), reply(request, arrived)])
    started = time.monotonic()
    server = read_answer(one(ntp.ask_time(("127.0.0.1",), 2.0, servers.port)))
    assert time.monotonic() - started < 1
    assert server.rejected == ""
    assert abs(server.ahead) < 0.05


def test_a_refused_port_is_known_at_once() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    started = time.monotonic()
    answers = ntp.ask_time(("127.0.0.1", "::1"), 3.0, port)
    assert [answer.error for answer in answers] == ["refused", "refused"]
    assert time.monotonic() - started < 0.5


def test_silence_lasts_until_the_timeout_and_asks_once_more(servers: Servers) -> None:
    servers.add("127.0.0.1", silent)
    started = time.monotonic()
    answer = one(ntp.ask_time(("127.0.0.1",), 0.5, servers.port))
    assert 0.45 < time.monotonic() - started < 0.8
    assert answer.error == "no answer within 0.5 s"
    assert len(servers.requests) == 2
    assert servers.requests[0][40:] != servers.requests[1][40:]


def test_a_lost_first_packet_is_made_up_for_by_the_second(servers: Servers) -> None:
    servers.add("127.0.0.1", lambda request, arrived: right(request, arrived) * (len(servers.requests) > 1))
    server = read_answer(one(ntp.ask_time(("127.0.0.1",), 0.8, servers.port)))
    assert server.rejected == ""
    assert abs(server.ahead) < 0.01, "the round trip is that of the second question"


def test_an_answer_to_the_first_question_counts_after_the_second_was_sent(servers: Servers) -> None:
    servers.add("127.0.0.1", right, delay=0.4)
    server = read_answer(one(ntp.ask_time(("127.0.0.1",), 0.6, servers.port)))
    assert server.rejected == ""
    assert abs(server.ahead) < 0.01


def test_one_dead_server_among_many_does_not_cost_the_whole_time(servers: Servers) -> None:
    addresses = tuple(servers.add(f"127.0.0.{number}", right, delay=0.02) for number in range(1, 5))
    dead = servers.add("127.0.0.9", silent)
    started = time.monotonic()
    answers = ntp.ask_time((dead, *addresses), 3.0, servers.port)
    assert time.monotonic() - started < 0.6
    assert [answer.server for answer in answers] == [dead, *addresses]
    assert answers[0].error.startswith("no answer within 0.")
    assert "when most had answered" in answers[0].error
    assert not any(answer.error for answer in answers[1:])


def test_addresses_are_asked_once_and_at_most_twelve(servers: Servers) -> None:
    addresses = [servers.add(f"127.0.0.{number}", right) for number in range(1, 16)]
    answers = ntp.ask_time((*addresses, *addresses), 1.0, servers.port)
    assert len(answers) == 12
    assert len({answer.address for answer in answers}) == 12


def test_nobody_to_ask() -> None:
    assert ntp.ask_time(()) == ()


@pytest.mark.parametrize("number", [1, 8])
def test_many_servers_cost_one_round_trip(servers: Servers, number: int) -> None:
    round_trip = 0.04
    for last in range(1, number + 1):
        servers.add(f"127.0.0.{last}", right, delay=round_trip)
    addresses = tuple(f"127.0.0.{last}" for last in range(1, number + 1))
    times = []
    for _ in range(7):
        started = time.monotonic()
        answers = ntp.ask_time(addresses, 3.0, servers.port)
        times.append(time.monotonic() - started)
        assert not any(answer.error for answer in answers)
    print(f"\n{number} servers: {statistics.median(times) / round_trip:.2f} round trips")
    assert min(times) < 1.2 * round_trip


SERVER = """
import socket, struct, sys, time
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind(("127.0.0.1", 0))
sock.setsockopt(socket.SOL_SOCKET, 35, 1)
print(sock.getsockname()[1], flush=True)
def stamp(ns):
    seconds, rest = divmod(ns, 10**9)
    return struct.pack(">II", (seconds + 2208988800) & 0xFFFFFFFF, (rest << 32) // 10**9)
while True:
    request, ancillary, _, client = sock.recvmsg(1024, 128)
    seconds, ns = struct.unpack("@ll", ancillary[0][2][:16])
    time.sleep(0.04)
    head = struct.pack(">BBbbII", 0x24, 2, 6, -23, 256, 256) + b"TEST" + stamp(time.time_ns())
    body = head + request[40:48] + stamp(seconds * 10**9 + ns)
    sock.sendto(body + stamp(time.time_ns()), client)
"""


def test_the_offset_is_right_while_the_interpreter_is_busy() -> None:
    """Another thread holds the interpreter for 50 ms at a time; the server is a process of its own."""
    import subprocess
    import sys

    process = subprocess.Popen([sys.executable, "-I", "-c", SERVER], stdout=subprocess.PIPE, text=True)
    stop = threading.Event()
    held: list[float] = []

    def hold() -> None:
        count = 100_000
        while not stop.is_set():
            started = time.perf_counter()
            sum(range(count))  # one call into C: nobody else runs until it is over
            took = time.perf_counter() - started
            held.append(took)
            count = max(1000, int(count * 0.05 / max(took, 1e-4)))

    try:
        assert process.stdout
        port = int(process.stdout.readline())
        ntp.ask_time(("127.0.0.1",), 2.0, port)
        thread = threading.Thread(target=hold, daemon=True)
        thread.start()
        time.sleep(0.3)
        errors = []
        for _ in range(15):
            server = read_answer(one(ntp.ask_time(("127.0.0.1",), 3.0, port)))
            assert server.rejected == ""
            errors.append(abs(server.ahead) * 1000)
    finally:
        stop.set()
        process.terminate()
        process.communicate()
    thread.join()
    print(
        f"\nheld {statistics.median(held[3:]) * 1000:.0f} ms at a time; offset error "
        f"median {statistics.median(errors):.3f} ms, largest {max(errors):.3f} ms"
    )
    assert statistics.median(held[3:]) > 0.03
    assert statistics.median(errors) < 1


@pytest.mark.parametrize(
    "no_stamps",
    [(), ("_SO_TIMESTAMPING",), ("_SO_TIMESTAMPING", "_SO_TIMESTAMPNS")],
    ids=["both ends", "receiving", "neither"],
)
def test_without_the_kernels_stamps_the_clock_is_read(
    servers: Servers, monkeypatch: pytest.MonkeyPatch, no_stamps: tuple[str, ...]
) -> None:
    for option in no_stamps:
        monkeypatch.setattr(ntp, option, 9999)
    servers.add("127.0.0.1", right, delay=0.01)
    server = read_answer(one(ntp.ask_time(("127.0.0.1",), 2.0, servers.port)))
    assert server.rejected == ""
    assert abs(server.ahead) < 0.005


def test_half_that_leads_nowhere_does_not_cost_the_whole_time(servers: Servers) -> None:
    half = [servers.add(f"127.0.0.{number}", right) for number in range(1, 5)]
    silent_half = [servers.add(f"127.0.0.{number}", silent) for number in range(5, 9)]
    started = time.monotonic()
    answers = ntp.ask_time((*half, *silent_half), 3.0, servers.port)
    assert time.monotonic() - started < 0.6
    assert sum(not answer.error for answer in answers) == 4


@pytest.mark.parametrize("ahead", [93.0, -93.0, 2.0, 1e9, -2e8])
def test_one_liar_of_any_size_changes_nothing(servers: Servers, ahead: float) -> None:
    honest = tuple(servers.add(f"127.0.0.{number}", right) for number in range(1, 4))
    liar = servers.add("127.0.0.9", shifted(ahead))
    clock = compare(ntp.ask_time((liar, *honest), 1.0, servers.port))
    assert {server.address for server in clock.agreeing} == set(honest)
    assert abs(clock.ahead) < 0.01
    judgement = judge_offset(clock)
    assert judgement.status == "pass"
    assert judgement.summary.endswith("of 3 time servers; 1 other says something else")


def test_two_against_two_is_unknown(servers: Servers) -> None:
    asked = [servers.add(f"127.0.0.{number}", right) for number in (1, 2)]
    asked += [servers.add(f"127.0.0.{number}", shifted(93)) for number in (3, 4)]
    clock = compare(ntp.ask_time(tuple(asked), 1.0, servers.port))
    assert clock.tied
    assert judge_offset(clock).status == "unknown"


def test_servers_150_ms_apart_agree_that_the_clock_is_right(servers: Servers) -> None:
    asked = [servers.add("127.0.0.1", right), servers.add("127.0.0.2", shifted(0.15))]
    judgement = judge_offset(compare(ntp.ask_time(tuple(asked), 1.0, servers.port)))
    assert (judgement.status, judgement.certainty) == ("pass", "inferred"), judgement


def test_no_socket_stays_open(servers: Servers) -> None:
    import os

    addresses = tuple(servers.add(f"127.0.0.{number}", right) for number in range(1, 4))
    ntp.ask_time(addresses, 1.0, servers.port)
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        ntp.ask_time((*addresses, "127.0.0.99", "no-such-name.invalid"), 0.2, servers.port)
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_flood_of_forged_packets_does_not_outlast_the_timeout(servers: Servers) -> None:
    times: list[float] = []
    # On a busy machine the flood holds the interpreter longer, though not every time.
    while not times or (min(times) >= 0.9 and len(times) < 4):
        times.append(_flooded(servers, f"127.0.0.{len(times) + 1}"))
    assert min(times) < 0.9


def _flooded(servers: Servers, address: str) -> float:
    """How long it takes to give up on a server that never stops answering."""
    stop = threading.Event()

    def flood(request: bytes, arrived: int) -> Iterator[bytes]:
        while not stop.is_set():
            yield reply(request, arrived, origin=b"guessed!")

    servers.add(address, flood)  # type: ignore[arg-type]
    started = time.monotonic()
    answer = one(ntp.ask_time((address,), 0.4, servers.port))
    took = time.monotonic() - started
    stop.set()
    assert read_answer(answer).rejected.startswith("wrong origin timestamp")
    return took
