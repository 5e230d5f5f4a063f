"""Waiting for records: what is waited for, when each is asked again, what is left of a cache's time."""

import pytest

from mailcow_wizard.engine import watching
from mailcow_wizard.engine.watching import AT_LEAST_EVERY_S, AT_MOST_EVERY_S
from mailcow_wizard.facts.dns.delegation import NameServer, Zone
from mailcow_wizard.facts.dns.expected import Expected
from mailcow_wizard.facts.dns.message import NOERROR, Answer
from mailcow_wizard.facts.dns.published import Seen
from mailcow_wizard.facts.dns.standing import standings
from mailcow_wizard.facts.dns.state import state
from mailcow_wizard.facts.dns.table import Row
from mailcow_wizard.facts.dns.wire import Record

NAME, GOOD, BAD = "mail.example.org", "192.0.2.1", "192.0.2.9"
ZONE = Zone(
    "example.org",
    (
        NameServer("ns1.example.net", ("192.0.2.53", "2001:db8::53")),
        NameServer("ns2.example.net", ("192.0.2.54",)),
    ),
)
SOA = Record("example.org", "SOA", 900, "ns1.example.net. hostmaster.example.net. 1 3600 900 604800 60")


def says(server: str, what: str, ttl: int = 300) -> Answer:
    """A server's answer: an address, `none`, or nothing at all (`silence`)."""
    if what == "silence":
        return Answer(server, "", error="no answer")
    if what == "none":
        return Answer(server, NOERROR, authoritative=True, authority=(SOA._replace(ttl=ttl),))
    return Answer(server, NOERROR, authoritative=True, records=(Record(NAME, "A", ttl, what),))


def row(
    own: tuple[str, ...],
    public: tuple[tuple[str, int], ...] = (),
    local: tuple[str, int] | None = None,
    level: str = "required",
    value: str = GOOD,
) -> Row:
    """A record as each server has it."""
    seen = Seen(
        NAME,
        "A",
        ZONE,
        tuple(says(address, one) for address, one in zip(("192.0.2.53", "192.0.2.54"), own, strict=False)),
        tuple(says(f"9.9.9.{n}", what, ttl) for n, (what, ttl) in enumerate(public)),
        says("127.0.0.1", *local) if local else None,
    )

    def right(values: tuple[str, ...]) -> bool:
        return values == (GOOD,)

    expected = Expected("example.org", NAME, "A", value, level)  # type: ignore[arg-type]
    return Row(expected, seen, state(seen, right), right)


RIGHT = row((GOOD, GOOD), ((GOOD, 100),), (GOOD, 100))
MISSING = row(("none", "none"))
WRONG = row((BAD, BAD), ((BAD, 100),))
HALF = row((GOOD, BAD))
CACHED = row((GOOD, GOOD), ((GOOD, 100), (BAD, 12), ("none", 900)), (BAD, 250))


@pytest.mark.parametrize(
    ("one", "kind", "waits"),
    [
        (RIGHT, "right", False),
        (MISSING, "missing", True),
        (WRONG, "wrong", True),
        (HALF, "not everywhere yet", True),
        (CACHED, "not everywhere yet", True),
        (row((GOOD, GOOD), (), (BAD, 30)), "split view", True),
        (row(("silence", "silence")), "could not ask", True),
        (row(("none", "none"), level="recommended"), "missing", True),
        (row(("none", "none"), level="optional"), "missing", False),
        (row((BAD, BAD), level="optional"), "wrong", False),
        (row((GOOD, BAD), level="optional"), "not everywhere yet", True),
        (row(("none", "none"), value=""), "missing", False),
        (row((BAD, BAD), value=""), "wrong", True),
    ],
)
def test_what_is_waited_for(one: Row, kind: str, waits: bool) -> None:
    assert one.state.kind == kind
    assert watching.holds_up(one) is waits
    assert bool(watching.waiting(watching.begin([one], 0.0))) is waits


