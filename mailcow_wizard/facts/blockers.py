"""Who holds a port that mailcow wants, as something that can be stopped: unit, container, process."""

import re

from mailcow_wizard.facts.containers import Container
from mailcow_wizard.facts.ports import Occupant, unit_of_cgroup
from mailcow_wizard.facts.protected_services import is_runner, is_way_in
from mailcow_wizard.host.replies import Listener
from mailcow_wizard.language import _
from mailcow_wizard.typed import NamedTuple

UNIT, CONTAINER, PROCESS = "unit", "container", "process"
KEPT, RUNNER, DOCKER, HIDDEN = "kept", "runner", "docker", "hidden"
MAIL_SERVERS = ("postfix", "exim", "sendmail", "opensmtpd")
WEB_SERVERS = ("nginx", "apache", "caddy", "haproxy", "traefik", "lighttpd")

# By the program's name, its package, its unit or its container's image: (role, pattern of the whole word).
_ROLES: tuple[tuple[str, str], ...] = (
    ("postfix", r"postfix|postfix[@.-].*"),
    ("exim", r"exim|exim4|exim4?[-.].*"),
    ("sendmail", r"sendmail|sendmail[-.].*"),
    ("opensmtpd", r"opensmtpd|opensmtpd[-.].*"),
    ("nginx", r"nginx|nginx[-.].*"),
    ("apache", r"apache2|httpd|(?:apache2|httpd)[-.].*"),
    ("caddy", r"caddy|caddy[-.].*"),
    ("haproxy", r"haproxy|haproxy[-.].*"),
    ("traefik", r"traefik|traefik[-.].*"),
    ("lighttpd", r"lighttpd|lighttpd[-.].*"),
)
# A connection or what is left of one ends by itself; nothing has to be stopped for it.
STOPPABLE = ("listening", "bound", "published")


class Blocker(NamedTuple):
    """One who is in the way, with all of its sockets on the port.

    `kind` is unit, container, process (of no unit), kept (a way into the machine), runner (cron and others
    that run programs of other people), docker (a container that Docker does not name), or hidden (nothing
    that could be stopped is known). `names` are the units that hold the socket together (a socket unit and
    its service), else the one name. `role` is the program that it is, where that is known. `main` is the main
    program of a unit in which who listens is only one of several (facts.main_programs).
    """

    kind: str
    names: tuple[str, ...]
    role: str
    package: str
    listeners: tuple[Listener, ...]
    pid: int = 0
    container: Container | None = None
    program: str = ""
    user: str = ""
    main: str = ""

    @property
    def name(self) -> str:
        """For people: `nginx`, `lazy.socket`, `the container web`."""
        if self.kind == CONTAINER:
            return _("the container {names}", names=self.names[0])
        return plain(self.names[0]) if self.kind in (UNIT, RUNNER) else self.names[0]


def plain(unit: str) -> str:
    """A unit's name for people: `postfix@-.service` is postfix."""
    return unit.removesuffix(".service").removesuffix("@-")


def is_script(unit: str, role: str) -> bool:
    """Whether a unit is likely made from an init script: `systemctl disable --now` does not stop those."""
    return role in ("exim", "sendmail") and unit.endswith(".service")


def blockers(occupants: tuple[Occupant, ...]) -> tuple[Blocker, ...]:
    """Those of the occupants that are not mailcow, each once."""
    found: dict[tuple[str, tuple[str, ...]], Blocker] = {}
    for one in (_blocker(occupant) for occupant in occupants if occupant.own is False):
        known = found.get((one.kind, one.names))
        found[one.kind, one.names] = (
            known._replace(listeners=(*known.listeners, *one.listeners)) if known else one
        )
    return tuple(found.values())


def _blocker(occupant: Occupant) -> Blocker:
    processes = occupant.holder.processes
    sockets = (occupant.listener,)
    if occupant.listener.state not in STOPPABLE:
        return Blocker(HIDDEN, (occupant.listener.state,), "", "", sockets)
    if occupant.container:
        box = occupant.container
        image = box.image.partition("@")[0].rpartition("/")[2].partition(":")[0]
        return Blocker(CONTAINER, (box.name,), _role(image), "", sockets, container=box)
    if occupant.docker:
        return Blocker(DOCKER, (_("a Docker container"),), "", "", sockets)
    first = next((one for one in processes if one.pid != 1), processes[0] if processes else None)
    program = first.exe.rpartition("/")[2] if first else ""
    name = first.name if first else ""
    units = _units(occupant)
    # Postfix's listener is called `master`; the directory that it lies in says what it is.
    directory = "postfix" if first and "/postfix/" in first.exe else ""
    role = next(filter(None, map(_role, (directory, program, name, occupant.package, *units))), "")
    found = Blocker(UNIT, units or (name,), role, occupant.package, sockets)
    if first:
        found = found._replace(pid=first.pid, program=name, user=first.user, main=occupant.main)
    if is_way_in((program, name), units):
        return found._replace(kind=KEPT)
    if is_runner((program, name), units):
        return found._replace(kind=RUNNER)
    if units:
        return found
    if first:
        # `master` says nothing; it is postfix's.
        return found._replace(kind=PROCESS, names=(role if name == "master" else name,))
    return Blocker(HIDDEN, (_("an unknown process"),), "", "", sockets)


def _role(word: str) -> str:
    return next((role for role, pattern in _ROLES if re.fullmatch(pattern, word)), "")


def _units(occupant: Occupant) -> tuple[str, ...]:
    """The socket's unit, and those of further processes that it was handed to."""
    if not occupant.unit:
        return ()
    others = (unit_of_cgroup(one.cgroup) for one in occupant.holder.processes if one.pid != 1)
    return tuple(dict.fromkeys(filter(None, (occupant.unit, *others))))
