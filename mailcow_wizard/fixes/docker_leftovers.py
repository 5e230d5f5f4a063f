"""What an older mailcow left: stopped containers and unused networks go, volumes never."""

from __future__ import annotations

from mailcow_wizard.facts.docker_leftovers import leftovers
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.fixes import NoPlan
from mailcow_wizard.model import Command, Plan


def remove(facts: Facts) -> Plan | None:
    """Removes what does not run; None where something of it runs, or nothing is left."""
    seen = facts.get(leftovers)
    boxes, networks = seen.left.containers, seen.left.networks
    if not seen.asked or not (boxes or networks):
        return None
    running = [one.name for one in boxes if one.runs]
    if running:
        raise NoPlan(f"{running[0]} still runs: another mailcow is at work here, and is not taken away.")
    commands = [Command(("docker", "rm", one.name)) for one in boxes]
    commands += [Command(("docker", "network", "rm", one.name)) for one in networks]
    names = [*(one.name for one in boxes), *(one.name for one in networks)]
    volumes = [one.name for one in seen.left.volumes]
    kept = f" Kept: {', '.join(volumes)}." if volumes else ""
    return Plan(
        "docker.leftovers",
        None,
        "remove-leftovers",
        f"Remove {len(boxes)} stopped containers and {len(networks)} networks",
        tuple(commands),
        "medium",
        reversible=False,
        needs_root=True,
        consequence=f"Gone: {', '.join(names)}. Mail, accounts and settings lie in volumes, none of which is "
        f"touched; `docker compose up` in the old directory makes the containers anew.{kept}",
    )
