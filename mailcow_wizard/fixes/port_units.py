"""Stops systemd units and keeps them from starting again, and says how to bring back what was there."""

from __future__ import annotations

import re

from mailcow_wizard.facts.store import Facts
from mailcow_wizard.facts.units import Unit, enabled_besides, linked_from, units, wanted_by_hand
from mailcow_wizard.fixes import NoPlan
from mailcow_wizard.model import Command, Manual
from mailcow_wizard.typed import NamedTuple

Argv = tuple[str, ...]

_TIMEOUT_S = 120.0


class Stopping(NamedTuple):
    """How to stop some units: the commands, what a person should know, whether they can be brought back."""

    commands: tuple[Command, ...]
    words: tuple[Manual, ...] = ()
    reversible: bool = True


def stopping(facts: Facts, names: tuple[str, ...]) -> Stopping:
    """Stops these units, and those that would start them again. Raises HostError."""
    found = _related(facts, names)
    for one in found:
        if one.load not in ("loaded", "masked", "not-found", "error", "bad-setting"):
            raise NoPlan(f"systemd knows nothing of {one.id} any more")
    ways = [(one, _way(one, found)) for one in found]
    commands = [
        Command(_argv(way, members), _brought_back(facts, way, members), _TIMEOUT_S)
        for way in ("disable", "switch off", "mask", "stop")
        if (members := [one for one, its in ways if its == way or (way == "stop" and its == "switch off")])
    ]
    masked = [one for one, its in ways if its == "masked"]
    active = tuple(one.id for one, its in ways if one.active and its != "masked" and _comes_back(one))
    if commands and active:
        # Taken back last of all: by then every unit may be started again.
        commands[0] = commands[0]._replace(undo=(*commands[0].undo, ("systemctl", "start", *active)))
    commands += [_stop_masked(one) for one in masked if one.active]
    return Stopping(
        tuple(commands),
        tuple(_warning(one) for one, its in ways if its == "stop" and _may_return(one, found)),
        all(map(_comes_back, found)),
    )


def _related(facts: Facts, names: tuple[str, ...]) -> list[Unit]:
    """The units to stop: those given, or the service that an instance is part of, and what triggers them;
    sockets, timers and paths first."""
    found: dict[str, Unit] = {}
    waiting = list(names)
    while waiting:
        for one in units(facts, tuple(waiting)):
            whole = _whole(one)
            for unit in units(facts, whole) if whole else (one,):
                found[unit.id] = unit
        waiting = [
            name
            for unit in list(found.values())
            for name in (*unit.triggered_by, *(() if unit.accepts else unit.triggers))
            if name not in found
        ]
        waiting = list(dict.fromkeys(waiting))
    return sorted(found.values(), key=lambda one: one.id.endswith(".service"))


def _whole(unit: Unit) -> tuple[str, ...]:
    """Debian's postfix@-.service is generated as a part of postfix.service, which has the switch."""
    name = re.fullmatch(r"([^@]+)@.*\.service", unit.id)
    whole = f"{name[1]}.service" if name else ""
    return (whole,) if whole in unit.part_of and unit.state != "enabled" else ()


def _way(unit: Unit, every: list[Unit]) -> str:
    """What keeps the unit off: disable, mask, stop; `switch off`: disabled and stopped by two commands;
    `masked`: it is off already and only runs."""
    if unit.state.startswith("masked") or unit.load == "masked":
        return "masked"
    if not _comes_back(unit) or unit.state.startswith("linked"):
        return "stop"
    if unit.state == "static" and any(other.id in unit.triggered_by for other in every):
        return "stop"
    if unit.state == "generated" and unit.source.startswith("/etc/init.d/"):
        # systemctl hands these on to the init script's own tool and forgets its --now (systemd 252).
        return "switch off"
    if unit.state in ("static", "enabled-runtime", "generated"):
        # A mask is a link in /etc/systemd/system, where a file of the administrator would be in its place.
        return "stop" if unit.path.startswith("/etc/systemd/system/") else "mask"
    return "disable"


def _comes_back(unit: Unit) -> bool:
    """Whether a stopped unit can be started again: a transient one is gone, and so is one without a file."""
    return unit.state != "transient" and unit.load != "not-found"


def _argv(way: str, members: list[Unit]) -> Argv:
    names = tuple(one.id for one in members)
    if way == "stop":
        return ("systemctl", "stop", *names)
    return ("systemctl", "disable", *names) if way == "switch off" else ("systemctl", way, "--now", *names)


def _brought_back(facts: Facts, way: str, members: list[Unit]) -> tuple[Argv, ...]:
    """The commands that undo all but the stopping."""
    if way == "mask":
        return (("systemctl", "unmask", *(one.id for one in members)),)
    if way == "stop":
        return ()
    undo: list[Argv] = []
    for one in members:
        if one.enabled:
            undo.append(("systemctl", "enable", linked_from(facts, one) or one.id))
            undo += [("systemctl", "disable", name) for name in enabled_besides(facts, one)]
        undo += [("systemctl", kind, other, one.id) for kind, other in wanted_by_hand(facts, one)]
    return tuple(undo)


def _stop_masked(unit: Unit) -> Command:
    """A masked unit that still runs: to start it again the mask has to be lifted for a moment."""
    runtime = ("--runtime",) if unit.state == "masked-runtime" else ()
    undo = (
        ("systemctl", "unmask", *runtime, unit.id),
        ("systemctl", "start", unit.id),
        ("systemctl", "mask", *runtime, unit.id),
    )
    return Command(("systemctl", "stop", unit.id), undo, _TIMEOUT_S)


def _may_return(unit: Unit, every: list[Unit]) -> bool:
    switched = {one.id for one in every}
    return unit.state != "linked" and not switched & set(unit.triggered_by)


def _warning(unit: Unit) -> Manual:
    if not _comes_back(unit):
        return Manual(f"{unit.id} has no file of its own: once stopped, the wizard cannot start it again.")
    by = f" ({', '.join(unit.pulled_by)})" if unit.pulled_by else ""
    return Manual(
        f"{unit.id} has no switch of its own: what wants it{by} starts it again at the next boot. "
        f"Its file is {unit.path}."
    )
