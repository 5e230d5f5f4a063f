"""mailcow.conf as a file: whether it is there, what is in its place, who may read it, where `.env` leads."""

from __future__ import annotations

from mailcow_wizard.facts.containers import containers, every_container, may_run
from mailcow_wizard.facts.docker import seconds
from mailcow_wizard.facts.mailcow_conf import BRIDGE
from mailcow_wizard.facts.running_database import Differing, differing
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.facts.volumes import DatabaseVolumes, database_volumes
from mailcow_wizard.host.door import Host
from mailcow_wizard.host.errors import Denied, HostError, Missing, TooLarge
from mailcow_wizard.host.replies import MIB
from mailcow_wizard.language import _
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Literal

    Kind = Literal["missing", "file", "large", "directory", "dangling", "other"]

NAME = "mailcow.conf"
BACKUP = "mailcow.conf_backup"
MARKS = ("docker-compose.yml", "generate_config.sh", NAME, BACKUP)
DATABASE_KEYS = ("DBNAME", "DBUSER", "DBPASS", "DBROOT")


class Place(NamedTuple):
    """mailcow's directory, what lies in it (None: there is no such directory), and whether any of that is
    mailcow's. `elsewhere`: it holds none, and this is the directory of one that runs, or stands `still`;
    `bridged`: one has its bridge here, and from where it was started is not told.
    `moved`: one runs that was started from here."""

    directory: str
    names: tuple[str, ...] | None
    mailcow: bool
    elsewhere: str = ""
    still: bool = False
    bridged: bool = False
    moved: bool = False

    @property
    def absent(self) -> str:
        """Why nothing can be said of a configuration yet, in words; empty where mailcow is here."""
        if self.mailcow:
            return ""
        if self.elsewhere:
            return self.apart
        if self.moved:
            return _(
                "mailcow runs and was started from {directory}, where it is not any more",
                directory=self.directory,
            )
        if self.bridged:
            return _("mailcow was started on this server, and not from {directory}", directory=self.directory)
        what = _("is not there") if self.names is None else _("holds no mailcow")
        return _("mailcow is not installed yet: {directory} {what}", directory=self.directory, what=what)

    @property
    def apart(self) -> str:
        """That the mailcow which is there is another directory's, in words."""
        if self.still:
            return _(
                "mailcow is in {elsewhere}, where it does not run, and not in {directory}",
                elsewhere=self.elsewhere,
                directory=self.directory,
            )
        return _(
            "mailcow runs in {elsewhere}, not in {directory}",
            elsewhere=self.elsewhere,
            directory=self.directory,
        )


def place(facts: Facts) -> Place:
    """Lists mailcow's directory."""
    directory = facts.settings.directory.rstrip("/") or "/"
    try:
        names: tuple[str, ...] | None = facts.host.names(directory)
    except Missing:
        names = None
    mailcow = any(mark in (names or ()) for mark in MARKS)
    if mailcow:
        return Place(directory, names, mailcow)
    return Place(directory, names, mailcow, *_elsewhere(facts), _was_moved(facts, directory))


def _is_bridged(facts: Facts) -> bool:
    try:
        return facts.host.exists(BRIDGE)
    except HostError:
        return False


def _was_moved(facts: Facts, directory: str) -> bool:
    """Whether containers of mailcow run that were made from the directory, which holds none any more."""
    try:
        return may_run(facts) and any(
            one.service.endswith("-mailcow") and (one.directory.rstrip("/") or "/") == directory
            for one in facts.get(containers)
        )
    except HostError:
        return False


def _elsewhere(facts: Facts) -> tuple[str, bool, bool]:
    """The directory of another mailcow, and whether it stands still: then its mailcow.conf has to be there,
    for containers alone may be what is left of one. Where Docker does not tell, whether its bridge is there,
    which alone may be left over, too."""
    try:
        if not may_run(facts):
            return "", False, _is_bridged(facts)
        running = min((one.home for one in facts.get(containers) if one.home), default="")
        if running:
            return running, False, False
        homes = sorted({one.home for one in facts.get(every_container) if one.home})
        still = next((one for one in homes if facts.host.exists(f"{one.rstrip('/')}/{NAME}")), "")
    except HostError:
        return "", False, _is_bridged(facts)
    return still, bool(still), False


class ConfFile(NamedTuple):
    """mailcow.conf: its path, what is there under its name, and its content (empty unless it is a file of at
    most 1 MiB)."""

    path: str
    kind: Kind
    data: bytes


def conf_file(facts: Facts) -> ConfFile:
    """Reads mailcow.conf. Raises Denied where only root may."""
    return read_conf(facts.host, f"{facts.get(place).directory.rstrip('/')}/{NAME}")


def read_conf(host: Host, path: str) -> ConfFile:
    """Reads a file that should be a mailcow.conf. Raises Denied where only root may."""
    try:
        kind = host.info(path, follow=False).kind
        if kind == "link":
            kind = host.info(path).kind
    except Missing:
        link = _kind(host, path) == "link"
        return ConfFile(path, "dangling" if link else "missing", b"")
    except Denied:
        raise
    except HostError:
        # A link that leads to itself is followed nowhere.
        if _kind(host, path) != "link":
            raise
        return ConfFile(path, "dangling", b"")
    if kind != "file":
        return ConfFile(path, "directory" if kind == "directory" else "other", b"")
    try:
        return ConfFile(path, "file", host.read(path, MIB))
    except TooLarge:
        return ConfFile(path, "large", b"")


def _kind(host: Host, path: str) -> str:
    try:
        return host.info(path, follow=False).kind
    except Missing:
        return ""


# --- whether the right one is there -----------------------------------------------------------------------


