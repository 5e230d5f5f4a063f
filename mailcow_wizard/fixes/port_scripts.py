"""Stops a service on a machine without systemd, by its init script, and keeps it from starting again."""

from __future__ import annotations

from mailcow_wizard.facts.blockers import PROCESS, Blocker
from mailcow_wizard.facts.presence import has_command, names_in
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.facts.units import is_running
from mailcow_wizard.fixes.port_units import Stopping
from mailcow_wizard.language import _
from mailcow_wizard.model import Command, Manual

_SCRIPTS = "/etc/init.d"
_RUN_LEVELS = ("2", "3", "4", "5")
_SCRIPT_OF = {
    "exim": ("exim4", "exim"),
    "apache": ("apache2", "httpd"),
    "opensmtpd": ("opensmtpd", "smtpd"),
}


def script_of(facts: Facts, blockers: tuple[Blocker, ...]) -> str:
    """The init script of the one service in the way; empty where systemd runs or there is no such script."""
    if len(blockers) != 1 or blockers[0].kind != PROCESS or facts.get(is_running):
        return ""
    one = blockers[0]
    names = (*_SCRIPT_OF.get(one.role, (one.role,)), one.package, one.names[0])
    known = (name for name in names if name and "/" not in name)
    return next((name for name in known if facts.host.exists(f"{_SCRIPTS}/{name}")), "")


def stopping_script(facts: Facts, name: str) -> Stopping:
    """The commands for the machine's own init system: OpenRC, or scripts in the manner of System V."""
    if has_command(facts.host, "rc-service") and has_command(facts.host, "rc-update"):
        return _openrc(facts, name)
    stop = Command((f"{_SCRIPTS}/{name}", "stop"), ((f"{_SCRIPTS}/{name}", "start"),))
    if has_command(facts.host, "update-rc.d"):
        switch = _switch(facts, name, ("update-rc.d", name, "disable"), ("update-rc.d", name, "enable"))
    elif has_command(facts.host, "chkconfig"):
        switch = _switch(facts, name, ("chkconfig", name, "off"), ("chkconfig", name, "on"))
    else:
        return Stopping(
            (stop,),
            (Manual(_("Keep {name} from starting at boot: {scripts}/{name}.", name=name, scripts=_SCRIPTS)),),
            lasting=False,
        )
    return Stopping((*switch, stop))


def _switch(facts: Facts, name: str, off: tuple[str, ...], on: tuple[str, ...]) -> tuple[Command, ...]:
    return (Command(off, (on,)),) if _starts_at_boot(facts, name) else ()


def kept_off(facts: Facts, names: tuple[str, ...]) -> Stopping:
    """OpenRC starts these services no more; whether they run now is not touched."""
    return Stopping(tuple(command for name in names for command in _off(facts, name)))


def _openrc(facts: Facts, name: str) -> Stopping:
    stop = Command(("rc-service", name, "stop"), (("rc-service", name, "start"),))
    return Stopping((*_off(facts, name), stop))


def _off(facts: Facts, name: str) -> tuple[Command, ...]:
    levels = (level for level in names_in(facts.host, "/etc/runlevels") if _has(facts, level, name))
    return tuple(
        Command(("rc-update", "del", name, level), (("rc-update", "add", name, level),)) for level in levels
    )


def _has(facts: Facts, level: str, name: str) -> bool:
    return name in names_in(facts.host, f"/etc/runlevels/{level}")


def _starts_at_boot(facts: Facts, name: str) -> bool:
    links = (one for level in _RUN_LEVELS for one in names_in(facts.host, f"/etc/rc{level}.d"))
    return any(one[:1] == "S" and one[3:] == name for one in links)
