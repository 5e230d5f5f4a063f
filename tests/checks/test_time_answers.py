"""Time servers' packets: which of them count, and who agrees."""

import pytest

from mailcow_wizard.checks.time import CHECKS
from mailcow_wizard.checks.time_offset import judge_offset
from mailcow_wizard.facts.time_answers import (
    compare,
    largest_group,
    median,
    nanoseconds,
    read_answer,
    voters,
)
from mailcow_wizard.host.replies import TimeAnswer
from tests.checks.time_machine import NOW, UNIX_TO_NTP, answer, no_answer, several, stamp

pytestmark = pytest.mark.timed


def test_ids_and_order() -> None:
    assert [check.id for check in CHECKS] == ["time.offset", "time.service", "time.timezone", "time.rtc"]
    assert [check.network for check in CHECKS] == [True, False, False, False]
    for check in CHECKS:
        assert check.needed
        assert check.why
        assert check.doc.startswith("https://")


@pytest.mark.parametrize("ahead", [0.0, 0.5, -0.5, 93.0, -93.0, 86400.0 * 365, -86400.0 * 365])
def test_ahead_and_delay(ahead: float) -> None:
    server = read_answer(answer(ahead=ahead, delay=0.2))
    assert server.rejected == ""
    assert server.ahead == pytest.approx(ahead, abs=1e-5)
    assert server.error == pytest.approx(0.115, abs=0.001)


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        (answer()._replace(packet=b"x" * 47), "truncated: 47 bytes instead of 48"),
        (answer()._replace(packet=b""), "truncated: 0 bytes instead of 48"),
        (answer(origin=b"somebody"), "wrong origin timestamp"),
        (answer(origin=bytes(8)), "wrong origin timestamp"),
        (answer(first=0x23), "not a server's answer (mode 3 instead of 4)"),
        (answer(first=0x26), "not a server's answer (mode 6 instead of 4)"),
        (answer(stratum=0, code=b"RATE"), "kiss-of-death RATE: it is asked too often"),
        (answer(stratum=0, code=b"DENY", first=0xE4), "kiss-of-death DENY: it refuses this machine"),
        (answer(stratum=0, code=b"RSTR"), "kiss-of-death RSTR: it refuses this machine"),
        (answer(stratum=0, code=b"XYZ\0"), "kiss-of-death XYZ"),
        (answer(stratum=0, code=b"INIT", first=0xE4), "not synchronised itself (kiss-of-death INIT"),
        (answer(stratum=0, code=b"STEP", first=0xE4), "not synchronised itself (kiss-of-death STEP"),
        (answer(stratum=0, code=bytes(4), first=0xE4), "not synchronised itself (it says so: leap bits 3)"),
        (answer(stratum=0, code=bytes(4)), "not synchronised itself (stratum 0)"),
        (answer(stratum=0, code=b"\x1b[2J"), "not synchronised itself (stratum 0)"),
        (answer(first=0xE4), "not synchronised itself (it says so: leap bits 3)"),
        (answer(stratum=16), "not synchronised itself (stratum 16"),
        (answer(transmit=bytes(8)), "transmit timestamp is zero"),
        (answer(receive=bytes(8)), "receive timestamp is zero"),
        (answer(dispersion=3.1), "too far from a reference clock (root distance 3.1 s)"),
        (answer(root_delay=6.2), "too far from a reference clock (root distance 3.1 s)"),
        (answer(receive=stamp(NOW - 5)), "impossible times: it claims to have worked longer"),
        (answer(receive=stamp(NOW + 5)), "impossible times: it claims to have answered before"),
        (
            answer(receive=stamp(NOW + 1000), transmit=stamp(NOW - 1000)),
            "impossible times: it claims to have answered before",
        ),
        (answer(receive=b"\0\0\0\1\0\0\0\0"), "impossible times"),
        (answer(transmit=b"\0\0\0\1\0\0\0\0"), "impossible times"),
        (answer(receive=stamp(NOW + 0.02 + 0.011)), "impossible times"),
        (no_answer("refused"), "refused"),
    ],
)
def test_packets_that_do_not_count(one: TimeAnswer, reason: str) -> None:
    server = read_answer(one)
    assert server.rejected.startswith(reason)
    assert server.answered == (not one.error)


