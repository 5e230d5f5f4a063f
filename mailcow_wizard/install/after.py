"""The page after an install: what was done, where to go, what is advisable, updates, undoing it."""

from __future__ import annotations

import shlex

from mailcow_wizard.engine.findings import from_fields, of_finding
from mailcow_wizard.engine.selection import UnknownSelector, select
from mailcow_wizard.engine.session import Session
from mailcow_wizard.facts.identity import domain_of
from mailcow_wizard.facts.mail.admin import DEFAULT, USER
from mailcow_wizard.install import first_password
from mailcow_wizard.install.stages import title
from mailcow_wizard.install.standing import Standing
from mailcow_wizard.language import _, called, called_elsewhere
from mailcow_wizard.model import Finding
from mailcow_wizard.typed import NamedTuple

_BACKUP = "helper-scripts/backup_and_restore.sh"


class Section(NamedTuple):
    """A heading and its lines; a line that begins with two blanks is a command."""

    heading: str
    lines: tuple[str, ...]


def current(session: Session, standing: Standing) -> Standing:
    """The same, with what the first password is like now: the page may be read long after the install."""
    try:
        checks = select((first_password.CHECK,))
    except UnknownSelector:
        return standing
    now = session.run(checks, lambda event: None).findings
    if not all(one.status in ("pass", "fail") for one in now):
        return standing
    others = tuple(one for one in standing.findings if one["id"] != first_password.CHECK)
    return standing._replace(findings=(*others, *(of_finding(one) for one in now)))


def page(standing: Standing, project: str, log: str) -> tuple[Section, ...]:
    """All of it, in the order in which it is needed. Pure."""
    directory = shlex.quote(standing.directory)
    found = tuple(from_fields(one) for one in standing.findings)
    advisable = tuple(
        f"{one.summary}{f' ({one.remedies[0]})' if one.remedies else ''}"
        for one in found
        if one.status in ("fail", "warn")
        and one.acknowledged is None
        and not first_password.is_still_there(one)
    )
    name = standing.hostname
    return (
        Section(
            _("What was done"), tuple(f"{title(one.id)}: {one.note}" for one in standing.stages if one.note)
        ),
        Section(
            _("Addresses"),
            (
                f"https://{name}/admin  {_administration(found)}",
                _("https://{name}/  for those who have a mailbox", name=name),
                _("https://{name}/SOGo/  webmail, calendars", name=name),
                _("mail programs: {name}, IMAP 993, submission 465, both with TLS", name=name),
            ),
        ),
        Section(
            _("Still advisable"),
            (
                *_first(found),
                *advisable,
                *_mailbox(standing),
                *standing.notes,
                _("Look at it now and then: ./wizard verify"),
            ),
        ),
        Section(
            _("Updates and backups, with mailcow's own commands"),
            (
                f"  cd {directory} && ./update.sh",
                f"  MAILCOW_BACKUP_LOCATION=/opt/backup {directory}/{_BACKUP} backup all",
                _("A backup belongs on another machine."),
            ),
        ),
        Section(_("How to undo it"), _undo(standing, directory, project)),
        Section(_("What it did, with times"), (log,)),
        *_again(standing),
    )


def _administration(found: tuple[Finding, ...]) -> str:
    """Whom it lets in, as far as that is known."""
    known = next((one for one in found if one.id == first_password.CHECK), None)
    if known is not None and known.status == "pass":
        return _("administration (user {user})", user=USER)
    if known is not None and known.status == "fail":
        return _("administration (user {user}, password {default})", user=USER, default=DEFAULT)
    return _("administration (user {user}; the first password is {default})", user=USER, default=DEFAULT)


def _mailbox(standing: Standing) -> tuple[str, ...]:
    """How to come by the first mailbox, where none was asked for; what its domain needs."""
    there = standing.choices.mailbox.address
    publish = _("Publish its DKIM key, and see all of its records: {command}", command=called("./wizard dns"))
    if there:
        return (_("{mailbox} is made, and its domain.", mailbox=there), publish)
    domains = standing.settings.get("domains") or (domain_of(standing.hostname),)
    command = called(f"./wizard verify --first-mailbox info@{domains[0]}")
    told = _("Make your mail domain and its first mailbox, tried with a message: {command}", command=command)
    return told, publish


def _again(standing: Standing) -> tuple[Section, ...]:
    if not standing.answers:
        return ()
    return (
        Section(
            _("The same on another server, without questions"),
            (standing.answers, called_elsewhere("  ./wizard install --answers answers.toml --yes")),
        ),
    )


def _first(found: tuple[Finding, ...]) -> tuple[str, ...]:
    """What comes before all else: nobody else may log in with the password that stands in the manual."""
    known = next((one for one in found if one.id == first_password.CHECK), None)
    if known is not None and known.status == "pass":
        return ()
    if known is not None and first_password.is_still_there(known):
        return (
            _(
                "Do this now, {summary}: {command}",
                summary=known.summary,
                command=called(first_password.MENDED_BY),
            ),
        )
    return (
        _(
            "Change the administrator's password, if it is the first one: {command}",
            command=called(first_password.MENDED_BY),
        ),
    )


def _undo(standing: Standing, directory: str, project: str) -> tuple[str, ...]:
    changes = ", ".join(reversed(standing.changes))
    lines = [
        _("This takes mailcow away and keeps all mail, in Docker's volumes:"),
        f"  cd {directory} && docker compose down",
        _(
            "{directory}/mailcow.conf opens that database: keep it as long as you keep the volumes.",
            directory=standing.directory,
        ),
        _("The wizard never deletes volumes. This lists them; removing them deletes all mail:"),
        f"  docker volume ls -q --filter label=com.docker.compose.project={shlex.quote(project)}",
    ]
    if changes:
        lines.append(
            _(
                "Packages, Docker and settings that were changed: ./wizard undo ID, newest first ({changes})",
                changes=changes,
            )
        )
    return tuple(lines)
