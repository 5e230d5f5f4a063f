"""Judges of mailcow.conf beside a database: whether it is the file that opens it."""

from __future__ import annotations

from mailcow_wizard import requirements as need
from mailcow_wizard.checks.troubles import word
from mailcow_wizard.facts import config
from mailcow_wizard.facts.running_database import INSIDE
from mailcow_wizard.facts.volumes import DatabaseVolumes
from mailcow_wizard.language import _, ngettext
from mailcow_wizard.model import Evidence, Judgement

OTHER_PASSWORDS = _(
    "The database keeps the passwords that it was made with. With a new mailcow.conf nothing in "
    'mailcow can open it any more ("Access denied for user").'
)


def database_doubt(found: config.Presence, evidence: tuple[Evidence, ...]) -> Judgement | None:
    """Why the database may not open with this mailcow.conf; None where nothing says so."""
    if found.differing.keys:
        return _differing(found, evidence)
    if found.changed:
        return _changed(found, evidence)
    return _older(found, evidence) if found.older else None


def volume_names(volumes: DatabaseVolumes | None) -> str:
    """The database volumes, for people."""
    return ", ".join(one.name for one in volumes.volumes) if volumes else ""


def _differing(found: config.Presence, evidence: tuple[Evidence, ...]) -> Judgement:
    keys, container = found.differing.keys, found.differing.container
    variables = " ".join(INSIDE[key] for key in keys)
    summary = ngettext(
        "{keys} in {name} is not what the database runs with, and is not used yet",
        "{keys} in {name} are not what the database runs with, and are not used yet",
        len(keys),
        keys=", ".join(keys),
        name=config.NAME,
    )
    return Judgement(
        "warn",
        summary,
        _("{name} was changed since {container} was made", name=config.NAME, container=container),
        (
            *evidence,
            Evidence(f"docker inspect {word(container)}", _("{keys}: another value", keys=", ".join(keys))),
        ),
        (
            _(
                "Where only the file was changed, write the old value back before mailcow is started or "
                "updated. Until then the container knows it: `docker exec {container} printenv {variables}`",
                container=word(container),
                variables=variables,
            ),
            _(
                "Where it was changed in the database too, give it to all containers: `cd {directory} && "
                "docker compose up -d`",
                directory=word(found.place.directory),
            ),
        ),
        certainty="proved",
        severity="breaks",
        why=_(
            "The database keeps what it was made with. The next `docker compose up -d`, which update.sh runs "
            "too, gives the containers what the file says, and the database does not open with that."
        ),
        doc=need.DOC_ISSUE.format(418),
    )


def _changed(found: config.Presence, evidence: tuple[Evidence, ...]) -> Judgement:
    summary = _(
        "{names} was made with the passwords of {backup}, and {name} has others",
        names=volume_names(found.volumes),
        backup=config.BACKUP,
        name=config.NAME,
    )
    shut = _(
        "If mailcow cannot open its database, take DBNAME, DBUSER, DBPASS and DBROOT over from {backup}.",
        backup=config.BACKUP,
    )
    works = _(
        "If mailcow works, the passwords were changed in the database too: delete {backup}, or move it away.",
        backup=config.BACKUP,
    )
    return _younger(summary, evidence, (shut, works))


def _older(found: config.Presence, evidence: tuple[Evidence, ...]) -> Judgement:
    summary = _(
        "the database {names} was there before this clone; whether {name} opens it is not known",
        names=volume_names(found.volumes),
        name=config.NAME,
    )
    first = _(
        "Before mailcow is started: take DBNAME, DBUSER, DBPASS and DBROOT over from the old {name}. "
        "Where that was done, all is well.",
        name=config.NAME,
    )
    return _younger(summary, evidence, (first,))


def _younger(summary: str, evidence: tuple[Evidence, ...], remedies: tuple[str, ...]) -> Judgement:
    return Judgement(
        "warn",
        summary,
        _("{name} is younger than the database", name=config.NAME),
        evidence,
        remedies,
        certainty="inferred",
        severity="breaks",
        why=OTHER_PASSWORDS,
        doc=need.DOC_ISSUE.format(418),
    )
