"""Services that do not run now, but start with the machine and take a port that mailcow wants: after the next
boot one of the two finds it taken."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mailcow_wizard.facts import units
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.door import HostError
from mailcow_wizard.patterns import pattern

TAKES: Mapping[str, tuple[int, ...]] = {
    **dict.fromkeys(("postfix", "exim", "exim4", "sendmail", "opensmtpd", "smtpd"), (25,)),
    "dovecot": (143, 993),
    "cyrus-imapd": (143,),
    **dict.fromkeys(("nginx", "apache2", "httpd", "lighttpd"), (80,)),
    "caddy": (80, 443),
}
"""Services by name, and the ports that they take as their packages set them up."""

_WANTED = "/etc/systemd/system/multi-user.target.wants"
_SCRIPTS = "/etc/rc3.d"  # Debian's links to init scripts, as sendmail still has one
_CGROUPS = ("/sys/fs/cgroup", "/sys/fs/cgroup/systemd")  # of version 2, and of version 1
_STARTED = pattern(r"(?:S[0-9]{2})?(.+?)(?:\.service)?")


def returning(facts: Facts) -> dict[int, tuple[str, ...]]:
    """The units that come back, by the port that they take; none where systemd does not tell, or a recorded
    machine was not asked."""
    try:
        idle = _idle(facts)
    except HostError:
        return {}
    ports = {port for name, _unit in idle for port in TAKES[name]}
    return {port: tuple(unit for name, unit in idle if port in TAKES[name]) for port in ports}


def _idle(facts: Facts) -> list[tuple[str, str]]:
    """Of the services that start with the machine and do not run: name and unit. Raises HostError."""
    if not units.is_running(facts):
        return []
    started = {*_started(facts, _WANTED, ""), *_started(facts, _SCRIPTS, "S")} & TAKES.keys()
    names = tuple(sorted(one for one in started if not _runs(facts, one)))
    found = units.units(facts, tuple(f"{name}.service" for name in names))
    return [
        (name, unit.id)
        for name, unit in zip(names, found, strict=True)
        if unit.enabled and not unit.active and unit.load == "loaded" and not _is_gone(facts, name, unit)
    ]


def _runs(facts: Facts, name: str) -> bool:
    """Whether it has processes: asking systemd takes a quarter of `check ports`."""
    return any(facts.host.exists(f"{above}/system.slice/{name}.service") for above in _CGROUPS)


def _is_gone(facts: Facts, name: str, unit: units.Unit) -> bool:
    """Whether only the init script is left, which Debian keeps of a package that is removed."""
    program = "sendmail-mta" if name == "sendmail" else name
    return unit.state == "generated" and not facts.host.exists(f"/usr/sbin/{program}")


def _started(facts: Facts, directory: str, mark: str) -> Iterator[str]:
    """The names of services that a directory starts with the machine; its links begin with `mark`."""
    try:
        links = facts.host.names(directory)
    except HostError:
        return
    for link in links:
        named = _STARTED.fullmatch(link) if link.startswith(mark) else None
        if named:
            yield named[1]
