"""Services and sockets that do not run now, but start with the machine and take a port that mailcow wants:
after the next boot one of the two finds it taken."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from mailcow_wizard.facts import units
from mailcow_wizard.facts.containers import is_contained
from mailcow_wizard.facts.presence import names_in
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.numerals import is_number, whole

TAKES: Mapping[str, tuple[int, ...]] = {
    **dict.fromkeys(("postfix", "exim", "exim4", "sendmail", "opensmtpd", "smtpd"), (25,)),
    "dovecot": (143, 993),
    "cyrus-imapd": (143,),
    **dict.fromkeys(("nginx", "apache2", "httpd", "lighttpd"), (80,)),
    "caddy": (80, 443),
    "haproxy": (),
}
"""Services by name, and the ports that they take as their packages set them up."""

_OWN = "/etc/systemd/system"
_DEFAULTS = (f"{_OWN}/default.target", "/usr/lib/systemd/system/default.target")
_SCRIPTS = "/etc/rc3.d"  # Debian's links to init scripts, as sendmail still has one
_SLICES = ("/sys/fs/cgroup/system.slice", "/sys/fs/cgroup/systemd/system.slice")  # of version 2, of version 1
_SERVICE, _SOCKET = ".service", ".socket"
_USUAL, _GRAPHICAL = "multi-user.target", "graphical.target"  # the second requires the first
# Every boot comes by these, whichever target it ends at.
_ALWAYS = ("sysinit.target", "basic.target", "sockets.target")
_DEEPEST = 6
_LEVELS = "/etc/runlevels"
_AT_BOOT = ("sysinit", "boot", "default")  # openrc(8): the runlevels that a start goes through
_OPENRC = "/run/openrc"
# As the kernel calls the processes of services that are not called as these.
_PROCESSES = {
    "apache2": ("apache2", "httpd"),
    "cyrus-imapd": ("cyrmaster", "master"),
    "exim": ("exim", "exim4"),
    "postfix": ("master",),
    "sendmail": ("sendmail", "sendmail-mta"),
    "opensmtpd": ("smtpd",),
}


def returning(facts: Facts, wanted: Collection[int]) -> dict[int, tuple[str, ...]]:
    """The units that come back (of OpenRC its services), by the port of those `wanted` that they take; none
    where systemd does not tell, or a recorded machine was not asked."""
    try:
        takes = _idle(facts, frozenset(wanted))
    except HostError:
        return {}
    ports = {port for some in takes.values() for port in some}
    return {port: tuple(unit for unit, some in takes.items() if port in some) for port in ports}


def _idle(facts: Facts, wanted: frozenset[int]) -> dict[str, frozenset[int]]:
    """The units that start with the machine and do not run, with the ports that they take. Raises
    HostError."""
    if not units.is_running(facts):
        return _idle_in_openrc(facts, wanted)
    starters = _starters(facts)
    sockets = {one: ports & wanted for one in starters if (ports := _of_socket(facts, one)) & wanted}
    services = (one for one in starters if _name(one) in TAKES and not _runs(facts, one))
    names = tuple(sorted((*sockets, *services)))
    found = units.units(facts, names)
    return {
        unit.id: sockets.get(name) or _of_service(facts, _name(name)) & wanted
        for name, unit in zip(names, found, strict=True)
        if unit.enabled
        and unit.load == "loaded"
        and (not unit.runs or _has_ended(facts, unit))
        and not _is_gone(facts, name, unit)
        and _starts(facts, unit, starters[name])
    }


def _idle_in_openrc(facts: Facts, wanted: frozenset[int]) -> dict[str, frozenset[int]]:
    """The same where OpenRC runs. Whom it has started it notes, but not who has ended since, nor, of scripts
    in the manner of System V, who was stopped. Raises HostError."""
    if not facts.host.exists(f"{_OPENRC}/softlevel"):
        return {}
    listed = {
        name for level in _AT_BOOT for name in names_in(facts.host, f"{_LEVELS}/{level}")
    } & TAKES.keys()
    programs = {name: _PROCESSES.get(name, (name,)) for name in sorted(listed)}
    wanting = tuple(one for some in programs.values() for one in some)
    running = {one.name for one in facts.host.running(wanting) if not is_contained(one)} if wanting else set()
    idle = [name for name, some in programs.items() if running.isdisjoint(some)]
    takes = {one: _of_service(facts, one) & wanted for one in idle if _has_script(facts, one)}
    return {one: ports for one, ports in takes.items() if ports}


def _has_script(facts: Facts, name: str) -> bool:
    """Whether OpenRC can start it. Debian keeps the script of a package that is removed."""
    dpkg = facts.host.exists("/var/lib/dpkg/status")
    return facts.host.exists(f"/etc/init.d/{name}") and not (dpkg and not facts.host.exists(_program(name)))


def _name(unit: str) -> str:
    """Of a service."""
    return unit[: -len(_SERVICE)] if unit.endswith(_SERVICE) else ""


def _runs(facts: Facts, unit: str) -> bool:
    """Whether it has processes, itself or, as Debian's postfix, in an instance: asking systemd takes a
    quarter of `check ports`."""
    name = _name(unit)
    groups = (unit, f"system-{name}.slice/{name}@-{_SERVICE}")
    return any(facts.host.exists(f"{above}/{one}") for above in _SLICES for one in groups)


def _has_ended(facts: Facts, unit: units.Unit) -> bool:
    """Whether a service without processes is active all the same, as Debian's postfix after `postfix stop`;
    a socket never has any."""
    return unit.id.endswith(_SERVICE) and unit.runs and not unit.main and any(map(facts.host.exists, _SLICES))


def _is_gone(facts: Facts, name: str, unit: units.Unit) -> bool:
    """Whether only the init script is left, which Debian keeps of a package that is removed."""
    return unit.state == "generated" and not facts.host.exists(_program(_name(name)))


def _program(name: str) -> str:
    """Of a service, where Debian has it."""
    return f"/usr/sbin/{'sendmail-mta' if name == 'sendmail' else name}"


# --- what starts with the machine -------------------------------------------------------------------------


def _starters(facts: Facts) -> dict[str, set[str]]:
    """The units that others start by links of the administrator's, each with those others."""
    found: dict[str, set[str]] = {}
    for directory in names_in(facts.host, _OWN):
        other, _dot, kind = directory.rpartition(".")
        if kind in ("wants", "requires", "upholds"):
            for unit in names_in(facts.host, f"{_OWN}/{directory}"):
                found.setdefault(unit, set()).add(other)
    for script in names_in(facts.host, _SCRIPTS):
        if script[:1] == "S" and is_number(script[1:3]):
            found.setdefault(f"{script[3:]}{_SERVICE}", set()).add(_USUAL)
    return found


