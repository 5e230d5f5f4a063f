"""What stops together with units, and what would start them again."""

from __future__ import annotations

from collections.abc import Iterable

from mailcow_wizard.facts.protected_services import is_way_in
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.facts.units import Unit, is_only_linked, units
from mailcow_wizard.language import _

# How many steps away a unit is still looked for: chains are short, and a loop must end.
_DEPTH = 8


def dependants(facts: Facts, found: Iterable[Unit], unlinked: Iterable[Unit] = ()) -> tuple[Unit, ...]:
    """The further units that systemd stops with these, and with those, whether they run or not.

    `unlinked` are those of them that are disabled first, which takes the links to them away. Raises
    HostError.
    """
    every = {one.id: one for one in found}
    loose = {one.id for one in unlinked}
    own = set(every)
    waiting = list(every.values())
    for _unused in range(_DEPTH):
        names = (name for one in waiting for name in _stopped_with(facts, one, one.id in loose))
        waiting = list(units(facts, tuple(dict.fromkeys(one for one in names if one not in every))))
        every |= {one.id: one for one in waiting}
        if not waiting:
            break
    return tuple(one for name, one in every.items() if name not in own and one.load == "loaded")


def _stopped_with(facts: Facts, unit: Unit, unlinked: bool) -> list[str]:
    return [
        other
        for other in unit.stops
        if not is_part(other, unit.id) and not (unlinked and _is_loose(facts, unit, other))
    ]


def _is_loose(facts: Facts, unit: Unit, other: str) -> bool:
    return other in unit.needed_by and is_only_linked(facts, unit, other)


def is_part(other: str, unit: str) -> bool:
    """Whether it is an instance that the unit starts and stops as its own: postfix@-.service."""
    return unit.endswith(".service") and other.startswith(f"{unit.removesuffix('.service')}@")


def starters(facts: Facts, unit: Unit, every: Iterable[Unit]) -> tuple[Unit, ...]:
    """The units besides `every` that start this one along with themselves although it is disabled, and that
    run or are started by something. Raises HostError."""
    known = {one.id for one in every}
    names = [one for one in unit.pulled_by if one not in known and not is_only_linked(facts, unit, one)]
    return tuple(
        one
        for one in units(facts, tuple(names))
        if one.active or one.enabled or one.pulled_by or one.triggered_by
    )


def is_safe_to_mask(needed_by: tuple[str, ...]) -> bool:
    """Whether nothing fails to start with it that the machine needs: a masked unit fails whoever needs it."""
    return not any(one.endswith((".target", ".mount", ".slice")) for one in needed_by) and not is_way_in(
        (), needed_by
    )


def way_in_among(found: Iterable[Unit]) -> str:
    """The first of these that is a way into the machine; empty where there is none."""
    return next((one.id for one in found if is_way_in((), (one.id,))), "")


def named(found: Iterable[Unit]) -> str:
    """For people: `one.service, two.service and three.socket`."""
    names = [one.id for one in found]
    return _(" and ").join(filter(None, (", ".join(names[:-1]), names[-1]))) if names else ""