@pytest.mark.parametrize(
    ("one", "waited", "seconds"),
    [
        (MISSING, 0.0, AT_MOST_EVERY_S),
        (MISSING, 60.0, 5.0),
        (MISSING, 120.0, 10.0),
        (MISSING, 3600.0, AT_LEAST_EVERY_S),
        (HALF, 0.0, AT_MOST_EVERY_S),
        (WRONG, 0.0, AT_MOST_EVERY_S),
        (CACHED, 0.0, 13.0),  # the first cache lets go after 12 s
        (CACHED, 3600.0, 13.0),
        (row((GOOD, GOOD), ((BAD, 4000),)), 0.0, AT_LEAST_EVERY_S),
        (row((GOOD, GOOD), ((BAD, 1),)), 0.0, AT_MOST_EVERY_S),
        (row((GOOD, GOOD), (("none", 900),)), 0.0, AT_LEAST_EVERY_S),  # 60 s, the SOA's minimum
        (row((GOOD, "silence"), ((BAD, 19),)), 0.0, 20.0),
        (row(("silence", "silence")), 0.0, AT_LEAST_EVERY_S),
        (row(("none", "none"), level="optional"), 0.0, AT_LEAST_EVERY_S),
    ],
)
def test_when_a_record_is_asked_again(one: Row, waited: float, seconds: float) -> None:
    assert watching.pause(one, waited) == seconds
    assert AT_MOST_EVERY_S <= watching.pause(one, waited) <= AT_LEAST_EVERY_S


def test_only_what_is_not_right_is_asked_and_only_when_it_is_due() -> None:
    watch = watching.begin([RIGHT, named("a", MISSING), named("b", CACHED)], 100.0)
    assert watching.due(watch, 104.9) == ()
    assert watching.next_moment(watch) == 105.0
    assert [one.expected.name for one in watching.due(watch, 105.0)] == ["a"]
    watch = watching.taken(watch, [named("a", HALF)], 105.2)
    assert watching.next_moment(watch) == 110.2
    # Due within the next second: asked in the same round.
    assert [one.expected.name for one in watching.due(watch, 112.5)] == ["a", "b"]
    watch = watching.taken(watch, [named("a", RIGHT), named("b", RIGHT)], 112.6)
    assert watching.waiting(watch) == ()
    assert watching.next_moment(watch) is None
    assert watching.due(watch, 9999.0) == ()


def named(name: str, one: Row) -> Row:
    """The same record at another name."""
    return one._replace(expected=one.expected._replace(name=name))


def test_what_is_not_watched_is_left_out_and_domains_can_be() -> None:
    watch = watching.begin([named("a", MISSING), named("b", MISSING)], 0.0)
    assert watching.taken(watch, [named("c", RIGHT)], 5.0) == watch
    assert watching.only(watch, ("", "example.net")).rows == ()
    assert watching.only(watch, ("", "example.org")) == watch


def test_a_row_that_is_heard_later_is_due_later() -> None:
    watch = watching.taken(
        watching.begin([named("a", MISSING), named("b", MISSING)], 0.0), [named("b", MISSING)], 4.0
    )
    assert [one.expected.name for one in watching.due(watch, 5.0)] == ["a"]
    assert watch.heard == (0.0, 4.0)


def test_how_a_record_stands_at_each_server() -> None:
    stand = standings(CACHED.seen, CACHED.right)
    assert [(one.name, one.whose, one.stands, one.left) for one in stand] == [
        ("ns1.example.net", "zone", "right", 0),
        ("ns2.example.net", "zone", "right", 0),
        ("", "public", "right", 0),
        ("", "public", "wrong", 12),
        ("", "public", "missing", 60),
        ("", "local", "wrong", 250),
    ]
    half = standings(row((BAD, "silence")).seen, HALF.right)
    assert [(one.stands, one.left, one.values) for one in half] == [
        ("wrong", 0, (BAD,)),
        ("silent", 0, ("no answer",)),
    ]


def test_the_time_left_goes_down_to_none() -> None:
    one = standings(CACHED.seen, CACHED.right)[3]
    assert [watching.left(one, 50.0, now) for now in (50.0, 50.9, 51.0, 61.5, 62.0, 900.0)] == [
        12,
        12,
        11,
        1,
        0,
        0,
    ]
