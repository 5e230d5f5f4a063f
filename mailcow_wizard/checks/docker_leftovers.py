"""Judge of what an older mailcow left in Docker."""

from __future__ import annotations

from mailcow_wizard import requirements_docker as need
from mailcow_wizard.checks.troubles import Trouble, judged, skipped
from mailcow_wizard.facts.docker_leftovers import LeftContainer, Leftovers, leftovers
from mailcow_wizard.model import Check, Evidence, Judgement

_MOST = 4


def judge_leftovers(seen: Leftovers) -> Judgement:
    """What belongs to the mailcow of this directory is none; volumes may hold mail and are named first."""
    if not seen.asked:
        if not seen.installed:
            return skipped("Docker is not installed yet")
        words = "what Docker holds of an older mailcow is not known: it does not answer"
        return Judgement("unknown", words, certainty="untested")
    left = seen.left
    evidence = (
        Evidence("docker ps -a --filter label=com.docker.compose.project", _names(left.containers)),
        Evidence("docker network ls", _names(left.networks)),
        Evidence("docker volume ls", _names(left.volumes)),
    )
    troubles = [*_running(seen), *_volumes(seen), *_stopped(seen)]
    found = _counted(seen)
    if troubles:
        return judged(troubles, evidence, found)
    if seen.own.containers:
        words = f"{len(seen.own.containers)} containers belong to the mailcow in {seen.directory}"
        return Judgement("pass", f"{words}; nothing is left of another", found, evidence)
    return Judgement("pass", "nothing is left of an older mailcow", found, evidence)


def _running(seen: Leftovers) -> list[Trouble]:
    boxes = [one for one in seen.left.containers if one.runs]
    if not boxes:
        return []
    where = _where(boxes[0])
    words = f"another mailcow runs here{where}: {len(boxes)} containers of the project {boxes[0].project}"
    remedies = (
        f"If that one is meant: `mailcow-wizard --dir {boxes[0].directory or 'DIR'} check`",
        "If it is to go: back it up first (helper-scripts/backup_and_restore.sh), then "
        f"`docker compose down` in {boxes[0].directory or 'its directory'}, which keeps its volumes.",
    )
    return [Trouble("warn", words, remedies, "blocks")]


def _volumes(seen: Leftovers) -> list[Trouble]:
    holding = [one for one in seen.left.volumes if one.mail]
    if not holding or any(one.runs for one in seen.left.containers):
        return []
    all_names = [one.name for one in holding]
    names = ", ".join(all_names[:_MOST])
    project = holding[0].project
    if not seen.configured:
        words = f"mail and accounts of an older mailcow are kept in {names}, and its mailcow.conf is missing"
        remedies = (
            f"Put the old mailcow.conf back into {seen.directory}: its passwords open the database.",
            "Take a copy before anything else: tar c -C /var/lib/docker/volumes … , or the backup script's.",
            f"Only where nobody needs that mail any more: `docker volume rm {' '.join(all_names)}`",
        )
        why = (
            "A new mailcow.conf has new passwords. The old database does not open with them (Access denied)."
        )
        return [Trouble("fail", words, remedies, "blocks", why, need.DOC_ISSUE.format(418))]
    words = f"mail of another project ({project}) is kept in {names}; mailcow.conf here says {seen.project}"
    remedy = f"If that is this server's mail: set COMPOSE_PROJECT_NAME={project} in mailcow.conf."
    keep = "If it is not needed: the wizard never removes volumes with mail; `docker volume rm` does."
    return [Trouble("warn", words, (remedy, keep), "breaks")]


def _stopped(seen: Leftovers) -> list[Trouble]:
    boxes = [one for one in seen.left.containers if not one.runs]
    if any(one.runs for one in seen.left.containers) or not (boxes or seen.left.networks):
        return []
    what = " and ".join(
        words
        for number, words in (
            (len(boxes), f"{len(boxes)} stopped containers{_where(boxes[0]) if boxes else ''}"),
            (
                len(seen.left.networks),
                f"the network {seen.left.networks[0].name}" if seen.left.networks else "",
            ),
        )
        if number
    )
    words = f"an older mailcow left {what}"
    remedy = "Remove containers and networks; volumes, and the mail in them, stay."
    return [Trouble("warn", words, (remedy,))]


def _where(box: LeftContainer) -> str:
    return f", from {box.directory}" if box.directory else ""


def _names(rows: tuple[object, ...]) -> str:
    names = [str(getattr(one, "name", "")) for one in rows]
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return (", ".join(names[:_MOST]) + more) or "none"


def _counted(seen: Leftovers) -> str:
    left = seen.left
    return f"{len(left.containers)} containers, {len(left.networks)} networks, {len(left.volumes)} volumes"


CHECKS: tuple[Check, ...] = (
    Check(
        id="docker.leftovers",
        title="Older mailcow",
        needed="nothing of an older mailcow is in the way, or it is the one that is meant",
        why="Containers and networks of an older one block those of a new one, and a database that "
        "is left does not open with new passwords.",
        doc=need.DOC_ISSUE.format(3099),
        severity="degrades",
        source=leftovers,
        judge=judge_leftovers,
    ),
)
