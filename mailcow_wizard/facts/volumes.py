"""mailcow's database volumes: the data that outlives containers, mailcow.conf and the checkout (P12)."""

from mailcow_wizard.facts import docker, storage
from mailcow_wizard.facts.containers import COMPOSE_LABEL, SOCKETS
from mailcow_wizard.facts.presence import path_of_command
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.door import Host
from mailcow_wizard.host.errors import HostError, Missing
from mailcow_wizard.language import _
from mailcow_wizard.typed import NamedTuple

# docker-compose.yml calls the volume so; compose writes the project's name before it.
_VOLUME = "mysql-vol-1"
# What an engine has besides `dockerd` on the path, as packages, snap and Docker's own script install it.
_ENGINE = (
    "/etc/systemd/system/docker.service",
    "/usr/lib/systemd/system/docker.service",
    "/lib/systemd/system/docker.service",
    "/etc/init.d/docker",
    "/snap/docker",
)


OF_DATABASE = ("DBNAME", "DBUSER", "DBPASS", "DBROOT", "COMPOSE_PROJECT_NAME")
"""Keys that belong to the database as it was made: another value looks like an empty server."""


class Volume(NamedTuple):
    """A volume: its name, the compose project it belongs to, when Docker says it was made (RFC 3339, empty
    where that is not known)."""

    name: str
    project: str
    created: str


class DatabaseVolumes(NamedTuple):
    """The database volumes that exist; `certain` where Docker says so itself, or where no Docker Engine is
    installed and none has left anything. `how` is the command that shows them. `apart`: the engine that
    answers holds other volumes than this machine's usual one."""

    volumes: tuple[Volume, ...]
    certain: bool
    how: str
    apart: bool = False


def database_volumes(facts: Facts) -> DatabaseVolumes:
    """Asks Docker; where it does not answer, or is none that keeps its data in the usual place, looks into
    the data root. Raises HostError if neither tells."""
    path, known = next((one for one in SOCKETS if facts.host.exists(one)), ""), None
    if path:
        try:
            found = _from_docker(facts, path)
        except HostError:
            found = None
        known = facts.get(docker.told)
        if found and (found.volumes or (known and not known.apart)):
            return found
    root = facts.get(storage.data_root).path
    place = f"{root.rstrip('/')}/volumes"
    dockers = bool(path) and facts.get(docker.engine).state != "podman"
    installed = dockers or _engine(facts.host)
    try:
        names = facts.host.names(place)
    except Missing:
        names = ()
    left = tuple(_named(name, "", "") for name in names if _is_database(name))
    return DatabaseVolumes(left, bool(left) or not installed, f"ls {place}", bool(known and known.apart))


class Database(NamedTuple):
    """The compose project whose database is on this machine (empty: none is known of), and why it is not
    certain that there is none (empty: it is certain)."""

    project: str
    doubt: str


def database(facts: Facts) -> Database:
    """Whether mailcow has a database here. What belongs to it is changed, made anew and taken away only where
    there is neither a project nor a doubt. Raises nothing."""
    try:
        found = facts.get(database_volumes)
    except HostError as error:
        return Database("", _("whether mailcow has a database here is not known ({error})", error=error))
    if found.volumes:
        return Database(found.volumes[0].project, "")
    doubt = _(
        "Docker does not say whether mailcow has a database here; start it first (systemctl start docker)"
    )
    if found.apart:
        doubt = _("the Docker that answers does not see all databases of this machine; see docker.engine")
    return Database("", "" if found.certain else doubt)


def _engine(host: Host) -> bool:
    """Whether a Docker Engine is installed, which may keep its data anywhere. A client alone keeps none,
    unless it is told where its engine is."""
    if host.variable("DOCKER_HOST") or any(host.exists(place) for place in _ENGINE):
        return True
    return bool(path_of_command(host, "dockerd"))


def _from_docker(facts: Facts, path: str) -> DatabaseVolumes:
    import json

    reply = facts.host.http(path, "/volumes")
    if reply.status != 200:
        raise HostError(_("Docker answers {status} when asked for its volumes", status=reply.status))
    try:
        listed = json.loads(reply.body)["Volumes"] or []
        volumes = tuple(_listed(one) for one in listed)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise HostError(_("Docker's list of volumes is not readable")) from None
    found = tuple(sorted(one for one in volumes if one))
    return DatabaseVolumes(found, True, "docker volume ls -q")


def _listed(one: dict[str, object]) -> Volume | None:
    name, labels = str(one["Name"]), one.get("Labels")
    labels = labels if isinstance(labels, dict) else {}
    if not _is_database(name) and labels.get(f"{COMPOSE_LABEL}volume") != _VOLUME:
        return None
    return _named(name, str(labels.get(f"{COMPOSE_LABEL}project", "")), str(one.get("CreatedAt") or ""))


def _named(name: str, project: str, created: str) -> Volume:
    return Volume(name, project or name.removesuffix(f"_{_VOLUME}"), created)


def _is_database(name: str) -> bool:
    return name.endswith(f"_{_VOLUME}")
