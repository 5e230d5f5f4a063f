"""Which time servers a service asks: more of them, in the form and the place that it reads."""

from __future__ import annotations

import re

from mailcow_wizard.facts import system, time
from mailcow_wizard.facts.presence import read_if_there
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.facts.time_servers import CHRONY, NTPD, configured_servers
from mailcow_wizard.fixes.time_service import SETTLE_S
from mailcow_wizard.host.door import Host
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.language import _
from mailcow_wizard.model import Command, Edit, Plan
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from mailcow_wizard.model import PlanStep

_NAME = "mailcow-wizard"
_HEAD = "# Written by mailcow-wizard, which can take it back: mailcow-wizard undo\n"
# Pools that distributions have of their own at pool.ntp.org; the second name has IPv6 addresses too.
_POOLS = ("debian", "ubuntu", "almalinux", "rocky", "centos", "rhel", "fedora", "arch", "opensuse")
_POOL = "2.{}.pool.ntp.org"
_ANY_POOL = "2.pool.ntp.org"
_TIMESYNCD = f"/etc/systemd/timesyncd.conf.d/60-{_NAME}.conf"


class Servers(NamedTuple):
    """Names or addresses, and whether each stands for a pool of servers."""

    names: tuple[str, ...]
    pool: bool


def wanted(facts: Facts) -> Servers:
    """The servers of the settings, else the distribution's pool; those that are configured are left out."""
    names, pool = facts.settings.ntp, False
    if not names:
        names, pool = (pool_of(facts),), True
    there = facts.get(configured_servers)
    return Servers(tuple(one for one in names if one not in there and _is_plain(one)), pool)


def pool_of(facts: Facts) -> str:
    """The pool of this distribution, or of the one that it resembles."""
    try:
        release = facts.get(system.os_release)
    except HostError:
        return _ANY_POOL
    name = release.id.removesuffix("-leap").removesuffix("-tumbleweed")
    return next((_POOL.format(one) for one in (name, *release.like) if one in _POOLS), _ANY_POOL)


def _is_plain(name: str) -> bool:
    return re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.:-]{0,252}", name) is not None


def plan(check: str, facts: Facts) -> Plan | None:
    """Has the running service ask these servers too; None where none runs, or it asks them already."""
    state = facts.get(time.synchronisation)
    running = [one for one in state.services if one.running]
    servers = wanted(facts)
    if len(running) != 1 or state.word.synchronised is True or not servers.names:
        return None
    service = running[0]
    edit = _edit(facts.host, service.name, servers)
    unit = service.unit or ("" if service.process and state.systemd else service.name)
    if edit is None or not unit or service.startup.startswith("masked"):  # nothing starts a masked one again
        return None
    names = _(" and ").join(servers.names)
    return Plan(
        check,
        None,
        "set-ntp-servers",
        _("Have {service} ask {names}", service=service.name, names=names),
        _restarting(state.systemd, unit, edit),
        "low",
        reversible=True,
        needs_root=True,
        consequence=_(
            "{service} asks {names} besides the servers that are set already{instead}. "
            "UDP port 123 has to be open to the outside for it.",
            service=service.name,
            names=names,
            instead=_instead(service),
        ),
        interrupts=_("{service}, for a second", service=service.name),
        settle=SETTLE_S,
    )


def _instead(service: time.Service) -> str:
    """timesyncd asks its built-in servers only while no others are set."""
    return _(" (in place of those that are built in)") if service.name == "systemd-timesyncd" else ""


def _restarting(systemd: bool, unit: str, edit: Edit) -> tuple[PlanStep, ...]:
    """Stopped before and started after, so that taking back runs the same way: stop, old file, start."""
    tool = ("systemctl", "{}", unit) if systemd else ("rc-service", unit, "{}")
    stop = tuple(word.format("stop") for word in tool)
    start = tuple(word.format("start") for word in tool)
    return Command(stop, (start,)), edit, Command(start, (stop,))


def _edit(host: Host, service: str, servers: Servers) -> Edit | None:
    """The file that this service reads, with the servers in it."""
    if service == "systemd-timesyncd":
        before = read_if_there(host, _TIMESYNCD)
        lines = f"NTP={' '.join(servers.names)}\n"
        return Edit(_TIMESYNCD, before, _added(before, lines, f"{_HEAD}[Time]\n"))
    if service.startswith("chrony"):
        return _chrony(host, servers)
    for path in NTPD.get(service, ()):
        before = read_if_there(host, path)
        if before is not None:
            word = "servers" if service == "openntpd" else "pool" if servers.pool else "server"
            end = "" if service == "openntpd" else " iburst"
            lines = "".join(f"{word} {name}{end}\n" for name in servers.names)
            return Edit(path, before, _added(before, lines, ""))
    return None


def _chrony(host: Host, servers: Servers) -> Edit | None:
    """A file of ours where chrony.conf names a directory for such, else lines at its end."""
    lines = "".join(f"{'pool' if servers.pool else 'server'} {name} iburst\n" for name in servers.names)
    for path in CHRONY:
        main = read_if_there(host, path)
        if main is None:
            continue
        for directive, suffix in (("sourcedir", "sources"), ("confdir", "conf")):
            directory = directory_of(main, directive)
            if directory:
                own = f"{directory}/{_NAME}.{suffix}"
                before = read_if_there(host, own)
                return Edit(own, before, _added(before, lines, _HEAD))
        return Edit(path, main, _added(main, lines, ""))
    return None


def directory_of(conf: bytes, directive: str) -> str:
    """The first directory below /etc that chrony.conf names with this directive; empty: none."""
    for line in conf.decode("utf-8", "replace").splitlines():
        words = line.split()
        if words[:1] and words[0].lower() == directive:
            found = next((word.rstrip("/") for word in words[1:] if word.startswith("/etc/")), "")
            if found:
                return found
    return ""


def _added(before: bytes | None, lines: str, head: str) -> bytes:
    """The file with these lines at its end; `head` begins a new one."""
    if not before:
        return (head + lines).encode()
    end = b"" if before.endswith(b"\n") else b"\n"
    return before + end + lines.encode()
