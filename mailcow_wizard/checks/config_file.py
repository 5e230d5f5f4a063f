"""Judges of mailcow.conf as a file: whether it is there, who may read it, whether `.env` leads to it."""

from mailcow_wizard import requirements as need
from mailcow_wizard.checks.troubles import Trouble, judged, skipped, word
from mailcow_wizard.facts import config
from mailcow_wizard.facts.owners import Owned
from mailcow_wizard.facts.volumes import DatabaseVolumes
from mailcow_wizard.model import Check, Evidence, Judgement, Severity

_MAKE = "Make one: `mailcow-wizard conf new`, or mailcow's own `./generate_config.sh`."
_P12 = (
    "The database keeps the passwords that it was made with. With a new mailcow.conf nothing in mailcow can "
    'open it any more ("Access denied for user").'
)


# --- present ----------------------------------------------------------------------------------------------


def judge_present(found: config.Presence) -> Judgement:
    """mailcow.conf, or why there is none; a database without the file that opens it is the worst of it."""
    path, kind = found.file.path, found.file.kind
    evidence: tuple[Evidence, ...] = (Evidence(f"ls -ld {word(path)}", _seen(found)),)
    volumes = found.volumes.volumes if found.volumes else ()
    if found.volumes and (volumes or found.volumes.certain):
        evidence += (Evidence(found.volumes.how, _names(found.volumes) or "no database of mailcow"),)
    if not found.place.mailcow and found.elsewhere:
        return Judgement(
            "warn",
            f"mailcow runs in {found.elsewhere}, not in {found.place.directory}",
            found.elsewhere,
            evidence,
            (f"Look there: `mailcow-wizard --dir {word(found.elsewhere)}`",),
            severity="advice",
        )
    if kind == "missing":
        return _missing(found, evidence)
    if kind != "file":
        return _no_file(found, evidence)
    if b"\0" in found.file.data:
        summary = f"{path} is not a text file"
        return Judgement("fail", summary, summary, evidence, _instead(found))
    if not _sets_anything(found.file.data):
        summary = f"{path} is empty" if not found.file.data.strip() else f"{path} sets nothing"
        return Judgement("fail", summary, summary, evidence, _instead(found))
    if found.changed:
        names = _names(found.volumes)
        return Judgement(
            "warn",
            f"{names} was made with the passwords of {config.BACKUP}, and {config.NAME} has others",
            f"{config.NAME} is younger than the database",
            evidence,
            (
                f"If mailcow cannot open its database, take DBNAME, DBUSER, DBPASS and DBROOT over from "
                f"{config.BACKUP}.",
                f"If mailcow works, the passwords were changed in the database too: delete {config.BACKUP}, "
                "or move it away.",
            ),
            certainty="inferred",
            severity="breaks",
            why=_P12,
            doc=need.DOC_ISSUE.format(418),
        )
    return Judgement("pass", f"{path} is there", f"{len(found.file.data):,} bytes", evidence)


def _seen(found: config.Presence) -> str:
    if found.place.names is None:
        return f"{found.place.directory} is not there"
    return {"missing": "not there", "file": "a file", "dangling": "a link that leads nowhere"}.get(
        found.file.kind, found.file.kind
    )


def _names(volumes: DatabaseVolumes | None) -> str:
    return ", ".join(one.name for one in volumes.volumes) if volumes else ""


def _sets_anything(data: bytes) -> bool:
    lines = (line.strip() for line in data.removeprefix(b"\xef\xbb\xbf").splitlines())
    return any(b"=" in line and not line.startswith(b"#") for line in lines)


