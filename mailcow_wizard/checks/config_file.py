"""Judges of mailcow.conf as a file: whether it is there, and who may read it."""

from mailcow_wizard import requirements as need
from mailcow_wizard.checks.config_database import OTHER_PASSWORDS, database_doubt, volume_names
from mailcow_wizard.checks.config_link import ENV_LINK as ENV_LINK
from mailcow_wizard.checks.config_link import judge_env_link as judge_env_link
from mailcow_wizard.checks.troubles import Trouble, judged, skipped, word
from mailcow_wizard.facts import config, config_permissions
from mailcow_wizard.facts.owners import Owned
from mailcow_wizard.language import _, heard
from mailcow_wizard.model import Check, Evidence, Judgement, Severity

_MAKE = _("Make one: `./wizard conf new`, or mailcow's own `./generate_config.sh`.")
_MOVED = _(
    "Put its directory back where it was: started again, its containers find none of their files there. To "
    "keep it in its new place, in there: docker compose down, then docker compose up -d."
)


# --- present ----------------------------------------------------------------------------------------------


def judge_present(found: config.Presence) -> Judgement:
    """mailcow.conf, or why there is none; a database without the file that opens it is the worst of it."""
    path, kind = found.file.path, found.file.kind
    evidence: tuple[Evidence, ...] = (Evidence(f"ls -ld {word(path)}", _seen(found)),)
    volumes = found.volumes.volumes if found.volumes else ()
    if found.volumes and (volumes or found.volumes.certain):
        evidence += (Evidence(found.volumes.how, volume_names(found.volumes) or _("no database of mailcow")),)
    if elsewhere := found.place.elsewhere:
        there = _("Look there: `./wizard --dir {word}`", word=word(elsewhere))
        return Judgement("warn", found.place.apart, elsewhere, evidence, (there,), severity="advice")
    if found.place.moved:
        return Judgement("fail", found.place.absent, found.place.absent, evidence, (_MOVED,))
    if kind == "missing":
        return _missing(found, evidence)
    if kind != "file":
        return _no_file(found, evidence)
    if b"\0" in found.file.data:
        summary = _("{path} is not a text file", path=path)
        return Judgement("fail", summary, summary, evidence, _instead(found))
    if not _sets_anything(found.file.data):
        summary = (
            _("{path} is empty", path=path)
            if not found.file.data.strip()
            else _("{path} sets nothing", path=path)
        )
        return Judgement("fail", summary, summary, evidence, _instead(found))
    if doubt := database_doubt(found, evidence):
        return doubt
    there, size = _("{path} is there", path=path), _("{number:,} bytes", number=len(found.file.data))
    if found.apart:
        unheld = (
            _("what its database runs with is not known: {untold}", untold=heard(found.differing.untold))
            if found.differing.untold
            else _("its database does not run, so that it was held against nothing")
        )
        return Judgement("pass", f"{there}; {unheld}", size, evidence, certainty="inferred")
    return Judgement("pass", there, size, evidence)


def _seen(found: config.Presence) -> str:
    if found.place.names is None:
        return _("{directory} is not there", directory=found.place.directory)
    return {"missing": _("not there"), "file": _("a file"), "dangling": _("a link that leads nowhere")}.get(
        found.file.kind, found.file.kind
    )


def _sets_anything(data: bytes) -> bool:
    lines = (line.strip() for line in data.removeprefix(b"\xef\xbb\xbf").splitlines())
    return any(b"=" in line and not line.startswith(b"#") for line in lines)


def _missing(found: config.Presence, evidence: tuple[Evidence, ...]) -> Judgement:
    volumes = found.volumes.volumes if found.volumes else ()
    if volumes:
        left = volume_names(found.volumes)
        here = (
            _("{backup} is there", backup=config.BACKUP)
            if found.backup
            else _("so is not the file that opens it")
        )
        return Judgement(
            "fail",
            _("the database {left} is there, {name} is not", left=left, name=config.NAME)
            + (_(", but {backup} is", backup=config.BACKUP) if found.backup else ""),
            f"{left}; {here}" if found.backup else left,
            evidence,
            (
                *_restore(found),
                _(
                    "Without that file, and if the old mail is not wanted any more: keep a copy of "
                    "the volume, then remove what is left of the old mailcow, before a new "
                    "mailcow.conf is made."
                ),
            ),
            why=OTHER_PASSWORDS,
            doc=need.DOC_ISSUE.format(418),
        )
    if found.place.absent:
        doubt = (
            ""
            if found.volumes
            else _("; whether a database is left is not known ({trouble})", trouble=found.trouble)
        )
        return skipped(f"{found.place.absent}{doubt}")
    if found.backup:
        return Judgement(
            "fail",
            _(
                "{name} is missing; {backup}, the one before, is there",
                name=config.NAME,
                backup=config.BACKUP,
            ),
            _("missing"),
            evidence,
            _restore(found),
        )
    doubt = (
        _(" Whether a database of mailcow is left is not known: {trouble}.", trouble=found.trouble)
        if found.trouble
        else ""
    )
    return Judgement(
        "fail",
        _("{name} is missing: mailcow cannot start without it", name=config.NAME),
        _("missing"),
        evidence,
        (_MAKE + doubt,),
    )


def _no_file(found: config.Presence, evidence: tuple[Evidence, ...]) -> Judgement:
    path, place = found.file.path, word(found.file.path)
    words, remedy = {
        "directory": (
            _("is a directory; Docker makes one where a file is missing"),
            _("Remove it, it should be empty: `rmdir {place}`", place=place),
        ),
        "dangling": (
            _("is a link that leads nowhere"),
            _(
                "See where it should lead: `readlink {place}`. Put the file there, or remove the link.",
                place=place,
            ),
        ),
        "large": (
            _("is larger than 1 MiB, so it is something else than a configuration"),
            _("See what it is: `file {place}; head -c 300 {place}`. Then move it away.", place=place),
        ),
    }.get(
        found.file.kind,
        (_("is not a file"), _("See what it is: `stat {place}`. Then move it away.", place=place)),
    )
    summary = f"{path} {words}"
    return Judgement("fail", summary, summary, evidence, (remedy, *_restore(found)))


