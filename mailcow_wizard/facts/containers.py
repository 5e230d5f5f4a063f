"""Docker's containers, as far as they hold ports: their names, and whether they are mailcow's own."""

import itertools
import re

from mailcow_wizard.facts.bindings import Binding
from mailcow_wizard.facts.mailcow_conf import DEFAULT_PROJECT, mailcow_conf
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError, Missing
from mailcow_wizard.host.replies import Holder, Listener, Process
from mailcow_wizard.language import _
from mailcow_wizard.typed import NamedTuple

SOCKETS = ("/var/run/docker.sock", "/run/docker.sock")
SNAP = ("/snap/bin/docker", "/snap/docker")
DAEMON = "dockerd"
_PROXIES = frozenset({"docker-proxy", "dockerd", "rootlessport"})
# Docker's own packages and archives, Debian's, Fedora's.
_PLACES = ("/usr/bin", "/usr/local/bin", "/usr/sbin", "/usr/libexec/docker")
_WRITABLE_BY_OTHERS = 0o022
_IN_CGROUP = r"(?:docker[-/])([0-9a-f]{64})"
_ENGINES = ("docker", "libpod", "kubepods", "/lxc")  # in the path of a control group
COMPOSE_LABEL = "com.docker.compose."
"""What the labels begin with by which compose knows its own."""


class Container(NamedTuple):
    """A container: its names for people and for compose, the ports that it publishes (address, port), the
    image that it was made from, and the ports of UDP and SCTP that it publishes (protocol, address, port).
    `home` is the directory of the mailcow that it is a part of, where that is another one than is looked at.
    """

    id: str
    name: str
    project: str
    service: str
    directory: str
    published: tuple[tuple[str, int], ...]
    image: str = ""
    others: tuple[tuple[str, str, int], ...] = ()
    home: str = ""


def containers(facts: Facts) -> tuple[Container, ...]:
    """The running containers, from Docker's API; raises HostError where it does not answer."""
    return _containers(facts, "/containers/json")


def every_container(facts: Facts) -> tuple[Container, ...]:
    """Those that do not run, too; raises HostError as well."""
    return _containers(facts, "/containers/json?all=1")


def _containers(facts: Facts, target: str) -> tuple[Container, ...]:
    import json

    reply = facts.host.http(docker_socket(facts), target)
    if reply.status != 200:
        raise HostError(_("Docker answers {status} when asked for its containers", status=reply.status))
    here = facts.settings.directory.rstrip("/") or "/"
    try:
        return tuple(_container(one, here) for one in json.loads(reply.body))
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        raise HostError(_("Docker's list of containers is not readable")) from None


def docker_socket(facts: Facts) -> str:
    """Where Docker's API is asked on this machine."""
    return next((one for one in SOCKETS if facts.host.exists(one)), SOCKETS[0])


def may_run(facts: Facts) -> bool:
    """Whether there is a Docker on this machine, or was one since it started: its socket, or its program."""
    if any(map(facts.host.exists, (*SOCKETS, *SNAP))):
        return True
    try:
        return bool(facts.host.which(DAEMON))
    except Missing:
        return False
    except HostError:
        return True


def _container(listed: dict[str, object], here: str) -> Container:
    names, labels, ports = listed.get("Names"), listed.get("Labels"), listed.get("Ports")
    labels = labels if isinstance(labels, dict) else {}
    places = tuple(
        (str(one.get("Type")), str(one.get("IP", "")), int(one["PublicPort"]))
        for one in (ports if isinstance(ports, list) else ())
        if isinstance(one, dict) and isinstance(one.get("PublicPort"), int)
    )
    service = str(labels.get(f"{COMPOSE_LABEL}service", ""))
    directory = str(labels.get(f"{COMPOSE_LABEL}project.working_dir", ""))
    return Container(
        id=str(listed["Id"]),
        name=str(names[0]).lstrip("/") if isinstance(names, list) and names else str(listed["Id"])[:12],
        project=str(labels.get(f"{COMPOSE_LABEL}project", "")),
        service=service,
        directory=directory,
        published=tuple((address, port) for kind, address, port in places if kind == "tcp"),
        image=str(listed.get("Image") or ""),
        others=tuple(one for one in places if one[0] in ("udp", "sctp")),
        home=directory if service.endswith("-mailcow") and directory.rstrip("/") != here else "",
    )


def is_docker(holder: Holder, cgroup: str) -> bool:
    """Whether Docker opened the socket for a container, or a container holds it itself (host network)."""
    # A process may call itself what it likes: its program counts, where it can be seen.
    names = {one.exe.rpartition("/")[2] or one.name for one in holder.processes}
    if names & _PROXIES or re.search(_IN_CGROUP, cgroup):
        return True
    return not holder.processes and cgroup.endswith("/docker.service")


def is_contained(process: Process) -> bool:
    """Whether it runs in a container, of Docker or another engine."""
    return any(one in process.cgroup for one in _ENGINES)


def container_of(facts: Facts, listener: Listener, cgroup: str) -> Container | None:
    """The container that a socket belongs to; None where Docker does not tell."""
    try:
        known = facts.get(containers)
    except HostError:
        return None
    match = re.search(_IN_CGROUP, cgroup)
    if match:
        return next((one for one in known if one.id == match[1]), None)
    same = (listener.address, listener.port)
    exact = (one for one in known if same in one.published)
    return next(exact, None) or next((one for one in known if listener.port in dict(_by_port(one))), None)


def _by_port(container: Container) -> list[tuple[int, str]]:
    return [(port, address) for address, port in container.published]


def is_mailcow(facts: Facts, holder: Holder, container: Container | None, binding: Binding) -> bool | None:
    """Whether it is mailcow's own container for this port; None where that cannot be told."""
    conf = facts.get(mailcow_conf)
    if container:
        project = conf.get("COMPOSE_PROJECT_NAME", DEFAULT_PROJECT)
        directory = facts.settings.directory.rstrip("/")
        ours = container.project == project or (directory and container.directory.rstrip("/") == directory)
        return bool(ours) and container.service == binding.port.container
    network = f"{conf.network}."
    for process in holder.processes:
        inside = _option(process.command, "-container-ip")
        if inside and process.user == "root" and _is_dockers(facts, process.exe):
            # Docker does not say whose it is; without mailcow.conf nothing says that it is mailcow's.
            return False if not inside.startswith(network) else True if conf.exists else None
    # Docker itself may listen, for Swarm's services; what it publishes for containers it tells of.
    return None if conf.exists and not _tells(facts) else False


def _tells(facts: Facts) -> bool:
    try:
        facts.get(containers)
    except HostError:
        return False
    return True


def _is_dockers(facts: Facts, program: str) -> bool:
    """Whether it is Docker's own proxy, which root alone may replace."""
    if program not in {f"{place}/docker-proxy" for place in _PLACES}:
        return False
    try:
        info = facts.host.info(program)
    except HostError:
        return False
    return info.uid == 0 and not info.mode & _WRITABLE_BY_OTHERS


def _option(command: tuple[str, ...], name: str) -> str:
    for word, value in itertools.pairwise(command):
        if word == name:
            return value
    return ""
