"""Judge of what an older mailcow left in Docker."""

from __future__ import annotations

from mailcow_wizard import requirements_docker as need
from mailcow_wizard.checks.troubles import Trouble, judged, skipped
from mailcow_wizard.facts.docker_leftovers import LeftContainer, Leftovers, leftovers
from mailcow_wizard.language import _, ngettext
from mailcow_wizard.model import Check, Evidence, Judgement

_MOST = 4


def judge_leftovers(seen: Leftovers) -> Judgement:
    """What belongs to the mailcow of this directory is none; volumes may hold mail and are named first."""
    if not seen.asked:
        if not seen.installed:
            return skipped(_("Docker is not installed yet"))
        words = _("what Docker holds of an older mailcow is not known: it does not answer")
        return Judgement("unknown", words, certainty="untested")
    left = seen.left
    evidence = (
        Evidence("docker ps -a --filter label=com.docker.compose.project", _names(left.containers)),
        Evidence("docker network ls", _names(left.networks)),
        Evidence("docker volume ls", _names(left.volumes)),
    )
    troubles = [_still(seen)] if seen.still else [*_running(seen), *_volumes(seen), *_stopped(seen)]
    found = _counted(seen)
    if troubles:
        return judged(troubles, evidence, found)
    if seen.apart:
        words = _(
            "this Docker keeps its data apart (rootless or userns-remap): what else is there of an older "
            "mailcow is not known"
        )
        remedy = _("See docker.engine first.")
        return Judgement("unknown", words, found, evidence, (remedy,), certainty="untested")
    if seen.own.containers:
        words = ngettext(
            "{n} container belongs to the mailcow in {directory}; nothing is left of another",
            "{n} containers belong to the mailcow in {directory}; nothing is left of another",
            len(seen.own.containers),
            directory=seen.directory,
        )
        return Judgement("pass", words, found, evidence)
    return Judgement("pass", _("nothing is left of an older mailcow"), found, evidence)


def _running(seen: Leftovers) -> list[Trouble]:
    boxes = [one for one in seen.left.containers if one.runs]
    if not boxes:
        return []
    if all(one.here for one in boxes):
        return [_unnamed(seen, boxes)]
    boxes = [one for one in boxes if not one.here]
    where = _where(boxes[0])
    words = ngettext(
        "another mailcow runs here{where}: {n} container of the project {project}",
        "another mailcow runs here{where}: {n} containers of the project {project}",
        len(boxes),
        where=where,
        project=boxes[0].project,
    )
    return [Trouble("warn", words, _of_another(boxes[0].directory), "blocks")]


def _still(seen: Leftovers) -> Trouble:
    """Nothing is left over of one that has its mailcow.conf: it was stopped."""
    words = _("another mailcow is in {directory}, and does not run", directory=seen.still)
    return Trouble("warn", words, _of_another(seen.still), "blocks")


def _of_another(directory: str) -> tuple[str, ...]:
    return (
        _("If that one is meant: `./wizard --dir {directory} check`", directory=directory or "DIR"),
        _(
            "If it is to go: back it up first (helper-scripts/backup_and_restore.sh), then `docker "
            "compose down` in {directory}, which keeps its volumes.",
            directory=directory or _("its directory"),
        ),
    )


def _unnamed(seen: Leftovers, boxes: list[LeftContainer]) -> Trouble:
    """This directory's own mailcow runs, and mailcow.conf does not say so: it is gone, or names another."""
    project = boxes[0].project
    if not seen.configured:
        words = ngettext(
            "the mailcow of {directory} runs ({n} container), and its mailcow.conf is missing",
            "the mailcow of {directory} runs ({n} containers), and its mailcow.conf is missing",
            len(boxes),
            directory=seen.directory,
        )
        remedy = _(
            "Put the old mailcow.conf back into {directory}: its passwords open the database.",
            directory=seen.directory,
        )
        return Trouble("warn", words, (remedy,), "blocks")
    words = ngettext(
        "{n} container of {directory} runs as the project {project}; mailcow.conf here says {own}",
        "{n} containers of {directory} run as the project {project}; mailcow.conf here says {own}",
        len(boxes),
        directory=seen.directory,
        project=project,
        own=seen.project,
    )
    remedy = _(
        "If that is this server's mail: set COMPOSE_PROJECT_NAME={project} in mailcow.conf.", project=project
    )
    return Trouble("warn", words, (remedy,), "blocks")


