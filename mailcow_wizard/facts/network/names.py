"""Names of others, looked up as programs on this machine would, and at public resolvers where its own do not
answer: a dead resolver must not hide whether a port is blocked."""

from __future__ import annotations

import time

from mailcow_wizard.facts.dns.message import NOERROR, NXDOMAIN, Answer, answer
from mailcow_wizard.facts.dns.resolvers import public_resolvers, system_resolvers
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.door import DnsQuestion, HostError
from mailcow_wizard.typed import NamedTuple

WAIT_S = 1.2
WHOLE_S = 4.0
"""All that looks outward may take this long: names first, the rest is for the attempts."""
_LEAST_S = 1.6  # a lost SYN is sent again after one second
_ANYWHERE = {4: "192.0.32.8", 6: "2620:0:2d0:200::8"}


class Looked(NamedTuple):
    """A name's addresses, or why there are none. `elsewhere`: this machine's own resolvers did not know it,
    public ones did."""

    name: str
    v4: tuple[str, ...] = ()
    v6: tuple[str, ...] = ()
    trouble: str = ""
    elsewhere: bool = False

    def of(self, family: int) -> tuple[str, ...]:
        """The addresses of one family."""
        return self.v6 if family == 6 else self.v4


class Clock:
    """How much of the whole time is left."""

    def __init__(self) -> None:
        self._begun = time.monotonic()

    @property
    def left(self) -> float:
        """Seconds for what comes next."""
        return max(_LEAST_S, WHOLE_S - (time.monotonic() - self._begun))


def own_address(facts: Facts, family: int) -> str:
    """The address that packets of a family leave this machine with; empty: there is no way out."""
    try:
        return facts.host.source_address(_ANYWHERE[family])
    except HostError:
        return ""


def families(facts: Facts) -> tuple[int, ...]:
    """The families that this machine has an address and a route for."""
    return tuple(one for one in (4, 6) if facts.get(own_address, one))


def ask(facts: Facts, asked: tuple[tuple[str, str], ...]) -> tuple[tuple[Answer, bool], ...]:
    """The answer to each name and type, and whether only public resolvers had one; all asked at once."""
    try:
        own = system_resolvers(facts)
    except HostError:
        own = ()
    public = public_resolvers(facts)
    sets = [one for one in dict.fromkeys((own, public)) if one]
    questions = tuple(DnsQuestion(name, type, servers) for name, type in asked for servers in sets)
    heard = [answer(one) for one in facts.host.ask_dns(questions, WAIT_S)] if questions else []
    found = []
    for place in range(len(asked)):
        row = heard[place * len(sets) : (place + 1) * len(sets)]
        good = next((one for one in row if one.code in (NOERROR, NXDOMAIN)), row[0])
        found.append((good, len(row) > 1 and good is not row[0]))
    return tuple(found)


def look_up(facts: Facts, names: tuple[str, ...], of: tuple[int, ...] = (4, 6)) -> dict[str, Looked]:
    """The addresses of names, of these families."""
    names = tuple(dict.fromkeys(names))
    types = {4: "A", 6: "AAAA"}
    asked = tuple((name, types[family]) for name in names for family in of)
    heard = ask(facts, asked) if asked else ()
    found = {}
    for place, name in enumerate(names):
        rows = heard[place * len(of) : (place + 1) * len(of)]
        addresses = {family: row[0].values(types[family]) for family, row in zip(of, rows, strict=True)}
        found[name] = Looked(
            name,
            addresses.get(4, ()),
            addresses.get(6, ()),
            "" if any(addresses.values()) else _trouble([row[0] for row in rows]),
            any(row[1] for row in rows),
        )
    return found


def _trouble(heard: list[Answer]) -> str:
    """Why a name has no address."""
    if any(one.code == NXDOMAIN for one in heard):
        return "there is no such name"
    if any(one.code == NOERROR for one in heard):
        return "the name has no address"
    first = heard[0] if heard else Answer("", "")
    if first.code:
        return f"the resolver says {first.code}{f' ({first.explained})' if first.explained else ''}"
    return f"no resolver answers ({first.error or 'none was asked'})"
