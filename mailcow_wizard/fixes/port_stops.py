"""The plan that stops everyone who is in a port's way, and the one that removes their package."""

from __future__ import annotations

import re
import shlex

from mailcow_wizard.facts.blockers import MAIL_SERVERS, UNIT, WEB_SERVERS, Blocker
from mailcow_wizard.facts.ports import survey
from mailcow_wizard.facts.taken import places_of
from mailcow_wizard.facts.tools import packager
from mailcow_wizard.fixes import NoPlan
from mailcow_wizard.fixes.port_choices import Choice
from mailcow_wizard.fixes.port_conflict import Conflict
from mailcow_wizard.fixes.port_containers import stopping_container
from mailcow_wizard.fixes.port_scripts import stopping_script
from mailcow_wizard.fixes.port_units import Stopping, related, stopped_besides, stopping
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.language import _, ngettext
from mailcow_wizard.model import Command, Manual, Plan
from mailcow_wizard.sentences import capitalized
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from mailcow_wizard.model import PlanStep

# Debian's postfix frees its port after systemctl has returned.
SETTLE_S = 15.0
_REMOVAL_S = 600.0
# dnf and zypper remove what needs it, too, and dnf what it needed; rpm refuses the one and leaves the other.
_BY_RPM = ("rpm", "-e")
_REMOVE = {
    # It waits for another apt that is at work, as installing does.
    "apt": ("apt-get", "remove", "-y", "-o", "DPkg::Lock::Timeout=120"),
    "dnf": _BY_RPM,
    "apk": ("apk", "del"),
    "zypper": _BY_RPM,
    "pacman": ("pacman", "-R", "--noconfirm"),
}


def plan_to_stop(conflict: Conflict, choice: Choice) -> Plan:
    """Stops units, scripts and containers alike, all that hold the port. Raises HostError."""
    parts = _parts(conflict)
    commands = with_places(conflict, tuple(command for part in parts for command in part.commands))
    steps: tuple[PlanStep, ...] = (
        *queued_mail(conflict),
        *_other_programs(conflict),
        *(word for part in parts for word in part.words),
        *commands,
    )
    names = _(" and ").join(one.name for one in conflict.blockers)
    lost = (_lost(one, conflict) for one in conflict.blockers)
    also = (part.lost for part in parts)
    lasting = all(part.lasting for part in parts)
    return conflict.plan(
        choice,
        steps,
        ngettext(
            "{where} is free for mailcow; {names} no longer runs, {until}",
            "{where} is free for mailcow; {names} no longer run, {until}",
            len(conflict.blockers),
            where=capitalized(conflict.port.binding.where),
            names=names,
            until=_("also after a restart of the machine.")
            if lasting
            else _("until something starts it again."),
        ),
        "; ".join(dict.fromkeys(filter(None, (*lost, *also, stopped_besides(parts))))),
        settle=SETTLE_S,
        reversible=all(part.reversible for part in parts),
    )


def with_places(conflict: Conflict, commands: tuple[Command, ...]) -> tuple[Command, ...]:
    """The commands that stop who holds the port, or have it listen elsewhere: they are not taken back while
    somebody else is at one of mailcow's ports that it has now."""
    names = tuple(dict.fromkeys(name for one in conflict.blockers for name in one.names))
    everyone = (one for port in conflict.facts.get(survey).values() for one in port.occupants)
    places = places_of(names, tuple(everyone))
    return (commands[0]._replace(places=places), *commands[1:]) if commands else ()


def _parts(conflict: Conflict) -> list[Stopping]:
    parts = [stopping_container(conflict.facts, one.container) for one in conflict.blockers if one.container]
    if conflict.around.script:
        return [stopping_script(conflict.facts, conflict.around.script)]
    names = tuple(name for one in conflict.blockers if not one.container for name in one.names)
    return [*([stopping(conflict.facts, names)] if names else []), *parts]


def _lost(blocker: Blocker, conflict: Conflict) -> str:
    """What stops working with it."""
    if blocker.role in MAIL_SERVERS:
        return _(
            "{role} no longer delivers this machine's own mail (from cron, for example)", role=blocker.role
        )
    if blocker.role in WEB_SERVERS:
        names = conflict.around.sites or ()
        if conflict.around.sites == () and conflict.port.binding.port.bind_key:
            return _("{blocker}, which shows its default page only", blocker=blocker.name)
        shown = ", ".join(names[:3]) + (
            _(" and {number} more", number=len(names) - 3) if len(names) > 3 else ""
        )
        return _("the web sites of {blocker}", blocker=blocker.name) + (f": {shown}" if names else "")
    if blocker.main:
        return _("all that {blocker} runs", blocker=blocker.name)
    return _("what {blocker} serves", blocker=blocker.name)


