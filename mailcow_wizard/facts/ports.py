"""Who listens where mailcow wants to listen: sockets, processes, units, packages, containers."""

from collections.abc import Callable, Iterator
from functools import partial

from mailcow_wizard.facts import containers
from mailcow_wizard.facts.bindings import EVERY_ADDRESS_V4, Binding, bindings, conflicts
from mailcow_wizard.facts.containers import Container
from mailcow_wizard.facts.mailcow_conf import MailcowConf, mailcow_conf
from mailcow_wizard.facts.packages import owners_of
from mailcow_wizard.facts.returning import returning
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.replies import Holder, Listener, Listeners
from mailcow_wizard.typed import NamedTuple

_SYSTEMD = 1
_OWN_NAMES = ("mailcow-wizard", "mailcow_wizard")


class Occupant(NamedTuple):
    """A socket that stands in mailcow's way, and all that is known of who holds it.

    `main` names the unit's main program where who listens is another one (facts.main_programs).
    `docker` says that Docker opened it, `container` whose it is where Docker's API told; `own` that it is
    mailcow itself (None: Docker's, but whose cannot be told).
    """

    listener: Listener
    holder: Holder
    unit: str = ""
    package: str = ""
    docker: bool = False
    container: Container | None = None
    own: bool | None = False
    main: str = ""

    @property
    def is_this_program(self) -> bool:
        """Whether it is a wizard that listens."""
        words = (word for process in self.holder.processes for word in process.command[:3])
        return any(word.rpartition("/")[2].removesuffix(".pyz") in _OWN_NAMES for word in words)


class PortFacts(NamedTuple):
    """One of mailcow's ports and who is in its way. `source` says how sockets were listed, `untried` that
    only listeners could be seen; `foreign_address` that this machine does not have the address; `left` that
    containers go on of a Docker that has ended, which publish ports without a listener (None: perhaps);
    `returning` are units that do not run, but would take the port at the next boot."""

    binding: Binding
    occupants: tuple[Occupant, ...]
    conf: MailcowConf
    is_root: bool
    source: str
    foreign_address: bool = False
    untried: bool = False
    left: bool | None = False
    returning: tuple[str, ...] = ()


def survey(facts: Facts) -> dict[str, PortFacts]:
    """All thirteen ports, by check id; holders are looked for only where a socket is in the way."""
    conf = facts.get(mailcow_conf)
    wanted = bindings(conf.values, conf.odd)
    listening = facts.host.listeners(tuple(sorted({one.number for one in wanted})))
    in_the_way = {one.port.id: _in_the_way(one, listening) for one in wanted}
    known = _known(facts, {one.inode: one for some in in_the_way.values() for one in some})
    is_root = facts.host.user().uid == 0
    left = _left_running(facts)
    boxes = _boxes(facts)
    later = returning(facts, {one.number for one in wanted})
    seen = {
        one.port.id: tuple(known[s.inode]._replace(listener=s) for s in in_the_way[one.port.id])
        for one in wanted
    }
    return {
        one.port.id: PortFacts(
            one,
            tuple(
                _own(some, one, facts)
                for some in (
                    *seen[one.port.id],
                    *_published(boxes, partial(conflicts, one), seen[one.port.id]),
                )
            ),
            conf,
            is_root,
            listening.source,
            _is_foreign(facts, one.address),
            one.number in listening.untried,
            left,
            later.get(one.number, ()),
        )
        for one in wanted
    }


def _known(facts: Facts, listeners: dict[int, Listener]) -> dict[int, Occupant]:
    """Who holds these sockets, by inode."""
    sockets = tuple(listeners.values())
    holders = facts.host.holders(sockets) if sockets else ()
    known = {one.inode: _occupant(facts, one, holder) for one, holder in zip(sockets, holders, strict=True)}
    return _with_main_programs(facts, _with_packages(facts, known))


def holding(facts: Facts, numbers: tuple[int, ...]) -> tuple[Occupant, ...]:
    """Everyone who has one of these ports at some address, mailcow or not. Raises HostError."""
    found = _known(facts, {one.inode: one for one in _with_v6only(facts.host.listeners(numbers))})
    seen = tuple(found.values())
    return (*seen, *_published(_boxes(facts), lambda place: place.port in numbers, seen))


def _boxes(facts: Facts) -> tuple[Container, ...]:
    try:
        return facts.get(containers.containers) if containers.may_run(facts) else ()
    except HostError:
        return ()


def _published(
    boxes: tuple[Container, ...], wanted: Callable[[Listener], bool], seen: tuple[Occupant, ...]
) -> Iterator[Occupant]:
    """Containers that Docker keeps the place for though nothing of theirs listens there: it gives the port to
    nobody else while they run, whatever has become of its proxy (tried with 26.1 and 28.5)."""
    shown = {one.container.id for one in seen if one.container}
    for box in boxes:
        for address, port in box.published if box.id not in shown else ():
            six = ":" in address
            place = Listener(6 if six else 4, address, port, six, "", 0, 0, 0, "published")
            if wanted(place):
                yield Occupant(place, Holder(0, (), "", ""), docker=True, container=box)


