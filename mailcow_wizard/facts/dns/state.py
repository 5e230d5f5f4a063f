"""The state of one record in the world, from what each server said of it. Pure."""

from __future__ import annotations

from collections.abc import Callable

from mailcow_wizard.facts.dns.message import Answer
from mailcow_wizard.facts.dns.published import Seen, is_answer, values_at
from mailcow_wizard.numerals import whole
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Literal

    Kind = Literal["right", "wrong", "missing", "not everywhere yet", "split view", "could not ask"]

    Right = Callable[[tuple[str, ...]], bool]


# Of these what is at the end of an alias counts, too (PTR: RFC 2317; TLSA: RFC 7671; CAA: RFC 8659, 3;
# MX: RFC 5321, 5.1).
_BEYOND = ("TXT", "A", "AAAA", "PTR", "SRV", "TLSA", "CAA", "MX")
_ADDRESSES = ("A", "AAAA")


class State(NamedTuple):
    """One of six states. `left` is the longest time in seconds that a cache may keep what is not right, and
    `where` the servers that do not have it right (or, of a split view, this machine's resolver)."""

    kind: Kind
    left: int = 0
    where: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether the world has it right, whatever this machine's own resolver says."""
        return self.kind in ("right", "split view")


def state(seen: Seen, right: Right) -> State:
    """What became of a record; `right` judges the values that one server has, none where it has no record."""
    own = [one for one in seen.own if is_answer(one)]
    if not own:
        return _of_resolvers(seen, right)
    good = [one for one in own if right(given(seen, one))]
    if not good and seen.type in _BEYOND and all(_leads_away(seen, one) for one in own):
        beyond = _of_resolvers(seen, right)
        return State("wrong") if beyond.kind == "missing" else beyond
    if not good:
        return State("wrong" if seen.exists else "missing")
    late = [one for one in own if one not in good]
    if late:
        return State("not everywhere yet", longest(seen, late), tuple(one.server for one in late))
    behind = [one for one in seen.public if is_answer(one) and not right(given(seen, one))]
    if behind:
        return State("not everywhere yet", longest(seen, behind), tuple(one.server for one in behind))
    if seen.local and is_answer(seen.local) and not right(given(seen, seen.local)):
        return State("split view", longest(seen, [seen.local]), (seen.local.server,))
    return State("right")


def _of_resolvers(seen: Seen, right: Right) -> State:
    """As far as resolvers tell, where the zone's own servers are out of reach."""
    heard = [one for one in (*seen.public, seen.local) if one and is_answer(one)]
    if not heard:
        return State("could not ask")
    good = [one for one in heard if right(given(seen, one))]
    if len(good) == len(heard):
        return State("right")
    if good:
        late = [one for one in heard if one not in good]
        return State("not everywhere yet", longest(seen, late), tuple(one.server for one in late))
    return State("wrong" if any(values(seen, one) for one in heard) else "missing")


def values(seen: Seen, heard: Answer) -> tuple[str, ...]:
    """The values that one answer has for the record that was looked for, at its name or through an alias."""
    here = values_at(heard, seen.name, seen.type)
    if here:
        return here
    return heard.values(seen.type) if values_at(heard, seen.name, "CNAME") else ()


def given(seen: Seen, heard: Answer) -> tuple[str, ...]:
    """The values of one answer by which it is judged: of an address's name that is an alias, at whose end
    this server knows of none, the alias's target; that tells it from a server that lacks the name."""
    found = values(seen, heard)
    return found if found or seen.type not in _ADDRESSES else values_at(heard, seen.name, "CNAME")


def ends(seen: Seen) -> tuple[Answer, ...]:
    """The answers that tell what the record is: those that count, and of an alias that leaves the zone those
    of resolvers, who follow it; none where nobody could be asked what is at its end."""
    if seen.answered and all(_leads_away(seen, one) for one in seen.answered):
        return tuple(one for one in (*seen.public, seen.local) if one and is_answer(one))
    return seen.answered


def texts(seen: Seen) -> tuple[str, ...]:
    """Every value at the name or at the end of the alias that it is, each once."""
    return tuple(dict.fromkeys(value for one in ends(seen) for value in values(seen, one)))


def at_once(seen: Seen, kept: Callable[[tuple[str, ...]], tuple[str, ...]]) -> tuple[str, ...]:
    """Of the values that are `kept`, those of the server that has most: servers of one zone may be a version
    apart, and then a record that each has once is not there twice."""
    return max((kept(values(seen, one)) for one in ends(seen)), key=len, default=())


def _leads_away(seen: Seen, heard: Answer) -> bool:
    """Whether a server knows the name as an alias, and not what is at its end."""
    return bool(values_at(heard, seen.name, "CNAME")) and not values(seen, heard)


def longest(seen: Seen, some: list[Answer]) -> int:
    """The longest time in seconds that one of these answers may be kept in a cache."""
    kept = [one.ttl for heard in some for one in heard.records if one.name == seen.name]
    kept += [
        min(one.ttl, _minimum(one.value)) for heard in some for one in heard.authority if one.type == "SOA"
    ]
    return max(kept, default=0)


def _minimum(soa: str) -> int:
    """The time for which a missing record is remembered (RFC 2308, 5): the last number of the SOA."""
    last = soa.rpartition(" ")[2]
    return whole(last)
