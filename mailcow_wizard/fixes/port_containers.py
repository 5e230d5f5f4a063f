"""Stops containers of Docker and keeps them from coming back."""

from __future__ import annotations

import json

from mailcow_wizard.facts.containers import Container, docker_socket
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.fixes import NoPlan
from mailcow_wizard.fixes.port_units import Stopping
from mailcow_wizard.language import _, ngettext
from mailcow_wizard.model import Command, Manual

_TIMEOUT_S = 60.0
_SWARM = "com.docker.swarm.service.name"


def stopping_container(facts: Facts, box: Container) -> Stopping:
    """Stops one container; its restart policy is what Docker says of it now. Raises HostError."""
    reply = facts.host.http(docker_socket(facts), f"/containers/{box.id}/json")
    try:
        said = json.loads(reply.body) if reply.status == 200 else {}
        policy, removed = _policy(said["HostConfig"]), bool(said["HostConfig"].get("AutoRemove"))
        paused = bool((said.get("State") or {}).get("Paused"))
        service = (said.get("Config", {}).get("Labels") or {}).get(_SWARM, "")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise NoPlan(_("Docker does not say how the container {box} is set up", box=box.name)) from None
    if service:
        raise NoPlan(
            _(
                "the container {box} belongs to the Swarm service {service}, which would start it "
                "again: docker service scale {service}=0",
                box=box.name,
                service=service,
            )
        )
    guests = _guests(facts, box)
    back = [("docker", "start", box.name), *(("docker", "restart", one) for one in guests)]
    if paused:
        back.append(("docker", "pause", box.name))
    commands = [Command(("docker", "stop", box.name), tuple(back), _TIMEOUT_S)]
    if policy != "no":
        again = ("docker", "update", f"--restart={policy}", box.name)
        commands.insert(0, Command(("docker", "update", "--restart=no", box.name), (again,)))
    lost = ngettext(
        "the network of {guests}, which uses that of {box}",
        "the network of {guests}, which use that of {box}",
        len(guests),
        guests=_(" and ").join(guests),
        box=box.name,
    )
    return Stopping(tuple(commands), _words(box, removed), not removed, lost=lost if guests else "")


def _guests(facts: Facts, box: Container) -> tuple[str, ...]:
    """The running containers that live in this one's network, and lose it when it stops."""
    reply = facts.host.http(docker_socket(facts), "/containers/json")
    try:
        listed = json.loads(reply.body) if reply.status == 200 else []
        modes = {str(one["Names"][0]).lstrip("/"): one["HostConfig"].get("NetworkMode") for one in listed}
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
        return ()
    return tuple(name for name, mode in modes.items() if mode == f"container:{box.id}")


def is_deleted(facts: Facts, box: Container) -> bool:
    """Whether Docker deletes the container when it stops (`--rm`). Raises HostError."""
    reply = facts.host.http(docker_socket(facts), f"/containers/{box.id}/json")
    try:
        return bool(json.loads(reply.body)["HostConfig"]["AutoRemove"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return False


def _policy(host: dict[str, object]) -> str:
    found = host.get("RestartPolicy")
    found = found if isinstance(found, dict) else {}
    name, most = str(found.get("Name") or "no"), found.get("MaximumRetryCount")
    return f"{name}:{most}" if name == "on-failure" and most else name


def _words(box: Container, removed: bool) -> tuple[Manual, ...]:
    words = []
    if removed:
        words.append(
            _("The container {box} was started with --rm: Docker deletes it when it stops.", box=box.name)
        )
    if box.project:
        where = f" in {box.directory}" if box.directory else ""
        words.append(
            _(
                "{box} is the service {service} of the compose project {project}: the next `docker "
                "compose up`{where} starts it again. Take its port out of that project's compose file "
                "to keep it off.",
                box=box.name,
                service=box.service,
                project=box.project,
                where=where,
            )
        )
    return tuple(map(Manual, words))
