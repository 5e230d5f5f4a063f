"""The service that keeps the clock right: start it, install it, stop a second one."""

from __future__ import annotations

import shlex

from mailcow_wizard.facts import time
from mailcow_wizard.facts.presence import path_of_command
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.fixes import Offer, packages_install
from mailcow_wizard.host.door import Host
from mailcow_wizard.language import _
from mailcow_wizard.model import Command, Fix, Manual, Plan
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from mailcow_wizard.model import PlanStep

SETTLE_S = 30.0
"""How long a service may need to agree with its servers: chrony with `iburst` takes 6 to 10 s."""

_STOP_S = 10.0  # for the list of services to show it
# Names in /etc/init.d, best first; Debian, which has OpenRC beside its own scripts, calls it as the package.
_OPENRC = ("chronyd", "chrony", "ntpsec", "openntpd", "ntpd")
_PACKAGERS = {"apt-get": "apt", "yum": "dnf"}  # by the command that facts/time.py names
_OFF = ("disabled", "masked", "masked-runtime")


def installed(facts: Facts) -> str:
    """The service that OpenRC could start; empty where there is none, or systemd runs."""
    host = facts.host
    if facts.get(time.synchronisation).systemd or not path_of_command(host, "rc-service"):
        return ""
    return next((name for name in _OPENRC if host.exists(f"/etc/init.d/{name}")), "")


def kept(check: str, facts: Facts) -> Plan | None:
    """Starts the installed service, now and at every boot, as far as either is missing."""
    state = facts.get(time.synchronisation)
    running = [one for one in state.services if one.running]
    if len(running) > 1:
        return None
    if not state.systemd:
        name = installed(facts)
        return _plan(check, name, _by_openrc(facts.host, name), False) if name and not running else None
    if running:
        service = running[0]
        if service.process or service.wanted or service.startup not in _OFF:
            return None
        return _plan(check, service.name, _enabled(service), True)
    failed = next((one for one in state.services if one.state == "failed"), None)
    service = failed or state.services[0]
    # Starting one stops those that it names as conflicts; none of them runs.
    start = Command(("systemctl", "start", service.name), (("systemctl", "stop", service.name),))
    return _plan(check, service.name, (*_enabled(service), start), False)


def _plan(check: str, name: str, steps: tuple[PlanStep, ...], runs: bool) -> Plan:
    when = _("at every start") if runs else _("now and at every start")
    return Plan(
        check,
        None,
        "enable-ntp",
        _("Start {name} {when}", name=name, when=when),
        steps,
        "low",
        reversible=True,
        needs_root=True,
        consequence=_("{name} starts by itself from the next start on.", name=name)
        if runs
        else _(
            "{name} keeps the clock right. Where the clock is off by more than a second, {name} "
            "sets it at once: times in logs then jump.",
            name=name,
        ),
        settle=0.0 if runs else SETTLE_S,
    )


def _enabled(service: time.Service) -> tuple[PlanStep, ...]:
    """Commands that have a unit started at boot, as far as it is not."""
    name = service.name
    steps: list[PlanStep] = []
    if service.startup.startswith("masked"):
        runtime = ("--runtime",) if service.startup == "masked-runtime" else ()
        mask = ("systemctl", "mask", *runtime, name)
        steps.append(Command(("systemctl", "unmask", *runtime, name), (mask,)))
    if service.startup in _OFF:
        steps.append(Command(("systemctl", "enable", name), (("systemctl", "disable", name),)))
    return tuple(steps)


def _by_openrc(host: Host, name: str) -> tuple[PlanStep, ...]:
    steps: list[PlanStep] = []
    if not host.exists(f"/etc/runlevels/default/{name}"):
        added = ("rc-update", "add", name, "default")
        steps.append(Command(added, (("rc-update", "del", name, "default"),)))
    steps.append(Command(("rc-service", name, "start"), (("rc-service", name, "stop"),)))
    return tuple(steps)


# --- where there is none ----------------------------------------------------------------------------------


