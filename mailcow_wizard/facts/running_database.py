"""How the database that runs is opened: whether mailcow.conf was changed since its container was made."""

from __future__ import annotations

import json

from mailcow_wizard.facts.containers import containers, docker_socket
from mailcow_wizard.facts.mailcow_conf import DEFAULT_PROJECT, mailcow_conf
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError, Missing, Refused
from mailcow_wizard.language import _
from mailcow_wizard.typed import NamedTuple

SERVICE = "mysql-mailcow"
# The names that mailcow's docker-compose.yml gives them in that container.
INSIDE = {
    "DBNAME": "MYSQL_DATABASE",
    "DBUSER": "MYSQL_USER",
    "DBPASS": "MYSQL_PASSWORD",
    "DBROOT": "MYSQL_ROOT_PASSWORD",
}


class Differing(NamedTuple):
    """The keys of mailcow.conf that have another value than in the container of that name; the values
    themselves are told nowhere. `untold` is why Docker, which runs, does not say what the database was made
    with, or whether it runs."""

    container: str = ""
    keys: tuple[str, ...] = ()
    untold: str = ""


def differing(facts: Facts) -> Differing:
    """Holds both against each other. Nothing differs where nothing runs, and of keys that one side does not
    have. Raises nothing."""
    try:
        conf = facts.get(mailcow_conf)
        project = conf.get("COMPOSE_PROJECT_NAME", DEFAULT_PROJECT)
        known = facts.get(containers)
        found = next((one for one in known if (one.project, one.service) == (project, SERVICE)), None)
        inside = _environment(facts, found.id) if found else {}
    except (Missing, Refused):
        return Differing()
    except HostError as error:
        return Differing(untold=str(error))
    if not found or not conf.exists:
        return Differing()
    keys = tuple(key for key, name in INSIDE.items() if _differ(conf.values.get(key), inside.get(name)))
    return Differing(found.name, keys)


def _differ(written: str | None, inside: str | None) -> bool:
    return bool(written) and bool(inside) and written != inside


def _environment(facts: Facts, container: str) -> dict[str, str]:
    """The variables that a container was made with; a recorded machine has none of them. Raises HostError."""
    target = f"/containers/{container}/json"
    reply = facts.host.http(docker_socket(facts), target)
    try:
        rows: list[object] = json.loads(reply.body)["Config"].get("Env") or []
        pairs = [row.split("=", 1) for row in rows if isinstance(row, str) and "=" in row]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise HostError(_("Docker's answer to {target} is not readable", target=target)) from None
    return dict(pairs)