def _left_running(facts: Facts) -> bool | None:
    # Imported only where there is a Docker: it takes a tenth of `check ports`.
    if not containers.may_run(facts):
        return False
    from mailcow_wizard.facts.docker_shims import left_running

    return facts.get(left_running)


def _is_foreign(facts: Facts, address: str) -> bool:
    """Whether a bind to the address would fail because the machine does not have it."""
    if address in ("", EVERY_ADDRESS_V4) or address.startswith("127."):
        return False
    # Imported only where an address is named: it takes a tenth of `check ports`.
    from mailcow_wizard.facts.network.routes import own_v4

    if address in facts.get(own_v4):
        return False
    try:
        return facts.host.text("/proc/sys/net/ipv4/ip_nonlocal_bind").strip() != "1"
    except HostError:
        return True


def _in_the_way(binding: Binding, listening: Listeners) -> list[Listener]:
    return [one for one in _with_v6only(listening) if conflicts(binding, one)]


def _with_v6only(listening: Listeners) -> list[Listener]:
    """Where the source does not tell: [::] beside 0.0.0.0 can only be IPv6 alone, else it takes both."""
    taken = {one.port for one in listening.sockets if one.family == 4 and one.address == "0.0.0.0"}
    return [
        one._replace(v6only=one.port in taken) if one.family == 6 and one.v6only is None else one
        for one in listening.sockets
    ]


def _occupant(facts: Facts, listener: Listener, holder: Holder) -> Occupant:
    cgroup = holder.cgroup or next((one.cgroup for one in holder.processes), "")
    docker = containers.is_docker(holder, cgroup)
    return Occupant(
        listener,
        holder,
        unit=_unit(facts, listener, holder, cgroup),
        docker=docker,
        container=containers.container_of(facts, listener, cgroup) if docker else None,
    )


def _unit(facts: Facts, listener: Listener, holder: Holder, cgroup: str) -> str:
    """The systemd unit; the .socket unit where systemd itself holds the socket."""
    if any(one.pid == _SYSTEMD and one.name == "systemd" for one in holder.processes):
        return _socket_unit(facts, listener) or unit_of_cgroup(cgroup)
    return unit_of_cgroup(cgroup)


def unit_of_cgroup(path: str) -> str:
    """The unit that this machine's own systemd knows: the outermost one.

    A user's services, and those inside an LXC container, are another systemd's: `systemctl disable` would
    miss them, or end all that the user has running.
    """
    for part in path.split("/"):
        if part.startswith(("user@", "lxc.payload")):
            return ""
        if part.endswith((".service", ".socket")):
            return part
    return ""


def _socket_unit(facts: Facts, listener: Listener) -> str:
    """Asks systemd which socket unit listens there; its rows are: address, unit, what it starts."""
    try:
        rows = facts.get(_socket_units)
    except HostError:
        return ""
    found: dict[str, str] = {}
    for address, unit in rows:
        host, _, port = address.rpartition(":")
        if port == str(listener.port):
            found.setdefault(host.strip("[]*"), unit)
    # One of IPv6 alone may stand beside it.
    return next((found[one] for one in (listener.address, "", "::", "0.0.0.0") if one in found), "")


def _socket_units(facts: Facts) -> tuple[tuple[str, str], ...]:
    listed = facts.host.run(("systemctl", "list-sockets", "--all", "--full", "--no-legend", "--no-pager"))
    rows = (line.split() for line in listed.out.splitlines())
    return tuple((row[0], row[1]) for row in rows if len(row) >= 2 and row[1].endswith(".socket"))


def _with_packages(facts: Facts, known: dict[int, Occupant]) -> dict[int, Occupant]:
    """Adds the package that each program came with, asked for all of them at once."""
    programs = {inode: one.holder.processes[0].exe for inode, one in known.items() if one.holder.processes}
    packages = owners_of(facts, tuple(sorted({path for path in programs.values() if path})))
    return {
        inode: one._replace(package=packages.get(programs.get(inode, ""), "")) for inode, one in known.items()
    }


def _with_main_programs(facts: Facts, known: dict[int, Occupant]) -> dict[int, Occupant]:
    """Adds what else runs in the units; asked once for each unit and its processes."""
    if not any(one.unit and not one.docker for one in known.values()):
        return known
    from mailcow_wizard.facts.main_programs import other_main

    found: dict[tuple[str, tuple[int, ...]], str] = {}
    for one in known.values():
        key = _of_unit(one)
        if one.unit and not one.docker and key not in found:
            found[key] = other_main(facts, one.unit, one.holder, one.package)
    return {inode: one._replace(main=found.get(_of_unit(one), "")) for inode, one in known.items()}


def _of_unit(occupant: Occupant) -> tuple[str, tuple[int, ...]]:
    return occupant.unit, tuple(one.pid for one in occupant.holder.processes)


def _own(occupant: Occupant, binding: Binding, facts: Facts) -> Occupant:
    """Says whether mailcow's own container is behind it."""
    if not occupant.docker:
        return occupant
    return occupant._replace(own=containers.is_mailcow(facts, occupant.holder, occupant.container, binding))
