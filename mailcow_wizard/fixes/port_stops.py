"""The plan that stops everyone who is in a port's way, and the one that removes their package."""

from __future__ import annotations

import re

from mailcow_wizard.facts.blockers import MAIL_SERVERS, WEB_SERVERS, Blocker
from mailcow_wizard.facts.tools import packager
from mailcow_wizard.fixes import NoPlan
from mailcow_wizard.fixes.port_choices import Choice
from mailcow_wizard.fixes.port_conflict import Conflict
from mailcow_wizard.fixes.port_containers import stopping_container
from mailcow_wizard.fixes.port_scripts import stopping_script
from mailcow_wizard.fixes.port_units import Stopping, stopping
from mailcow_wizard.model import Command, Manual, Plan
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from mailcow_wizard.model import PlanStep

# Debian's postfix frees its port after systemctl has returned.
SETTLE_S = 15.0
_REMOVAL_S = 600.0
_REMOVE = {
    "apt": ("apt-get", "remove", "-y"),
    "dnf": ("dnf", "remove", "-y"),
    "apk": ("apk", "del"),
    "zypper": ("zypper", "--non-interactive", "remove"),
    "pacman": ("pacman", "-R", "--noconfirm"),
}


def plan_to_stop(conflict: Conflict, choice: Choice) -> Plan:
    """Stops units, scripts and containers alike, all that hold the port. Raises HostError."""
    parts = _parts(conflict)
    steps: tuple[PlanStep, ...] = (
        *queued_mail(conflict),
        *_other_programs(conflict),
        *(word for part in parts for word in part.words),
        *(command for part in parts for command in part.commands),
    )
    names = " and ".join(one.name for one in conflict.blockers)
    lost = (_lost(one, conflict) for one in conflict.blockers)
    lasting = all(part.lasting for part in parts)
    return conflict.plan(
        choice,
        steps,
        f"{_capital(conflict.port.binding.where)} is free for mailcow; {names} no longer {_verb(conflict)}, "
        + ("also after a restart of the machine." if lasting else "until something starts it again."),
        "; ".join(dict.fromkeys(filter(None, (*lost, *(part.lost for part in parts), _along(parts))))),
        settle=SETTLE_S,
        reversible=all(part.reversible for part in parts),
    )


def _parts(conflict: Conflict) -> list[Stopping]:
    parts = [stopping_container(conflict.facts, one.container) for one in conflict.blockers if one.container]
    if conflict.around.script:
        return [stopping_script(conflict.facts, conflict.around.script)]
    names = tuple(name for one in conflict.blockers if not one.container for name in one.names)
    return [*([stopping(conflict.facts, names)] if names else []), *parts]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _verb(conflict: Conflict) -> str:
    return "runs" if len(conflict.blockers) == 1 else "run"


def _lost(blocker: Blocker, conflict: Conflict) -> str:
    """What stops working with it."""
    if blocker.role in MAIL_SERVERS:
        return f"{blocker.role} no longer delivers this machine's own mail (from cron, for example)"
    if blocker.role in WEB_SERVERS:
        names = conflict.around.sites or ()
        if conflict.around.sites == () and conflict.port.binding.port.bind_key:
            return f"{blocker.name}, which shows its default page only"
        shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        return f"the web sites of {blocker.name}" + (f": {shown}" if names else "")
    if blocker.main:
        return f"all that {blocker.name} runs"
    return f"what {blocker.name} serves"


def _along(parts: list[Stopping]) -> str:
    """The units that stop besides."""
    names = [name for part in parts for name in part.besides]
    if len(names) > 1:
        return f"{', '.join(names[:-1])} and {names[-1]}, which depend on it and stop with it"
    return f"{names[0]}, which depends on it and stops with it" if names else ""


def _other_programs(conflict: Conflict) -> tuple[Manual, ...]:
    """Says where a unit is more than the program on the port."""
    return tuple(
        Manual(
            f"{one.program} (process {one.pid}) only runs in the unit {one.name}; its main program is "
            f"{one.main}. All that {one.name} runs ends with it: systemctl status {one.names[0]} lists it."
        )
        for one in conflict.blockers
        if one.main
    )


def queued_mail(conflict: Conflict) -> tuple[Manual, ...]:
    """Says how much mail waits, before what would deliver it is stopped."""
    queue = conflict.around.queue
    if not queue or not queue.number:
        return ()
    count = f"{'At least ' if queue.more else ''}{queue.number} message{'s' if queue.number > 1 else ''}"
    verb = "wait" if queue.number > 1 else "waits"
    return (
        Manual(
            f"{count} {verb} in the queue ({queue.command} lists them). Queued mail stays in {queue.spool} "
            "and is not delivered while the mail server is stopped."
        ),
    )


def plan_to_remove(conflict: Conflict, choice: Choice) -> Plan:
    """Removes the holder's package, not its configuration. Raises HostError."""
    tool = conflict.facts.get(packager)
    # apk answers with the version, and takes the name without it.
    name = re.sub(r"-\d[^-]*-r\d+$", "", conflict.blockers[0].package)
    if tool not in _REMOVE:
        raise NoPlan("no package tool is known on this machine")
    others = _goes_along(conflict, name) if tool == "apt" else ()
    words = f"The package {name} is gone; its configuration files and its data stay on the disk."
    steps: list[PlanStep] = [*queued_mail(conflict), Command((*_REMOVE[tool], name), timeout=_REMOVAL_S)]
    if others:
        steps.insert(0, Manual(f"These packages need {name} and are removed with it: {', '.join(others)}."))
    steps.append(Manual(f"Nothing here brings it back: install {name} again if you want it later."))
    interrupts = "; ".join(filter(None, (_lost(one, conflict) for one in conflict.blockers)))
    return conflict.plan(choice, tuple(steps), words, interrupts, settle=SETTLE_S)


def _goes_along(conflict: Conflict, name: str) -> tuple[str, ...]:
    """What apt would remove besides; refuses where it would install something in its place."""
    said = conflict.facts.host.run(("apt-get", "-s", "-q", "remove", name), timeout=30.0)
    rows = [line.split() for line in said.out.splitlines()]
    arriving = [row[1] for row in rows if row[:1] == ["Inst"] and len(row) > 1]
    if said.code or arriving:
        instead = f"; it would install {', '.join(arriving)}" if arriving else ""
        raise NoPlan(f"apt does not remove {name} by itself{instead}")
    return tuple(row[1] for row in rows if row[:1] in (["Remv"], ["Purg"]) and row[1:2] != [name])