def _missing(found: config.Presence, evidence: tuple[Evidence, ...]) -> Judgement:
    volumes = found.volumes.volumes if found.volumes else ()
    if volumes:
        left = _names(found.volumes)
        here = f"{config.BACKUP} is there" if found.backup else "so is not the file that opens it"
        return Judgement(
            "fail",
            f"the database {left} is there, {config.NAME} is not"
            + (f", but {config.BACKUP} is" if found.backup else ""),
            f"{left}; {here}" if found.backup else left,
            evidence,
            (
                *_restore(found),
                "Without that file, and if the old mail is not wanted any more: keep a copy of the volume, "
                "then remove what is left of the old mailcow, before a new mailcow.conf is made.",
            ),
            why=_P12,
            doc=need.DOC_ISSUE.format(418),
        )
    if found.place.absent:
        doubt = "" if found.volumes else f"; whether a database is left is not known ({found.trouble})"
        return skipped(f"{found.place.absent}{doubt}")
    if found.backup:
        return Judgement(
            "fail",
            f"{config.NAME} is missing; {config.BACKUP}, the one before, is there",
            "missing",
            evidence,
            _restore(found),
        )
    doubt = f" Whether a database of mailcow is left is not known: {found.trouble}." if found.trouble else ""
    return Judgement(
        "fail",
        f"{config.NAME} is missing: mailcow cannot start without it",
        "missing",
        evidence,
        (_MAKE + doubt,),
    )


def _no_file(found: config.Presence, evidence: tuple[Evidence, ...]) -> Judgement:
    path, place = found.file.path, word(found.file.path)
    words, remedy = {
        "directory": (
            "is a directory; Docker makes one where a file is missing",
            f"Remove it, it should be empty: `rmdir {place}`",
        ),
        "dangling": (
            "is a link that leads nowhere",
            f"See where it should lead: `readlink {place}`. Put the file there, or remove the link.",
        ),
        "large": (
            "is larger than 1 MiB, so it is something else than a configuration",
            f"See what it is: `file {place}; head -c 300 {place}`. Then move it away.",
        ),
    }.get(found.file.kind, ("is not a file", f"See what it is: `stat {place}`. Then move it away."))
    summary = f"{path} {words}"
    return Judgement("fail", summary, summary, evidence, (remedy, *_restore(found)))


def _instead(found: config.Presence) -> tuple[str, ...]:
    """The same where a file is in its place, which nothing is written over."""
    place = word(found.file.path)
    return (f"Move it away: `mv {place} {place}.away`", *_restore(found))


def _restore(found: config.Presence) -> tuple[str, ...]:
    if found.backup:
        directory = found.place.directory
        copy, target = word(f"{directory}/{config.BACKUP}"), word(found.file.path)
        return (f"Put the one before back: `cp -p {copy} {target}`",)
    if found.volumes and found.volumes.volumes:
        return (
            f"Bring {config.NAME} back from a backup of this server; mailcow's own backups hold one each, in "
            "their directory.",
        )
    return (_MAKE,)


PRESENT = Check(
    id="config.present",
    title="mailcow.conf",
    needed="mailcow.conf in mailcow's directory, and the one that the database was made with",
    why="Every script of mailcow and docker compose read their settings from it; without it containers start "
    "with empty passwords.",
    doc=need.DOC_INSTALL,
    severity="blocks",
    source=config.presence,
    judge=judge_present,
)


# --- permissions ------------------------------------------------------------------------------------------


def judge_permissions(found: config.Permissions) -> Judgement:
    """Nobody but root should read the secrets in it, or change what root's scripts run."""
    if found.place.absent:
        return skipped(found.place.absent)
    if found.file is None:
        there = config.NAME in (found.place.names or ())
        return skipped(f"{config.NAME} is no file" if there else f"there is no {config.NAME} yet")
    troubles = [
        trouble for one in (found.file, *found.copies) for trouble in _file_troubles(one, one is found.file)
    ]
    troubles += [trouble for one in found.directories for trouble in _directory_troubles(one)]
    shown = (found.file, *found.copies, *found.directories)
    evidence = tuple(Evidence(f"stat -c '%a %U:%G' {word(one.path)}", _owned(one)) for one in shown)
    found_words = f"{found.file.mode:o} {found.file.user}:{found.file.group}"
    if troubles:
        return judged(troubles, evidence, found_words)
    return Judgement("pass", f"mode {found.file.mode:o}, only root may read it", found_words, evidence)


def _owned(one: Owned) -> str:
    return f"{one.mode:o} {one.user}:{one.group}"