@pytest.mark.parametrize("apart", [-0.049, -0.02, 0.0, 0.009])
def test_stamps_a_little_apart_are_possible(apart: float) -> None:
    assert read_answer(answer(receive=stamp(NOW + 0.02 + apart))).rejected == ""


@pytest.mark.parametrize("first", [0x24, 0x64, 0xA4, 0x1C])
def test_leap_seconds_announced_and_version_3_count(first: int) -> None:
    assert read_answer(answer(first=first)).rejected == ""


@pytest.mark.parametrize("stratum", [1, 15])
def test_strata_that_count(stratum: int) -> None:
    assert read_answer(answer(stratum=stratum)).stratum == stratum


def test_the_seconds_of_ntp_wrap_in_2036() -> None:
    wrap = (1 << 32) - UNIX_TO_NTP
    assert nanoseconds(bytes(8)) == wrap * 10**9
    assert nanoseconds(b"\xff" * 4 + b"\x80\0\0\0") == (wrap - 1) * 10**9 + 500_000_000
    for now in (wrap - 0.01, wrap + 0.0, wrap + 12345.0):
        server = read_answer(answer(now=now, delay=0.04, ahead=93.0))
        assert server.ahead == pytest.approx(93.0, abs=1e-5)
    machine_at_1970 = read_answer(answer(now=100.0, ahead=100.0 - wrap - 5.0))
    assert machine_at_1970.ahead == pytest.approx(100.0 - wrap - 5.0, abs=1e-4)


# --- offset: who agrees -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("aheads", "agreeing", "ahead"),
    [
        ((), 0, 0.0),
        ((0.003,), 1, 0.003),
        ((0.0, 0.004), 2, 0.002),
        ((0.0, 0.004, 0.02), 3, 0.004),
        ((0.0, 0.001, 93.0), 2, 0.0005),
        ((-1e9, 0.0, 0.001), 2, 0.0005),
        ((93.0, 93.001, 0.0), 2, 93.0005),
        ((0.0, 0.09, 0.18, 0.27), 4, 0.135),
        ((0.0, 10.0, 20.0, 20.01), 2, 20.005),
    ],
)
def test_the_median_of_the_largest_group(aheads: tuple[float, ...], agreeing: int, ahead: float) -> None:
    clock = compare(several(*aheads))
    assert len(clock.agreeing) == agreeing
    assert not clock.tied
    assert clock.ahead == pytest.approx(ahead, abs=1e-4)


@pytest.mark.parametrize("aheads", [(0.0, 93.0), (0.0, 0.001, 93.0, 93.001), (0.0, 5.0, 10.0)])
def test_equally_many_on_each_side(aheads: tuple[float, ...]) -> None:
    clock = compare(several(*aheads))
    assert clock.tied
    assert clock.agreeing == ()
    judgement = judge_offset(clock)
    assert judgement.status == "unknown"
    assert "disagree" in judgement.summary


def test_a_liar_that_claims_to_know_nothing_for_sure_cannot_join_everybody() -> None:
    liar = answer("liar.example", 2.0, dispersion=2.9, address="192.0.2.99")
    clock = compare((liar, *several(0.0, 0.001)))
    assert len(clock.agreeing) == 2
    assert abs(clock.ahead) < 0.01


def test_one_daemon_over_both_families_has_one_voice() -> None:
    both = [answer("dual.example", 93.0, address=address) for address in ("192.0.2.50", "2001:db8::50")]
    clock = compare((*both, *several(0.0, 0.001)))
    assert not clock.tied
    assert abs(clock.ahead) < 0.01
    assert len(voters(clock.servers)) == 3


def test_another_name_with_the_same_identity_keeps_its_voice() -> None:
    servers = [read_answer(answer(name)) for name in ("a.example", "b.example")]
    assert len(voters(servers)) == 2


def test_nobody() -> None:
    assert largest_group(()) == ((), False)
    assert median(()) == 0.0
    assert median((3.0, 1.0, 2.0)) == 2.0
