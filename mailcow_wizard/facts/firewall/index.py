"""Which rules of a chain may concern a packet: of thousands for one address or port each, few do.

A rule is left out only where a test of its own, asked before it does anything, says no: what a walk comes to
is the same with all of them. Whatever cannot be told is in.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence

from mailcow_wizard.facts.firewall.packet import Absent, Packet, property_of
from mailcow_wizard.facts.firewall.statements import Key, Rule, Span, Test
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TypeAlias

    from mailcow_wizard.facts.firewall.packet import Property
    from mailcow_wizard.facts.firewall.statements import Row

    Rows: TypeAlias = tuple[Row, ...]

# What stays as it is while a packet walks through one base chain.
_NUMBERS = (
    *("ip saddr", "ip6 saddr", "ip daddr", "ip6 daddr"),
    *("dport", "sport", "tcp dport", "tcp sport", "udp dport", "udp sport"),
)
_NAMES = ("iif", "oif")


class Indexes:
    """The indexes of chains that were asked for, each made once for all walks."""

    def __init__(self) -> None:
        self._known: dict[int, Indexed] = {}

    def of(self, rules: tuple[Rule, ...]) -> Indexed:
        """The index of these rules, which keeps them alive, so that nothing else gets their id."""
        found = self._known.get(id(rules))
        if found is None:
            found = self._known[id(rules)] = Indexed(rules)
        return found


class Indexed:
    """The rules of a chain, by what each asks for that most others do not."""

    def __init__(self, rules: tuple[Rule, ...]) -> None:
        self._rules = rules  # kept alive, and with them their id
        self._always: list[int] = []
        by_key: dict[str, list[tuple[int, Rows]]] = {}
        asked = [_telling(rule) for rule in rules]
        spread = _spread(asked)
        for number, tests in enumerate(asked):
            if tests:
                name = max(tests, key=spread.__getitem__)
                by_key.setdefault(name, []).append((number, tests[name]))
            else:
                self._always.append(number)
        self._groups: list[tuple[Key, _Spans | _Words]] = [
            (Key(name), _Spans(group) if name in _NUMBERS else _Words(group))
            for name, group in by_key.items()
        ]

    def concerned(self, packet: Packet) -> Sequence[int]:
        """The places of all rules that may concern the packet, in order."""
        found: set[int] = set()
        for key, group in self._groups:
            asked = property_of(key, packet)
            if not isinstance(asked, Absent):
                found.update(group.meeting(asked))
        return sorted(found.union(self._always)) if found else self._always


def _telling(rule: Rule) -> dict[str, Rows]:
    """What the rule asks for before it does anything, by property; a rule says no where one of them does."""
    found: dict[str, Rows] = {}
    for one in rule.statements:
        if not isinstance(one, Test):
            break
        key = one.keys[0]
        if one.negated or one.listed or key.mask or len(one.keys) != 1:
            continue
        if key.name in _NUMBERS:
            tells = all(len(row) == 1 and isinstance(row[0], Span) for row in one.rows)
        else:
            tells = key.name in _NAMES and all(len(row) == 1 and _is_one_name(row[0]) for row in one.rows)
        if tells:
            found[key.name] = one.rows
    return found


def _is_one_name(value: object) -> bool:
    return isinstance(value, str) and not value.endswith("*")


def _spread(asked: list[dict[str, Rows]]) -> Mapping[str, int]:
    """How many different values each property is compared with."""
    values: dict[str, set[Rows]] = {}
    for tests in asked:
        for name, rows in tests.items():
            values.setdefault(name, set()).add(rows)
    return {name: len(some) for name, some in values.items()}


class _Spans:
    """Places of rules by the numbers that they ask for."""

    def __init__(self, group: list[tuple[int, Rows]]) -> None:
        self._all = [number for number, _rows in group]
        spans = sorted(
            (*row[0], number) for number, rows in group for row in rows if isinstance(row[0], Span)
        )
        self._firsts = [one[0] for one in spans]
        self._spans = spans
        self._reach: list[int] = []
        furthest = -1
        for _first, last, _number in spans:
            furthest = max(furthest, last)
            self._reach.append(furthest)

    def meeting(self, asked: Property) -> list[int]:
        """Those with a number that the packet's property may be."""
        if not isinstance(asked, Span):
            return self._all
        found = []
        place = bisect_right(self._firsts, asked.last) - 1
        while place >= 0 and self._reach[place] >= asked.first:
            _first, last, number = self._spans[place]
            if last >= asked.first:
                found.append(number)
            place -= 1
        return found


class _Words:
    """Places of rules by the names that they ask for."""

    def __init__(self, group: list[tuple[int, Rows]]) -> None:
        self._all = [number for number, _rows in group]
        self._by_name: dict[str, list[int]] = {}
        for number, rows in group:
            for row in rows:
                self._by_name.setdefault(str(row[0]), []).append(number)

    def meeting(self, asked: Property) -> list[int]:
        """Those with one of the names that the packet's property may be."""
        if not isinstance(asked, frozenset):
            return self._all
        return [number for name in asked for number in self._by_name.get(name, ())]
