"""Stops systemd units and keeps them from starting again, and says how to bring back what was there."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

from mailcow_wizard.facts.store import Facts
from mailcow_wizard.facts.units import (
    Unit,
    enabled_besides,
    is_only_linked,
    linked_from,
    units,
    wanted_by_hand,
)
from mailcow_wizard.fixes import NoPlan
from mailcow_wizard.fixes.port_dependants import dependants, is_safe_to_mask, named, starters, way_in_among
from mailcow_wizard.language import _, ngettext
from mailcow_wizard.model import Command, Manual, Proof
from mailcow_wizard.typed import NamedTuple

Argv = tuple[str, ...]

_TIMEOUT_S = 120.0
_OWN = "/etc/systemd/system/"
# What a way that takes two commands does with the second.
_THEN = {"switch off": "stop", "close": "mask"}


class _Way(NamedTuple):
    """How a unit is kept off, and what would start it although it is disabled."""

    unit: Unit
    way: str
    starters: tuple[Unit, ...] = ()


class Stopping(NamedTuple):
    """How to stop some units: the commands, what a person should know, whether they can be brought back.

    `besides` are further units that stop along with them, `lost` is what else stops working, `lasting`
    whether nothing starts them again.
    """

    commands: tuple[Command, ...]
    words: tuple[Manual, ...] = ()
    reversible: bool = True
    besides: tuple[str, ...] = ()
    lasting: bool = True
    lost: str = ""


def stopping(facts: Facts, names: tuple[str, ...]) -> Stopping:
    """Stops these units, and those that would start them again. Raises HostError."""
    found = related(facts, names)
    for one in found:
        if one.load not in ("loaded", "masked", "not-found", "error", "bad-setting"):
            raise NoPlan(_("systemd knows nothing of {id} any more", id=one.id))
    ways = [_fitting(facts, one, found) for one in found]
    besides = _besides(facts, ways)
    commands = [
        Command(_argv(way, members), _brought_back(facts, way, members), _TIMEOUT_S)
        for way in ("disable", "switch off", "close", "mask", "stop")
        if (members := [one.unit for one in ways if way in (one.way, _THEN.get(one.way))])
    ]
    again = [one.unit for one in ways if one.unit.active and one.way != "masked" and _comes_back(one.unit)]
    again += [one for one in besides if _can_start(one)]
    if commands and again:
        # Taken back last of all: by then every unit may be started again.
        undo = (*commands[0].undo, *_start(again))
        commands[0] = commands[0]._replace(undo=undo, proofs=_proofs(again))
    commands += [_stop_masked(one.unit) for one in ways if one.way == "masked" and one.unit.active]
    returning = [one for one in ways if one.way == "stop" and _may_return(one.unit, found)]
    return Stopping(
        tuple(commands),
        (*(_warning(one.unit) for one in returning), *(_of_starters(one) for one in ways if one.starters)),
        all(map(_comes_back, found)) and all(map(_can_start, besides)),
        tuple(one.id for one in besides),
        not any(_comes_back(one.unit) for one in returning)
        and not any(one.starters and one.way != "close" for one in ways),
    )


def stopped_besides(parts: Sequence[Stopping]) -> str:
    """The units that stop along with others, as words; empty where there are none."""
    names = [name for part in parts for name in part.besides]
    if len(names) > 1:
        return _(
            "{names} and {last}, which depend on it and stop with it",
            names=", ".join(names[:-1]),
            last=names[-1],
        )
    return _("{names}, which depends on it and stops with it", names=names[0]) if names else ""


def stopped_along(facts: Facts, names: tuple[str, ...]) -> tuple[Unit, ...]:
    """The further units that stop with these when they are kept off, whether they run or not. Raises
    HostError."""
    found = related(facts, names)
    return _along(facts, [_Way(one, _way(one, found)) for one in found])


def _along(facts: Facts, ways: list[_Way]) -> tuple[Unit, ...]:
    unlinked = [one.unit for one in ways if one.way in ("disable", "switch off", "close")]
    return dependants(facts, [one.unit for one in ways], unlinked)


def _fitting(facts: Facts, unit: Unit, every: list[Unit]) -> _Way:
    """How a unit is kept off. One that others start although it is disabled is masked besides, where it can
    be and does no harm."""
    way = _way(unit, every)
    if way != "disable":
        return _Way(unit, way)
    again = starters(facts, unit, every)
    if again and not unit.path.startswith(_OWN):
        needed = tuple(one for one in unit.needed_by if not is_only_linked(facts, unit, one))
        way = "close" if is_safe_to_mask(needed) else way
    return _Way(unit, way, again)


def _besides(facts: Facts, ways: list[_Way]) -> tuple[Unit, ...]:
    """The further units that run and stop along with these. Refuses where one is a way into the machine."""
    stopped = _along(facts, ways)
    kept = way_in_among(stopped)
    if kept:
        raise NoPlan(
            _("{kept} would stop as well, and people may reach this machine through it alone", kept=kept)
        )
    return tuple(one for one in stopped if one.active)


def related(facts: Facts, names: tuple[str, ...]) -> list[Unit]:
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
    `close`: disabled, then masked; `masked`: it is off already and only runs."""
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
        return "stop" if unit.path.startswith(_OWN) or not is_safe_to_mask(unit.needed_by) else "mask"
    return "disable"


