"""The timezone: one zone in /etc/localtime and /etc/timezone, the one that mailcow is set to."""

from __future__ import annotations

from mailcow_wizard.facts import time_zone
from mailcow_wizard.facts.presence import read_if_there
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.door import Host
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.language import _
from mailcow_wizard.model import Command, Edit, Plan
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from mailcow_wizard.model import PlanStep

_KEPT = "/etc/localtime.mailcow-wizard"  # a plain file in localtime's place waits here


def plan(facts: Facts) -> Plan | None:
    """Sets mailcow's zone, else the one that the clock shows already; None where nobody says which."""
    zone = facts.get(time_zone.zone)
    host = facts.host
    name = wanted(host, zone)
    if not name:
        return None
    steps: list[PlanStep] = []
    written = read_if_there(host, time_zone.TIMEZONE)
    after = f"{name}\n".encode()
    if written is not None and written != after:
        steps.append(Edit(time_zone.TIMEZONE, written, after))
    if zone.linked != name:
        steps += _linked(host, zone, name)
    if not steps:
        return None
    moved = zone.linked != name
    return Plan(
        "time.timezone",
        None,
        "set-timezone",
        _("Set the timezone {name}", name=name),
        tuple(steps),
        "low",
        reversible=True,
        needs_root=True,
        consequence=_(
            "Times are shown as in {name}. Programs that run already keep the old zone "
            "until they are restarted; timers of cron and systemd may then fire at "
            "another hour.",
            name=name,
        )
        if moved
        else _("{timezone} says {name}, as the clock does already.", timezone=time_zone.TIMEZONE, name=name),
    )


def wanted(host: Host, zone: time_zone.Zone) -> str:
    """mailcow's TZ, else the zone that /etc/localtime leads to, else that of /etc/timezone where there is no
    other; each only if this machine has its rules. Empty: none."""
    names = [zone.mailcow, zone.linked]
    if zone.localtime in ("broken", "missing"):
        names.append(zone.written or "")
    return next((one for one in names if one and time_zone.is_zone(host, one)), "")


def _linked(host: Host, zone: time_zone.Zone, name: str) -> list[PlanStep]:
    """Makes /etc/localtime lead there; taken back, it is the very link, file or gap that it was."""
    steps: list[PlanStep] = []
    if zone.localtime in ("link", "broken"):
        old = host.run(("readlink", time_zone.LOCALTIME)).out.rstrip("\n")
        if not old:
            raise HostError(_("{localtime} could not be read", localtime=time_zone.LOCALTIME))
        undo: tuple[str, ...] = ("ln", "-sfn", old, time_zone.LOCALTIME)
    elif zone.localtime == "copy":
        undo = ("mv", "-f", _KEPT, time_zone.LOCALTIME)
        steps.append(Command(("cp", "-a", time_zone.LOCALTIME, _KEPT), (("rm", "-f", _KEPT),)))
    else:
        undo = ("rm", "-f", time_zone.LOCALTIME)
    # Not timedatectl: its service remembers the zone for half a minute, and does nothing where it believes
    # that the zone is set already, which after taking back it does.
    steps.append(Command(("ln", "-sfn", f"{time_zone.ZONEINFO}/{name}", time_zone.LOCALTIME), (undo,)))
    return steps
