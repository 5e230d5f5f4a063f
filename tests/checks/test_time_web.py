"""Where no time server answers: what web servers say of the time is red where it is far off, never green."""

import calendar
import time

import pytest

from mailcow_wizard.facts.store import Facts
from mailcow_wizard.facts.time_web import read_date, web_clocks
from mailcow_wizard.host.errors import HostError, NoAnswer
from mailcow_wizard.host.replies import HttpReply
from tests.checks.time_machine import NOW, Machine, judge, no_answer, several

FIRST, SECOND, SIXTH = "ip4.mailcow.email", "ip4.nevondo.com", "ip6.mailcow.email"
DAYS = 86_400.0


def page(ahead: float) -> HttpReply:
    """From a server of which this machine's clock is ahead by that many seconds."""
    there = time.gmtime(NOW - ahead)
    return HttpReply(200, b"192.0.2.7", time.strftime("%a, %d %b %Y %H:%M:%S GMT", there), NOW)


@pytest.mark.parametrize(
    ("aheads", "status", "certainty", "begins"),
    [
        ((40 * DAYS, 40 * DAYS), "fail", "inferred", "the clock is some 40.0 days ahead of web servers; "),
        ((-90.0, -91.0), "fail", "inferred", "the clock is some 91.0 s behind web servers; "),
        ((31.0, 31.0), "warn", "inferred", "the clock is some 30.5 s ahead of web servers; "),
        ((-10.0, -12.0), "warn", "inferred", "the clock is some 11.5 s behind web servers; "),
        ((3.0, 3.0), "unknown", "untested", "no time server answered"),
        ((0.0, 0.0), "unknown", "untested", "no time server answered"),
        ((40 * DAYS, 0.0), "unknown", "untested", "no time server answered"),
        ((40 * DAYS,), "unknown", "untested", "no time server answered"),
        ((), "unknown", "untested", "no time server answered"),
    ],
)
def test_judged(aheads: tuple[float, ...], status: str, certainty: str, begins: str) -> None:
    pages = dict(zip((FIRST, SECOND), map(page, aheads), strict=False))
    found = judge("time.offset", Machine(answers=(no_answer("no answer"),), pages=pages))
    assert (found.status, found.certainty) == (status, certainty)
    assert found.summary.startswith(begins)
    assert "no time server answered" in found.summary
    assert len(found.evidence) == 1 + len(aheads)
    agree = len(aheads) == 2 and aheads[0] == aheads[1]
    assert ("within seconds" in found.summary) == (agree and status == "unknown")
    assert found.severity == {"fail": "breaks", "warn": "degrades"}.get(status)


def test_not_asked_where_a_time_server_answers() -> None:
    machine = Machine(answers=several(0.001), pages={FIRST: page(40 * DAYS), SECOND: page(40 * DAYS)})
    assert judge("time.offset", machine).status == "pass"
    assert machine.fetched == []


def test_silence_ends_it_and_what_has_no_time_is_passed_over() -> None:
    silent = Machine(pages={FIRST: NoAnswer("nothing"), SIXTH: NoAnswer("nothing")})
    assert web_clocks(Facts(silent)) == ()
    assert silent.fetched == [FIRST, SIXTH]
    others = Machine(
        pages={FIRST: HostError("refused"), SECOND: HttpReply(200, b"", "yesterday", NOW), SIXTH: page(5.0)}
    )
    assert [one.name for one in web_clocks(Facts(others))] == [SIXTH]


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("Sun, 06 Nov 1994 08:49:37 GMT", (1994, 11, 6, 8, 49, 37)),
        ("Thu, 31 Dec 2037 23:59:60 GMT", (2037, 12, 31, 23, 59, 60)),
        ("", None),
        ("Sunday, 06-Nov-94 08:49:37 GMT", None),
        ("Sun, 06 Nov 1994 08:49:37", None),
        ("Sun, 06 Nov 1994 24:49:37 GMT", None),
        ("Sun, 06 Nov 1994 08:60:37 GMT", None),
        ("Sun, 32 Nov 1994 08:49:37 GMT", None),
        ("Sun, 06 Nov 1969 08:49:37 GMT", None),
        ("Sun, ٠٦ Nov 1994 08:49:37 GMT", None),
    ],
)
def test_read_date(text: str, means: tuple[int, ...] | None) -> None:
    assert read_date(text) == (None if means is None else calendar.timegm(means))