def _comes_back(unit: Unit) -> bool:
    """Whether a stopped unit can be started again: a transient one is gone, and so is one without a file."""
    return unit.state != "transient" and unit.load != "not-found"


def _can_start(unit: Unit) -> bool:
    return _comes_back(unit) and not unit.state.startswith("masked")


def _argv(way: str, members: list[Unit]) -> Argv:
    names = tuple(one.id for one in members)
    if way == "stop":
        return ("systemctl", "stop", *names)
    if way in _THEN:
        return ("systemctl", "disable", *names)
    return ("systemctl", way, "--now", *names)


def _start(again: list[Unit]) -> tuple[Argv, ...]:
    """A target is started by itself: what it wants besides may have been stopped on purpose."""
    targets = tuple(one.id for one in again if one.id.endswith(".target"))
    others = tuple(one.id for one in again if not one.id.endswith(".target"))
    alone = ("systemctl", "start", "--job-mode=ignore-dependencies", *targets)
    return (*([("systemctl", "start", *others)] if others else []), *([alone] if targets else []))


def read_again(action: str, unit: str) -> tuple[Argv, ...]:
    """What has a unit that ran read its files again, `try-restart` for one: not where somebody stopped it
    since, but where it failed meanwhile, as when the change itself kept it from starting."""
    return (("systemctl", "restart", "--failed", f"{unit}*"), ("systemctl", action, unit))


def _proofs(again: list[Unit]) -> tuple[Proof, ...]:
    """Each that ran has to run. A service that its socket starts when it is needed may end by itself."""
    running = {one.id for one in again if one.runs}
    return tuple(_proof(one) for one in again if one.runs and not running & set(one.triggered_by))


def _proof(unit: Unit) -> Proof:
    words = _(
        "{unit} does not run; see why: systemctl status {word}", unit=unit.id, word=shlex.quote(unit.id)
    )
    return Proof(("systemctl", "is-active", "--quiet", unit.id), words)


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
    proofs = (_proof(unit),) if unit.runs else ()
    return Command(("systemctl", "stop", unit.id), undo, _TIMEOUT_S, proofs=proofs)


def _may_return(unit: Unit, every: list[Unit]) -> bool:
    switched = {one.id for one in every}
    return unit.state != "linked" and not switched & set(unit.triggered_by)


def _warning(unit: Unit) -> Manual:
    if not _comes_back(unit):
        return Manual(
            _("{unit} has no file of its own: once stopped, the wizard cannot start it again.", unit=unit.id)
        )
    if not unit.pulled_by:
        return Manual(
            _(
                "{unit} has no switch of its own: what started it may do so again. Its file is {path}.",
                unit=unit.id,
                path=unit.path,
            )
        )
    return Manual(
        _(
            "{unit} has no switch of its own: what wants it ({pulled_by}) starts it again at the next "
            "boot. Its file is {path}.",
            unit=unit.id,
            pulled_by=", ".join(unit.pulled_by),
            path=unit.path,
        )
    )


def _of_starters(one: _Way) -> Manual:
    """What else has to be known of units that start this one along with themselves."""
    who = named(one.starters)
    if one.way == "close":
        needing = [other for other in one.starters if other.id in one.unit.needed_by]
        rest = ""
        if needing:
            rest = ngettext(
                " {named} cannot run without it.",
                " {named} cannot run without it.",
                len(needing),
                named=named(needing),
            )
        return Manual(
            ngettext(
                "{who} would start {unit} again: it is masked, and nothing can start it.{rest}",
                "{who} would start {unit} again: it is masked, and nothing can start it.{rest}",
                len(one.starters),
                who=who,
                unit=one.unit.id,
                rest=rest,
            )
        )
    return Manual(
        ngettext(
            "{who} starts it again at the next boot, or before: switch it off as well, or "
            "take {unit} out of its file (systemctl cat {starter}).",
            "{who} start it again at the next boot, or before: switch them off as well, or "
            "take {unit} out of their files (systemctl cat {starter}).",
            len(one.starters),
            who=who,
            unit=one.unit.id,
            starter=shlex.quote(one.starters[0].id),
        )
    )