def chrony(check: str, facts: Facts) -> Offer | None:
    """An offer to install chrony. What comes along is asked when the plan is wanted: that takes a second."""
    state = facts.get(time.synchronisation)
    if not state.installer or not (state.systemd or path_of_command(facts.host, "rc-service")):
        return None
    title = _("Install chrony, which keeps the clock right")

    def plan() -> Plan:
        packager = _PACKAGERS.get(state.installer, state.installer)
        command = packages_install.command(facts.host, packager)
        coming = packages_install.coming(facts.host, command, ("chrony",))
        unit = "chrony" if packager == "apt" else "chronyd"
        steps = (*packages_install.steps(coming), *_first_start(state.systemd, unit))
        return Plan(
            check,
            None,
            "enable-ntp",
            title,
            steps,
            "medium" if coming.newer else "low",
            reversible=True,
            needs_root=True,
            consequence=_(
                "chrony keeps the clock right, now and at every start, and sets it at "
                "once where it is off by more than a second. {consequence}",
                consequence=packages_install.consequence(coming),
            ),
            settle=SETTLE_S,
        )

    return Offer(Fix("enable-ntp", title, "low", True, True), plan)


def _first_start(systemd: bool, unit: str) -> tuple[PlanStep, ...]:
    """Debian starts it with the package, others do not; here it is started either way."""
    if systemd:
        stop = ("systemctl", "disable", "--now", unit)
        return (Command(("systemctl", "enable", "--now", unit), (stop,)),)
    added = Command(("rc-update", "add", unit, "default"), (("rc-update", "del", unit, "default"),))
    return added, Command(("rc-service", unit, "start"), (("rc-service", unit, "stop"),))


# --- where there are two ----------------------------------------------------------------------------------


def one_only(facts: Facts) -> Plan | None:
    """Stops every service but the best one; None where one was started by hand and cannot be put back."""
    state = facts.get(time.synchronisation)
    running = [one for one in state.services if one.running]
    if len(running) < 2:
        return None
    keep, others = running[0], running[1:]
    steps: list[PlanStep] = []
    for service in others:
        if service.process and not service.unit and state.systemd:
            return None
        steps += (
            _stopped(facts.host, service) if state.systemd else _stopped_by_openrc(facts.host, service.name)
        )
    names = _(" and ").join(one.name for one in others)
    return Plan(
        "time.service",
        None,
        "stop-second-ntp",
        _("Keep {keep}, stop {names}", keep=keep.name, names=names),
        tuple(steps),
        "low",
        reversible=True,
        needs_root=True,
        consequence=_(
            "{keep} alone keeps the clock. Two services correct each other's corrections; {why}.",
            keep=keep.name,
            why=_why(keep.name),
        ),
        interrupts=_("{names}: machines that ask it for the time get no answer any more", names=names),
        settle=_STOP_S,
    )


def _why(name: str) -> str:
    if name.startswith("chrony"):
        return _("chrony compares several servers and is the most exact on servers and virtual machines")
    return _("{name} compares several servers, which systemd-timesyncd does not", name=name)


def _stopped(host: Host, service: time.Service) -> list[PlanStep]:
    """Stops a unit; what it starts by at boot is taken away too, and both come back the same way."""
    unit = service.unit or service.name
    startup = service.startup
    if not startup:
        startup = host.run(("systemctl", "is-enabled", unit)).out.strip()
    if startup == "enabled":
        again = ("systemctl", "enable", "--now", unit)
        return [Command(("systemctl", "disable", "--now", unit), (again,))]
    back: tuple[tuple[str, ...], ...] = (("systemctl", "start", unit),)
    if startup.startswith("masked"):  # which keeps it from being started, and not from running on
        runtime = ("--runtime",) if startup == "masked-runtime" else ()
        unmask, mask = (("systemctl", verb, *runtime, unit) for verb in ("unmask", "mask"))
        back = (unmask, *back, mask)
    steps: list[PlanStep] = [Command(("systemctl", "stop", unit), back)]
    if startup == "enabled-runtime":
        again = ("systemctl", "enable", "--runtime", unit)
        steps.append(Command(("systemctl", "disable", "--runtime", unit), (again,)))
    elif startup not in _OFF:
        look = f"systemctl list-dependencies --reverse {shlex.quote(unit)}"
        steps.append(
            Manual(
                _(
                    "{unit} is started by something else, perhaps again at the next start: {look}",
                    unit=unit,
                    look=look,
                )
            )
        )
    return steps


def _stopped_by_openrc(host: Host, name: str) -> list[PlanStep]:
    host.info(f"/etc/init.d/{name}")
    steps: list[PlanStep] = []
    if host.exists(f"/etc/runlevels/default/{name}"):
        added = ("rc-update", "add", name, "default")
        steps.append(Command(("rc-update", "del", name, "default"), (added,)))
    steps.append(Command(("rc-service", name, "stop"), (("rc-service", name, "start"),)))
    return steps
