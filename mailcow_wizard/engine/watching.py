"""Waiting until records are right: which are waited for, and when each is asked again. Pure.

Moments are seconds of any clock that does not jump, the same one for all calls.
"""

from __future__ import annotations

from collections.abc import Sequence

from mailcow_wizard.facts.dns.published import is_answer
from mailcow_wizard.facts.dns.standing import Standing, standings
from mailcow_wizard.facts.dns.table import Row, is_sender
from mailcow_wizard.typed import NamedTuple

AT_MOST_EVERY_S = 5.0
"""No server is asked for the same record more often."""
AT_LEAST_EVERY_S = 30.0
# What is published takes seconds to show, or hours: the longer it takes, the less often one looks.
_SLOWER_BY = 12.0
# A cache lets go of a record in the second after its last.
_AFTER_THE_LAST_S = 1.0
# Rows that are due almost now are asked with those that are: one round instead of two.
_TOGETHER_S = 1.0


class Watch(NamedTuple):
    """The table's rows, when each was heard, and when the waiting began."""

    rows: tuple[Row, ...]
    heard: tuple[float, ...]
    begun: float


def begin(rows: Sequence[Row], now: float) -> Watch:
    """A watch over rows that were asked just now."""
    return Watch(tuple(rows), (now,) * len(rows), now)


def taken(watch: Watch, answers: Sequence[Row], now: float) -> Watch:
    """The watch with what was heard of some of its rows; those it does not have are left out."""
    new = {key(one): one for one in answers}
    return watch._replace(
        rows=tuple(new.get(key(one), one) for one in watch.rows),
        heard=tuple(now if key(one) in new else at for one, at in zip(watch.rows, watch.heard, strict=True)),
    )


def only(watch: Watch, domains: Sequence[str]) -> Watch:
    """The watch over the rows of these domains."""
    kept = [
        (row, at) for row, at in zip(watch.rows, watch.heard, strict=True) if row.expected.domain in domains
    ]
    return watch._replace(rows=tuple(row for row, _ in kept), heard=tuple(at for _, at in kept))


def key(row: Row) -> tuple[str, ...]:
    """What a row stays the same by when it is asked again: its note may be another one then, and what an SPF
    record is to be, which keeps whom it names by then."""
    expected = row.expected
    value = "" if is_sender(expected) else expected.value
    return (expected.domain, expected.name, expected.type, value)


def holds_up(row: Row) -> bool:
    """Whether the waiting goes on because of a row.

    An optional record does only while it is on its way, and one whose value is not known yet only where
    something else is in its place.
    """
    kind = row.state.kind
    if kind == "right" or (kind == "missing" and not row.expected.value):
        return False
    return row.expected.level != "optional" or kind == "not everywhere yet"


def waiting(watch: Watch) -> tuple[Row, ...]:
    """The rows that hold it up; none when all is right."""
    return tuple(one for one in watch.rows if holds_up(one))


def due(watch: Watch, now: float) -> tuple[Row, ...]:
    """The rows to ask at this moment; none before the first of them is due."""
    moments = _moments(watch)
    if not any(at <= now for at, _ in moments):
        return ()
    return tuple(row for at, row in moments if at <= now + _TOGETHER_S)


def next_moment(watch: Watch) -> float | None:
    """When rows are due next; None where nothing is asked any more."""
    return min((at for at, _ in _moments(watch)), default=None)


def _moments(watch: Watch) -> list[tuple[float, Row]]:
    return [
        (heard + pause(row, heard - watch.begun), row)
        for row, heard in zip(watch.rows, watch.heard, strict=True)
        if row.state.kind != "right"
    ]


def pause(row: Row, waited: float) -> float:
    """For how many seconds after an answer a row is left alone, `waited` seconds after the waiting began."""
    if not holds_up(row) or row.state.kind == "could not ask":
        return AT_LEAST_EVERY_S
    if _published(row):
        # Only caches are behind: nothing changes before the first of them lets go.
        left = [one.left for one in standings(row.seen, row.right) if one.stands in ("wrong", "missing")]
        return _within(min(left, default=0) + _AFTER_THE_LAST_S)
    return _within(waited / _SLOWER_BY)


def _within(seconds: float) -> float:
    return max(AT_MOST_EVERY_S, min(seconds, AT_LEAST_EVERY_S))


def _published(row: Row) -> bool:
    """Whether all of the zone's own servers that answer have the record right."""
    own = [one for one in row.seen.own if is_answer(one)]
    stands = [one.stands for one in standings(row.seen, row.right) if one.whose == "zone"]
    return bool(own) and all(one in ("right", "silent") for one in stands)


def left(standing: Standing, heard: float, now: float) -> int:
    """For how many seconds from now a server may still keep what is not right, as it told at `heard`."""
    return max(0, standing.left - int(now - heard))
