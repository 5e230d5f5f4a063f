"""What an older mailcow left: stopped containers and unused networks go, volumes never."""

from __future__ import annotations

from mailcow_wizard.facts.docker_leftovers import leftovers
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.fixes import NoPlan
from mailcow_wizard.language import _, ngettext
from mailcow_wizard.model import Command, Plan

_BACK = _(
    "Containers cannot be put back as they were: what was changed inside them, and their logs, "
    "are lost; `docker compose up` in the old directory makes them and their networks anew."
)
_NETWORKS_BACK = _("Taken back, the networks are made again with the same settings.")


def remove(facts: Facts) -> Plan | None:
    """Removes what does not run; None where something of it runs, or nothing is left."""
    seen = facts.get(leftovers)
    boxes, networks = seen.left.containers, seen.left.networks
    if not seen.asked or not (boxes or networks):
        return None
    if seen.still:
        raise NoPlan(
            _(
                "The mailcow in {directory} has its mailcow.conf: it was stopped, and is not taken away.",
                directory=seen.still,
            )
        )
    running = [one.name for one in boxes if one.runs]
    if running:
        raise NoPlan(
            _(
                "{name} still runs: another mailcow is at work here, and is not taken away.",
                name=running[0],
            )
        )
    commands = [Command(("docker", "rm", one.name)) for one in boxes]
    commands += [
        Command(
            ("docker", "network", "rm", one.name),
            (("docker", "network", "create", *one.settings, one.name),),
        )
        for one in networks
    ]
    names = [*(one.name for one in boxes), *(one.name for one in networks)]
    volumes = [one.name for one in seen.left.volumes]
    kept = _(" Kept: {volumes}.", volumes=", ".join(volumes)) if volumes else ""
    return Plan(
        "docker.leftovers",
        None,
        "remove-leftovers",
        _("Remove {what}", what=_counted(len(boxes), len(networks))),
        tuple(commands),
        "medium",
        reversible=not boxes,
        needs_root=True,
        consequence=_(
            "Gone: {names}. {back} Mail, accounts and settings lie in volumes, none of "
            "which is touched.{kept}",
            names=", ".join(names),
            back=_BACK if boxes else _NETWORKS_BACK,
            kept=kept,
        ),
    )


def _counted(containers: int, networks: int) -> str:
    """How many of each go, as the object of a sentence; what there is none of is left out."""
    boxes = ngettext("1 stopped container", "{n} stopped containers", containers)
    unused = ngettext("1 unused network", "{n} unused networks", networks)
    if containers and networks:
        return _("{boxes} and {unused}", boxes=boxes, unused=unused)
    return boxes if containers else unused
