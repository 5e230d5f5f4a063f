"""mailcow's containers while they start: how each is, what it does in that time, what the others wait for."""

from __future__ import annotations

from mailcow_wizard.facts.containers import COMPOSE_LABEL
from mailcow_wizard.facts.docker import ask, items
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.language import _
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Any

_WHAT: dict[str, str] = {
    "unbound-mailcow": _("tries whether names can be looked up and pings are answered; others wait for it"),
    "mysql-mailcow": _("makes its database the first time"),
    "redis-mailcow": _("loads what it holds"),
    "clamd-mailcow": _("fetches its virus signatures, which may take minutes"),
    "rspamd-mailcow": _("waits for the others, then loads its rules"),
    "php-fpm-mailcow": _("waits for the database and makes its tables"),
    "sogo-mailcow": _("waits for the database"),
    "dovecot-mailcow": _("waits for the database and makes its keys"),
    "postfix-mailcow": _("waits for the database"),
    "nginx-mailcow": _("waits for PHP, SOGo and rspamd"),
    "acme-mailcow": _("asks Let's Encrypt for a certificate, which may take minutes"),
    "watchdog-mailcow": _("waits for the others"),
}


class Service(NamedTuple):
    """A container: its id, name and service; `state` as Docker has it (running, restarting, exited, created),
    `health` (empty: it has no test of its own)."""

    id: str
    name: str
    service: str
    state: str
    health: str

    @property
    def right(self) -> bool:
        """Whether it runs, and is healthy where it can tell."""
        return self.state == "running" and self.health in ("", "healthy")

    @property
    def struggles(self) -> bool:
        """Whether it does not come up by itself, as it looks."""
        return self.state in ("restarting", "exited", "dead") or self.health == "unhealthy"


_STATES = {
    "created": _("created"),
    "running": _("running"),
    "paused": _("paused"),
    "restarting": _("restarting"),
    "removing": _("removing"),
    "exited": _("exited"),
    "dead": _("dead"),
    "starting": _("starting"),
    "healthy": _("healthy"),
    "unhealthy": _("unhealthy"),
}


def state_of(one: Service) -> str:
    """Docker's word for how it is: what its health test says, else its state."""
    word = one.health or one.state
    return _STATES.get(word, word)


def short(service: str) -> str:
    """A service's name without what all have."""
    return service.removesuffix("-mailcow")


def what(service: str) -> str:
    """What a service does while it starts; empty where that is not known."""
    return _WHAT.get(service, "")


def services(facts: Facts, project: str) -> tuple[Service, ...]:
    """The containers of a project, running or not. Raises HostError."""
    rows = ask(facts, "/containers/json?all=1", list)
    found = []
    for row in rows:
        labels = row.get("Labels") if isinstance(row, dict) else None
        if not isinstance(labels, dict) or labels.get(f"{COMPOSE_LABEL}project") != project:
            continue
        if str(labels.get(f"{COMPOSE_LABEL}oneoff", "")).lower() == "true":
            continue
        found.append(_service(row, labels))
    return tuple(sorted(found, key=lambda one: one.service))


def _service(row: dict[str, Any], labels: dict[str, Any]) -> Service:
    words = str(row.get("Status") or "")
    health = next((one for one in ("unhealthy", "starting", "healthy") if f"{one})" in words), "")
    names = row.get("Names")
    name = str(names[0]).lstrip("/") if isinstance(names, list) and names else str(row.get("Id", ""))[:12]
    service = str(labels.get(f"{COMPOSE_LABEL}service", "")) or name
    return Service(str(row.get("Id", "")), name, service, str(row.get("State") or ""), health)


def health_said(facts: Facts, one: Service) -> str:
    """What the health test of a container said last. Raises HostError."""
    said = ask(facts, f"/containers/{one.id}/json", dict)
    state = said.get("State")
    health = state.get("Health") if isinstance(state, dict) else None
    log = items(health, "Log") if isinstance(health, dict) else []
    last = str(log[-1].get("Output") or "") if log and isinstance(log[-1], dict) else ""
    lines = [line.strip() for line in last.splitlines() if line.strip()]
    return " / ".join(lines[-3:])
