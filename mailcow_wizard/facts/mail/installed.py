"""Whether there is a mailcow on this machine that could be verified."""

from __future__ import annotations

import json

from mailcow_wizard.facts.config import place
from mailcow_wizard.facts.containers import COMPOSE_LABEL, docker_socket
from mailcow_wizard.facts.docker_shims import left_running
from mailcow_wizard.facts.mailcow_conf import DEFAULT_PROJECT, mailcow_conf
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.facts.volumes import database
from mailcow_wizard.host.errors import Denied, HostError, Missing, Refused
from mailcow_wizard.language import _
from mailcow_wizard.typed import NamedTuple

_ALIVE = ("running", "restarting", "paused")


class Listed(NamedTuple):
    """A container of mailcow's, running or not, as Docker lists it."""

    id: str
    name: str
    service: str
    state: str


class Installed(NamedTuple):
    """`skip` says why there is nothing to verify yet; `down` why nothing runs although mailcow was started
    here once, `dead` that it is for want of Docker; `untold` why Docker does not tell what runs. All are
    empty where there are containers."""

    skip: str
    down: str
    project: str
    boxes: tuple[Listed, ...] = ()
    untold: str = ""
    dead: bool = False


def installed(facts: Facts) -> Installed:
    """Looks for mailcow's configuration, containers and database. Raises HostError where that is not told."""
    here = facts.get(place)
    conf = facts.get(mailcow_conf)
    project = conf.get("COMPOSE_PROJECT_NAME", DEFAULT_PROJECT)
    if here.absent:
        return Installed(here.absent, "", project)
    if not conf.exists:
        return Installed(_("mailcow is not installed yet: {path} is not there", path=conf.path), "", project)
    boxes, trouble = tuple[Listed, ...](), ""
    try:
        boxes = _listed(facts, project)
    except HostError as error:
        trouble = str(error)
        # Without an engine nothing runs but what one left that has ended; a silent one may run everything.
        if not isinstance(error, (Missing, Refused)) or facts.get(left_running) is not False:
            if isinstance(error, Denied) or not facts.get(database).project:
                raise
            return Installed("", "", project, untold=trouble)
    if boxes:
        return Installed("", "", project, boxes)
    data = facts.get(database)
    if data.project:
        why = (
            _("Docker does not answer ({trouble})", trouble=trouble)
            if trouble
            else _("none of {project}'s containers exists", project=project)
        )
        return Installed("", why, project, dead=bool(trouble))
    if data.doubt and trouble:
        raise HostError(_("whether mailcow runs here is not known: {trouble}", trouble=trouble))
    return Installed(
        _("mailcow was not started yet: there is no container of the project {project}", project=project),
        "",
        project,
    )


def _listed(facts: Facts, project: str) -> tuple[Listed, ...]:
    reply = facts.host.http(docker_socket(facts), "/containers/json?all=1")
    if reply.status != 200:
        raise HostError(_("Docker answers {status} when asked for its containers", status=reply.status))
    directories = _directories(facts)
    try:
        found = [_one(row, project, directories) for row in json.loads(reply.body)]
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError):
        raise HostError(_("Docker's list of containers is not readable")) from None
    return tuple(sorted((one for one in found if one), key=lambda one: (one.service, one.name)))


def _directories(facts: Facts) -> tuple[str, ...]:
    """mailcow's directory, as it was named and where links lead."""
    named = facts.settings.directory.rstrip("/")
    try:
        return named, facts.host.resolve(named)
    except HostError:
        return (named,)


def _one(row: dict[str, object], project: str, directories: tuple[str, ...]) -> Listed | None:
    labels, names = row.get("Labels"), row.get("Names")
    labels = labels if isinstance(labels, dict) else {}
    home = str(labels.get(f"{COMPOSE_LABEL}project.working_dir", "")).rstrip("/")
    # Stopped containers of the same project that were made elsewhere are left over from another mailcow.
    left = bool(home) and home not in directories and row.get("State") not in _ALIVE
    if home not in directories and (labels.get(f"{COMPOSE_LABEL}project") != project or left):
        return None
    # What `docker compose run` made is no service of its own.
    if str(labels.get(f"{COMPOSE_LABEL}oneoff", "")).lower() == "true":
        return None
    name = str(names[0]).lstrip("/") if isinstance(names, list) and names else str(row["Id"])[:12]
    service = str(labels.get(f"{COMPOSE_LABEL}service", "")) or name
    return Listed(str(row["Id"]), name, service, str(row.get("State", "")))