class Presence(NamedTuple):
    """What is known of mailcow.conf's being there.

    `backup`: generate_config.sh's copy of an earlier one is there and sets a database password; `volumes` are
    the database volumes, None where nobody could tell (`trouble` says why); `changed`: the passwords of the
    database are others than in the copy, and the volume is older than the copy; `older`: there is no copy,
    the volume is older than the clone, and nothing runs with it; `differing` has the keys that are others
    than those of the database that runs; `apart`: the database is there and does not run, so that nothing
    tells what opens it.
    """

    place: Place
    file: ConfFile
    backup: bool
    volumes: DatabaseVolumes | None
    trouble: str
    changed: bool
    older: bool = False
    differing: Differing = Differing()
    apart: bool = False


def presence(facts: Facts) -> Presence:
    """Looks for mailcow.conf, for its copy, and for the database that belongs to it."""
    here = facts.get(place)
    file = (
        facts.get(conf_file)
        if here.names is not None
        else ConfFile(f"{here.directory}/{NAME}", "missing", b"")
    )
    trouble = ""
    try:
        volumes: DatabaseVolumes | None = facts.get(database_volumes)
    except HostError as error:
        volumes, trouble = None, str(error)
    copy = _copy(facts.host, here)
    changed = bool(copy) and file.kind == "file" and _changed(facts, file.data, copy, volumes)
    older = not copy and file.kind == "file" and _older(facts, volumes)
    others = differing(facts) if file.kind == "file" else Differing()
    left = volumes.volumes if volumes and not others.container else ()
    apart = any(one.project == _project(facts) for one in left)
    return Presence(here, file, bool(copy), volumes, trouble, changed, older, others, apart)


def _copy(host: Host, here: Place) -> bytes:
    """The content of mailcow.conf_backup, if it is one that a database can be opened with."""
    if BACKUP not in (here.names or ()):
        return b""
    try:
        found = read_conf(host, f"{here.directory}/{BACKUP}")
    except HostError:
        return b""
    return found.data if _passwords(found.data)["DBPASS"] else b""


def _passwords(data: bytes) -> dict[str, str | None]:
    """How a mailcow.conf opens the database."""
    from mailcow_wizard.conf.document import Document

    document = Document.read(data)
    return {key: document.get(key) for key in DATABASE_KEYS}


def _changed(facts: Facts, data: bytes, copy: bytes, volumes: DatabaseVolumes | None) -> bool:
    """Whether the database was made with the copy's passwords and mailcow.conf has others."""
    now, before = _passwords(data), _passwords(copy)
    if all(now[key] == before[key] for key in DATABASE_KEYS if before[key]):
        return False
    moved = _time(facts.host, "%Z", f"{facts.get(place).directory}/{BACKUP}")
    return 0 < _made(volumes, _project(facts)) < moved


def _older(facts: Facts, volumes: DatabaseVolumes | None) -> bool:
    """Whether the database was there before mailcow was cloned, and no container runs that opens it."""
    # git writes this file when it clones, and never again.
    cloned = _time(facts.host, "%Y", f"{facts.get(place).directory}/.git/description")
    try:
        project = _project(facts)
    except HostError:  # what stands in its place is told by itself
        return False
    if not 0 < _made(volumes, project) < cloned:
        return False
    try:
        return not any(one.project == project for one in facts.get(containers))
    except HostError:
        return True


def _project(facts: Facts) -> str:
    from mailcow_wizard.facts.mailcow_conf import DEFAULT_PROJECT, mailcow_conf

    try:
        return facts.get(mailcow_conf).get("COMPOSE_PROJECT_NAME", DEFAULT_PROJECT)
    except HostError:  # something else stands in its place, which is told by itself
        return ""


def _made(volumes: DatabaseVolumes | None, project: str) -> float:
    """When a project's database was made; 0 where that is not known."""
    made = [one.created for one in (volumes.volumes if volumes else ()) if one.project == project]
    return seconds(made[0]) if made else 0.0


def _time(host: Host, which: str, path: str) -> float:
    """A time of a file, by stat(1)'s letter for it, seconds since 1970; 0 where that is not known. `%Z` is
    when a file got its name (its inode's last change)."""
    try:
        ran = host.run(("stat", "-c", which, path))
        return float(ran.out) if ran.code == 0 else 0.0
    except (HostError, ValueError):
        return 0.0


def read_kind(host: Host, path: str) -> str:
    """What a path leads to; empty where nothing is there."""
    try:
        return host.info(path).kind
    except Denied:
        raise
    except HostError:
        return ""


# --- .env -------------------------------------------------------------------------------------------------


class EnvLink(NamedTuple):
    """`.env`, which docker compose reads: what it is (missing, link, file, directory, other), the text of the
    link, whether it leads to mailcow.conf beside it, and, of a file, whether it holds settings of its own."""

    place: Place
    path: str
    kind: str
    target: str
    right: bool
    settings: bool
    conf: bool


def env_link(facts: Facts) -> EnvLink:
    """Looks at `.env` beside mailcow.conf."""
    here, host = facts.get(place), facts.host
    path, conf = f"{here.directory}/.env", f"{here.directory}/{NAME}"
    there = NAME in (here.names or ())
    if ".env" not in (here.names or ()):
        return EnvLink(here, path, "missing", "", False, False, there)
    kind = host.info(path, follow=False).kind
    if kind == "file":
        data = host.read(path, MIB)
        return EnvLink(here, path, kind, "", False, b"MAILCOW_HOSTNAME=" in data, there)
    if kind != "link":
        return EnvLink(here, path, kind, "", False, False, there)
    target = host.run(("readlink", path)).out.rstrip("\n")
    if target in (NAME, f"./{NAME}"):
        right = True
    else:
        try:
            right = host.resolve(path) == host.resolve(conf)
        except Missing:
            right = target == conf
    return EnvLink(here, path, kind, target, right, False, there)