def _file_troubles(one: Owned, itself: bool) -> list[Trouble]:
    """`itself`: it is mailcow.conf, not a copy."""
    place, name = word(one.path), one.path.rpartition("/")[2]
    private = f"Let only root read it: `chmod 600 {place}`"
    written = one.mode & (0o002 | (0o020 if one.gid else 0))
    if written:
        who = "everybody" if one.mode & 0o002 else f"the group {one.group}"
        return [
            Trouble(
                "fail",
                f"{who} may change {name} (mode {one.mode:o})",
                (private,),
                why="Root's scripts run every line of it as a command: who can change it is root.",
            )
        ]
    if one.mode & 0o007:
        return [Trouble("fail", f"everybody may read {name} (mode {one.mode:o})", (private,))]
    troubles = []
    if one.mode & 0o070:
        severity: Severity = "degrades" if one.gid else "advice"
        words = f"the group {one.group} may read {name} (mode {one.mode:o})"
        troubles.append(Trouble("warn", words, (private,), severity))
    if one.uid and itself:
        troubles.append(
            Trouble(
                "warn",
                f"{name} belongs to {one.user}, not to root",
                (f"Give it to root: `chown root:root {place}`",),
                "degrades",
                why="Root's scripts run every line of it as a command: who can change it is root.",
            )
        )
    return troubles


def _directory_troubles(one: Owned) -> list[Trouble]:
    sticky, place = one.mode & 0o1000, word(one.path)
    why = "Who may change the directory can put another mailcow.conf in the place of this one."
    if one.mode & 0o002 and not sticky:
        return [
            Trouble(
                "fail",
                f"everybody may change {one.path} (mode {one.mode:o})",
                (f"`chmod o-w {place}`",),
                why=why,
            )
        ]
    if one.mode & 0o020 and one.gid and not sticky:
        words = f"the group {one.group} may change {one.path} (mode {one.mode:o})"
        return [Trouble("warn", words, (f"`chmod g-w {place}`",), "degrades", why)]
    if one.uid:
        words = f"{one.path} belongs to {one.user}, not to root"
        remedy = "Keep mailcow where only root may write, such as /opt/mailcow-dockerized."
        return [Trouble("warn", words, (remedy,), "degrades", why)]
    return []


PERMISSIONS = Check(
    id="config.permissions",
    title="File permissions",
    needed="mode 600, owned by root, in directories that only root may change",
    why="It holds the passwords of mailcow's databases.",
    doc=need.DOC_INSTALL,
    severity="breaks",
    source=config.permissions,
    judge=judge_permissions,
)


# --- .env -------------------------------------------------------------------------------------------------


def judge_env_link(found: config.EnvLink) -> Judgement:
    """`.env` must be a link, and lead to mailcow.conf beside it."""
    if found.place.absent:
        return skipped(found.place.absent)
    shown = {"missing": "not there", "link": f"a link to {found.target}"}.get(found.kind, f"a {found.kind}")
    evidence = (Evidence(f"ls -l {word(found.path)}", shown),)
    if found.right:
        later = "" if found.conf else ", which is not there yet"
        return Judgement("pass", f".env leads to mailcow.conf{later}", shown, evidence)
    link = f"`ln -sfn mailcow.conf {word(found.path)}`"
    if found.kind == "missing":
        return Judgement("fail", ".env is missing", shown, evidence, (f"Make the link: {link}",))
    if found.kind == "link":
        summary = f".env leads to {found.target}, not to mailcow.conf beside it"
        return Judgement("fail", summary, shown, evidence, (f"Let it lead there: {link}",))
    conf = word(f"{found.place.directory}/{config.NAME}")
    aside = f"`mv {word(found.path)} {word(found.path + '.old')}`"
    if found.kind == "file" and found.settings and not found.conf:
        return Judgement(
            "fail",
            ".env is a file with the settings, and mailcow.conf is missing",
            shown,
            evidence,
            (f"Let it be mailcow.conf: `mv {word(found.path)} {conf}`, then {link}",),
        )
    differs = " with settings of its own" if found.settings else ""
    return Judgement(
        "fail",
        f".env is a {found.kind}{differs}, not a link to mailcow.conf",
        shown,
        evidence,
        (f"Move it away: {aside}, then make the link: {link}",),
    )


ENV_LINK = Check(
    id="config.env-link",
    title=".env",
    needed=".env is a symbolic link to mailcow.conf",
    why="docker compose reads .env and mailcow's scripts read mailcow.conf: only the link makes them one. "
    "generate_config.sh stops without it.",
    doc=need.DOC_INSTALL,
    severity="blocks",
    source=config.env_link,
    judge=judge_env_link,
)