def _other_programs(conflict: Conflict) -> tuple[Manual, ...]:
    """Says where a unit is more than the program on the port."""
    return tuple(
        Manual(
            _(
                "{program} (process {pid}) only runs in the unit {name}; its main program is {main}. "
                "All that {name} runs ends with it: systemctl status {names} lists it.",
                program=one.program,
                pid=one.pid,
                name=one.name,
                main=one.main,
                names=shlex.quote(one.names[0]),
            )
        )
        for one in conflict.blockers
        if one.main
    )


def queued_mail(conflict: Conflict) -> tuple[Manual, ...]:
    """Says how much mail waits, before what would deliver it is stopped."""
    queue = conflict.around.queue
    if not queue or not queue.number:
        return ()
    count = _("At least {number}", number=queue.number) if queue.more else str(queue.number)
    return (
        Manual(
            ngettext(
                "{count} message waits in the queue ({command} lists them). Queued mail stays in {spool} and "
                "is not delivered while the mail server is stopped.",
                "{count} messages wait in the queue ({command} lists them). Queued mail stays in {spool} and "
                "is not delivered while the mail server is stopped.",
                queue.number,
                count=count,
                command=queue.command,
                spool=queue.spool,
            )
        ),
    )


def plan_to_remove(conflict: Conflict, choice: Choice) -> Plan:
    """Removes the holder's package, not its configuration. Raises HostError."""
    tool = conflict.facts.get(packager)
    # apk answers with the version, and takes the name without it.
    name = re.sub(r"-\d[^-]*-r\d+$", "", conflict.blockers[0].package)
    if tool not in _REMOVE:
        raise NoPlan(_("no package tool is known on this machine"))
    others = _goes_along(conflict, name) if tool == "apt" else ()
    if _REMOVE[tool] is _BY_RPM:
        _refuse_needed(conflict, name)
    words = _("The package {name} is gone; its configuration files and its data stay on the disk.", name=name)
    removal = Command((*_REMOVE[tool], name), timeout=_REMOVAL_S)
    steps: list[PlanStep] = [*queued_mail(conflict), *_stopped_first(conflict), removal]
    if others:
        steps.insert(
            0,
            Manual(
                _(
                    "These packages need {name} and are removed with it: {others}.",
                    name=name,
                    others=", ".join(others),
                )
            ),
        )
    steps.append(
        Manual(_("Nothing here brings it back: install {name} again if you want it later.", name=name))
    )
    interrupts = "; ".join(filter(None, (_lost(one, conflict) for one in conflict.blockers)))
    return conflict.plan(choice, tuple(steps), words, interrupts, settle=SETTLE_S)


def _stopped_first(conflict: Conflict) -> tuple[Command, ...]:
    """What ends it before its package goes: that of Debian 13's postfix leaves it running."""
    if conflict.around.script:
        return stopping_script(conflict.facts, conflict.around.script).commands[-1:]
    names = tuple(name for one in conflict.blockers if one.kind == UNIT for name in one.names)
    try:
        active = tuple(one.id for one in related(conflict.facts, names) if one.active)
    except HostError:
        return ()  # most packages stop what they bring
    return (Command(("systemctl", "stop", *active), (("systemctl", "start", *active),)),) if active else ()


def _goes_along(conflict: Conflict, name: str) -> tuple[str, ...]:
    """What apt would remove besides; refuses where it would install something in its place."""
    said = conflict.facts.host.run(("apt-get", "-s", "-q", "remove", name), timeout=30.0)
    rows = [line.split() for line in said.out.splitlines()]
    arriving = [row[1] for row in rows if row[:1] == ["Inst"] and len(row) > 1]
    if said.code or arriving:
        instead = _("; it would install {arriving}", arriving=", ".join(arriving)) if arriving else ""
        raise NoPlan(_("apt does not remove {name} by itself{instead}", name=name, instead=instead))
    return tuple(row[1] for row in rows if row[:1] in (["Remv"], ["Purg"]) and row[1:2] != [name])


def _refuse_needed(conflict: Conflict, name: str) -> None:
    """Raises NoPlan where rpm would not remove it, for others need it."""
    said = conflict.facts.host.run((*_BY_RPM, "--test", name), timeout=30.0)
    if said.code:
        lines = [line.strip() for line in said.err.splitlines() if line.strip()]
        why = f": {lines[-1][:200]}" if lines else ""
        raise NoPlan(_("rpm does not remove {name} by itself{why}", name=name, why=why))