def _volumes(seen: Leftovers) -> list[Trouble]:
    holding = [one for one in seen.left.volumes if one.mail]
    if not holding or any(one.runs for one in seen.left.containers):
        return []
    all_names = [one.name for one in holding]
    names = ", ".join(all_names[:_MOST])
    project = holding[0].project
    if not seen.configured:
        words = _(
            "mail and accounts of an older mailcow are kept in {names}, and its mailcow.conf is missing",
            names=names,
        )
        remedies = (
            _(
                "Put the old mailcow.conf back into {directory}: its passwords open the database.",
                directory=seen.directory,
            ),
            _(
                "Take a copy before anything else: tar c -C /var/lib/docker/volumes … , or the backup "
                "script's."
            ),
            _(
                "Only where nobody needs that mail any more: `docker volume rm {volumes}`",
                volumes=" ".join(all_names),
            ),
        )
        why = _(
            "A new mailcow.conf has new passwords. The old database does not open with them (Access denied)."
        )
        return [Trouble("fail", words, remedies, "blocks", why, need.DOC_ISSUE.format(418))]
    words = _(
        "mail of another project ({project}) is kept in {names}; mailcow.conf here says {own}",
        project=project,
        names=names,
        own=seen.project,
    )
    remedy = _(
        "If that is this server's mail: set COMPOSE_PROJECT_NAME={project} in mailcow.conf.", project=project
    )
    keep = _("If it is not needed: the wizard never removes volumes with mail; `docker volume rm` does.")
    return [Trouble("warn", words, (remedy, keep), "breaks")]


def _stopped(seen: Leftovers) -> list[Trouble]:
    boxes = [one for one in seen.left.containers if not one.runs]
    if any(one.runs for one in seen.left.containers) or not (boxes or seen.left.networks):
        return []
    network = seen.left.networks[0].name if seen.left.networks else ""
    where = _where(boxes[0]) if boxes else ""
    if not network:
        words = ngettext(
            "an older mailcow left {n} stopped container{where}",
            "an older mailcow left {n} stopped containers{where}",
            len(boxes),
            where=where,
        )
    elif not boxes:
        words = _("an older mailcow left the network {network}", network=network)
    else:
        words = ngettext(
            "an older mailcow left {n} stopped container{where} and the network {network}",
            "an older mailcow left {n} stopped containers{where} and the network {network}",
            len(boxes),
            where=where,
            network=network,
        )
    remedy = _("Remove containers and networks; volumes, and the mail in them, stay.")
    return [Trouble("warn", words, (remedy,))]


def _where(box: LeftContainer) -> str:
    return _(", from {directory}", directory=box.directory) if box.directory else ""


def _names(rows: tuple[object, ...]) -> str:
    names = [str(getattr(one, "name", "")) for one in rows]
    first = ", ".join(names[:_MOST])
    if len(names) > _MOST:
        return _("{names} and {number} more", names=first, number=len(names) - _MOST)
    return first or _("none")


def _counted(seen: Leftovers) -> str:
    left = seen.left
    return _(
        "containers: {containers}, networks: {networks}, volumes: {volumes}",
        containers=len(left.containers),
        networks=len(left.networks),
        volumes=len(left.volumes),
    )


CHECKS: tuple[Check, ...] = (
    Check(
        id="docker.leftovers",
        title=_("Older mailcow"),
        needed=_("nothing of an older mailcow is in the way, or it is the one that is meant"),
        why=_(
            "Containers and networks of an older one block those of a new one, and a database "
            "that is left does not open with new passwords."
        ),
        doc=need.DOC_ISSUE.format(3099),
        severity="degrades",
        source=leftovers,
        judge=judge_leftovers,
    ),
)
