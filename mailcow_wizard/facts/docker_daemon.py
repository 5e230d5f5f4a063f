"""Docker's daemon as this machine runs it: its process, its unit, whether it starts with the machine."""

from __future__ import annotations

import contextlib

from mailcow_wizard.facts import docker, units
from mailcow_wizard.facts.containers import DAEMON
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.door import Host
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.language import _
from mailcow_wizard.numerals import is_number
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from mailcow_wizard.host.replies import Process

SERVICE = "docker.service"
SOCKET = "docker.socket"
SCRIPT = "/etc/init.d/docker"
_OPENRC = "/etc/runlevels"
_RUN_LEVELS = ("2", "3", "4", "5")  # of System V; Debian's Docker brings a script for that
_PID_FILE = "/run/docker.pid"
RUNLEVEL = "/etc/runlevels/default/docker"
_JOURNAL = ("journalctl", "-u", "docker", "-b", "-n", "30", "-o", "cat", "--no-pager")
_REASONS = ("unable to configure", "failed to start daemon", "error initializing", "level=fatal")


class Daemon(NamedTuple):
    """The engine, and how it is started. `service` and `socket` are systemd's units (None: no systemd, or not
    asked); `openrc`: that starts it, `script`: its script does without that, and `at_boot` whether it starts
    with the machine (None: nobody knows); `links` are the run levels' links to the script.
    `last` is what the daemon said last, where it does not run; `unread` why units are not known. `rootless`:
    one without root answers; `users` are those who run one while the system's does not answer. `stopped`: it
    does not start with its settings as they are."""

    engine: docker.Engine
    service: units.Unit | None = None
    socket: units.Unit | None = None
    openrc: bool = False
    script: bool = False
    links: tuple[str, ...] = ()
    at_boot: bool | None = None
    last: str = ""
    unread: str = ""
    rootless: bool = False
    users: tuple[str, ...] = ()
    stopped: bool = False


def daemon(facts: Facts) -> Daemon:
    """Looks whether it runs and whether it will run after the next start of the machine."""
    engine = facts.get(docker.engine)
    users = () if engine.state == "answers" else facts.get(docker.rootless_users)
    known = facts.get(docker.told)
    found = Daemon(engine, rootless=bool(known and known.rootless), users=users)
    if units.is_running(facts):
        try:
            service, socket = units.units(facts, (SERVICE, SOCKET))
        except HostError as error:
            return found._replace(unread=str(error))
        there = service.load != "not-found"
        lasting = service.enabled and not service.state.endswith("-runtime")
        found = found._replace(service=service, socket=socket, at_boot=lasting if there else None)
    elif facts.host.exists(SCRIPT) and facts.host.exists(_OPENRC):
        found = found._replace(openrc=True, at_boot=facts.host.exists(RUNLEVEL))
    elif facts.host.exists(SCRIPT):
        links = _links(facts.host)
        starts = any(link.startswith("S") for link in links)
        found = found._replace(script=True, links=links, at_boot=starts)
    if found.engine.state in ("refused", "silent", "absent") and found.service:
        found = found._replace(last=_last_words(facts))
    return found


def _links(host: Host) -> tuple[str, ...]:
    """The links by which System V's run levels start (S…) and stop (K…) it."""
    found = []
    for level in _RUN_LEVELS:
        try:
            found += [name for name in host.names(f"/etc/rc{level}.d") if name[3:] == "docker"]
        except HostError:
            continue
    return tuple(found)


def _last_words(facts: Facts) -> str:
    """Why the daemon did not start, in its own words; empty where the journal does not tell."""
    try:
        lines = facts.host.run(_JOURNAL, begun=True).out.splitlines()
    except HostError:
        return ""
    told = [line.strip() for line in lines if any(one in line for one in _REASONS)]
    return told[-1][:300] if told else ""


def processes(facts: Facts) -> tuple[Process, ...]:
    """The dockerds of this machine itself: a container (LXC, Podman) may run one of its own. Raises HostError
    where the processes do not tell."""
    return tuple(one for one in facts.get(docker.dockerds) if not _is_known_inside_another(facts, one))


def _is_known_inside_another(facts: Facts, process: Process) -> bool:
    try:
        return is_inside_another(facts, process)
    except HostError:
        return False


def is_inside_another(facts: Facts, process: Process) -> bool:
    """Whether it is a process of a container: those have a number inside as well. Raises HostError."""
    lines = facts.host.text(f"/proc/{process.pid}/status").splitlines()
    return any(len(line.split()) > 2 for line in lines if line.startswith("NSpid:"))


def options(facts: Facts) -> tuple[str, ...]:
    """The words that the running daemon was started with; empty where it is not known which process it is."""
    return facts.get(started).words


def options_unread(facts: Facts) -> str:
    """Why it is not known with which words the daemon that runs was started; empty: nothing is hidden."""
    return facts.get(started).unread if facts.get(docker.engine).state in ("answers", "silent") else ""


class Started(NamedTuple):
    """The words that the daemon was started with, and why they are not known."""

    words: tuple[str, ...] = ()
    unread: str = ""


def started(facts: Facts) -> Started:
    """Finds the process of the daemon that answers, and what it was told."""
    written = _by_pid_file(facts)
    if written:
        return Started(written)
    try:
        daemons = [one for one in facts.get(processes) if one.user == "root"]
    except HostError as error:
        return Started(unread=str(error))
    by_command: dict[tuple[str, ...], Process] = {}
    for one in daemons:  # what one is about to start looks like itself for a moment
        by_command.setdefault(one.command, one)
    found = list(by_command.values())
    if len(found) > 1:  # several engines on one machine: each has its own place for data
        known = facts.get(docker.told)
        place = known.root if known else ""
        mine = [one for one in found if place and _names(facts.host, one, place)]
        # The place of one that names none on its command line is in its file, or the usual one.
        mine = mine or [one for one in found if place and not option(one.command, "data-root")]
        if len(mine) != 1:
            numbers = ", ".join(str(one.pid) for one in found)
            which = _("which of several dockerds answers is not known (processes {numbers})", numbers=numbers)
            return Started(unread=which)
        found = mine
    return Started(found[0].command[1:]) if found else Started()


def _names(host: Host, process: Process, place: str) -> bool:
    """Whether its command line names this place for data: Docker tells it without links, and a directory in
    it where users are mapped (userns-remap)."""
    named = option(process.command, "data-root")
    if not named:
        return False
    with contextlib.suppress(HostError):
        named = host.resolve(named)
    above, _slash, last = place.rpartition("/")
    return named.rstrip("/") in (place, above if is_number(last.replace(".", "", 1)) else place)


def _by_pid_file(facts: Facts) -> tuple[str, ...]:
    """The words of the process that the daemon's usual file names: to look through all takes much longer."""
    try:
        pid = facts.host.text(_PID_FILE, 64).strip()
        words = facts.host.text(f"/proc/{pid}/cmdline").split("\0") if is_number(pid) else []
    except HostError:
        return ()
    return tuple(word for word in words[1:] if word) if words[:1] and words[0].endswith(DAEMON) else ()


def option(words: tuple[str, ...], name: str) -> str:
    """The value of an option of the daemon's command line, the last where it is said twice; `true` where it
    stands alone, empty: not there."""
    found = ""
    for number, word in enumerate(words):
        key, equals, value = word.partition("=")
        if key.lstrip("-") != name or not key.startswith("-"):
            continue
        after = words[number + 1] if number + 1 < len(words) else "-"
        found = value if equals else "true" if after.startswith("-") else after
    return found