def _instead(found: config.Presence) -> tuple[str, ...]:
    """The same where a file is in its place, which nothing is written over."""
    place = word(found.file.path)
    return (_("Move it away: `mv {place} {place}.away`", place=place), *_restore(found))


def _restore(found: config.Presence) -> tuple[str, ...]:
    if found.backup:
        directory = found.place.directory
        copy, target = word(f"{directory}/{config.BACKUP}"), word(found.file.path)
        return (_("Put the one before back: `cp -p {copy} {target}`", copy=copy, target=target),)
    if found.volumes and found.volumes.volumes:
        return (
            _(
                "Bring {name} back from a backup of this server; mailcow's own backups hold one each, "
                "in their directory.",
                name=config.NAME,
            ),
        )
    return (_MAKE,)


PRESENT = Check(
    id="config.present",
    title="mailcow.conf",
    needed=_("mailcow.conf in mailcow's directory, and the one that the database was made with"),
    why=_(
        "Every script of mailcow and docker compose read their settings from it; without it "
        "containers start with empty passwords."
    ),
    doc=need.DOC_INSTALL,
    severity="blocks",
    source=config.presence,
    judge=judge_present,
)


# --- permissions ------------------------------------------------------------------------------------------


def judge_permissions(found: config_permissions.Permissions) -> Judgement:
    """Nobody but root should read the secrets in it, or change what root's scripts run."""
    if found.place.absent:
        return skipped(found.place.absent)
    if found.file is None:
        there = config.NAME in (found.place.names or ())
        return skipped(
            _("{name} is no file", name=config.NAME)
            if there
            else _("there is no {name} yet", name=config.NAME)
        )
    troubles = [
        trouble for one in (found.file, *found.copies) for trouble in _file_troubles(one, one is found.file)
    ]
    troubles += [trouble for one in found.directories for trouble in _directory_troubles(one)]
    shown = (found.file, *found.copies, *found.directories)
    evidence = tuple(Evidence(f"stat -c '%a %U:%G' {word(one.path)}", _owned(one)) for one in shown)
    found_words = f"{found.file.mode:o} {found.file.user}:{found.file.group}"
    if troubles:
        return judged(troubles, evidence, found_words)
    return Judgement(
        "pass", _("mode {mode:o}, only root may read it", mode=found.file.mode), found_words, evidence
    )


def _owned(one: Owned) -> str:
    return f"{one.mode:o} {one.user}:{one.group}"


def _file_troubles(one: Owned, itself: bool) -> list[Trouble]:
    """`itself`: it is mailcow.conf, not a copy."""
    place, name = word(one.path), one.path.rpartition("/")[2]
    private = _("Let only root read it: `chmod 600 {place}`", place=place)
    written = one.mode & (0o002 | (0o020 if one.gid else 0))
    if written:
        who = _("everybody") if one.mode & 0o002 else _("the group {group}", group=one.group)
        return [
            Trouble(
                "fail",
                _("{who} may change {name} (mode {mode:o})", who=who, name=name, mode=one.mode),
                (private,),
                why=_("Root's scripts run every line of it as a command: who can change it is root."),
            )
        ]
    if one.mode & 0o007:
        return [
            Trouble(
                "fail", _("everybody may read {name} (mode {mode:o})", name=name, mode=one.mode), (private,)
            )
        ]
    troubles = []
    if one.mode & 0o070:
        severity: Severity = "degrades" if one.gid else "advice"
        words = _(
            "the group {group} may read {name} (mode {mode:o})", group=one.group, name=name, mode=one.mode
        )
        troubles.append(Trouble("warn", words, (private,), severity))
    if one.uid and itself:
        troubles.append(
            Trouble(
                "warn",
                _("{name} belongs to {user}, not to root", name=name, user=one.user),
                (_("Give it to root: `chown root:root {place}`", place=place),),
                "degrades",
                why=_("Root's scripts run every line of it as a command: who can change it is root."),
            )
        )
    return troubles


def _directory_troubles(one: Owned) -> list[Trouble]:
    sticky, place = one.mode & 0o1000, word(one.path)
    why = _("Who may change the directory can put another mailcow.conf in the place of this one.")
    if one.mode & 0o002 and not sticky:
        return [
            Trouble(
                "fail",
                _("everybody may change {path} (mode {mode:o})", path=one.path, mode=one.mode),
                (_("`chmod o-w {place}`", place=place),),
                why=why,
            )
        ]
    if one.mode & 0o020 and one.gid and not sticky:
        words = _(
            "the group {group} may change {path} (mode {mode:o})",
            group=one.group,
            path=one.path,
            mode=one.mode,
        )
        return [Trouble("warn", words, (_("`chmod g-w {place}`", place=place),), "degrades", why)]
    if one.uid:
        words = _("{path} belongs to {user}, not to root", path=one.path, user=one.user)
        remedy = _("Keep mailcow where only root may write, such as /opt/mailcow-dockerized.")
        return [Trouble("warn", words, (remedy,), "degrades", why)]
    return []


PERMISSIONS = Check(
    id="config.permissions",
    title=_("File permissions"),
    needed=_("mode 600, owned by root, in directories that only root may change"),
    why=_("It holds the passwords of mailcow's databases."),
    doc=need.DOC_INSTALL,
    severity="breaks",
    source=config_permissions.permissions,
    judge=judge_permissions,
)