def _starts(facts: Facts, unit: units.Unit, starters: Collection[str]) -> bool:
    """Whether what starts a unit starts with the machine itself. Raises HostError."""
    ends = _ends(facts)
    seen: set[str] = set()
    above = {*starters, *unit.pulled_by}
    for _level in range(_DEEPEST):
        if not above.isdisjoint(ends):
            return True
        seen |= above
        names = tuple(sorted(above))
        above = {other for one in units.units(facts, names) for other in one.pulled_by} - seen
    return False


def _ends(facts: Facts) -> frozenset[str]:
    """The targets that a boot reaches for certain."""
    default = next((name for one in _DEFAULTS if (name := _target(facts, one))), _GRAPHICAL)
    return frozenset((*_ALWAYS, default, *([_USUAL] if default == _GRAPHICAL else ())))


def _target(facts: Facts, link: str) -> str:
    try:
        name = facts.host.resolve(link).rpartition("/")[2]
    except HostError:
        return ""
    return "" if name == "default.target" else name


# --- what it takes ----------------------------------------------------------------------------------------


def _of_service(facts: Facts, name: str) -> frozenset[int]:
    from mailcow_wizard.facts.service_ports import configured

    return frozenset(configured(facts, name, TAKES[name]))


def _of_socket(facts: Facts, unit: str) -> frozenset[int]:
    """The ports of a socket, by its file and what the administrator adds to it."""
    if not unit.endswith(_SOCKET):
        return frozenset()
    found: set[int] = set()
    added = f"{_OWN}/{unit}.d"
    for path in (
        f"{_OWN}/sockets.target.wants/{unit}",
        *(f"{added}/{one}" for one in names_in(facts.host, added)),
    ):
        try:
            text = facts.host.text(path)
        except HostError:
            continue
        for line in text.splitlines():
            key, _equals, value = line.partition("=")
            if key.strip() == "ListenStream":
                port = value.strip().rpartition(":")[2]
                found = found | {whole(port)} if port else set()  # an empty line forgets those before
    return frozenset(found)
