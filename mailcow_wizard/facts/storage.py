"""Where Docker will keep its data: the directory, its file system, its mount."""

import re

from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.door import Host
from mailcow_wizard.host.errors import HostError, Missing
from mailcow_wizard.language import _
from mailcow_wizard.typed import NamedTuple

DEFAULT_ROOT = "/var/lib/docker"
DAEMON_JSON = "/etc/docker/daemon.json"
MOUNTINFO = "/proc/self/mountinfo"


class DataRoot(NamedTuple):
    """Docker's data root: as configured, what exists of it, a word about the file, whether it is only
    assumed because the file makes no sense, and whether what exists is no directory."""

    path: str
    existing: str
    note: str
    assumed: bool = False
    blocked: bool = False


class Mount(NamedTuple):
    """One line of mountinfo: where, which kind, what, the mount's options and the file system's own."""

    point: str
    kind: str
    source: str
    options: frozenset[str]
    super_options: frozenset[str]


class RootMount(NamedTuple):
    """The mount that holds the data root; none where something else is in its place."""

    root: DataRoot
    mount: Mount | None


def data_root(facts: Facts) -> DataRoot:
    """From daemon.json (`data-root`, in old ones `graph`), else Docker's default.

    Raises HostError where the file makes no sense: then nobody knows where the data will be.
    """
    try:
        text = facts.host.text(DAEMON_JSON).removeprefix("\ufeff")
    except Missing:
        return rooted(facts.host, DEFAULT_ROOT, "")
    if not text.strip():
        note = _("{daemon_json} is empty: Docker's default is assumed", daemon_json=DAEMON_JSON)
        return rooted(facts.host, DEFAULT_ROOT, note, assumed=True)
    path = _configured(text)
    return rooted(
        facts.host, path or DEFAULT_ROOT, _("set in {daemon_json}", daemon_json=DAEMON_JSON) if path else ""
    )


def rooted(host: Host, path: str, note: str, assumed: bool = False) -> DataRoot:
    """A data root at this path, and what exists of it. Raises HostError."""
    existing = nearest(host, path)
    blocked = existing != "/" and host.info(existing).kind != "directory"
    return DataRoot(path, existing, note, assumed, blocked)


def _configured(text: str) -> str:
    """The data root that daemon.json names (empty: none). Raises HostError where it makes no sense."""
    import json

    unknown = _("so Docker's data root is not known")
    try:
        settings = json.loads(text)
    except (ValueError, RecursionError):
        raise HostError(
            _("{daemon_json} is not valid JSON, {unknown}", daemon_json=DAEMON_JSON, unknown=unknown)
        ) from None
    if not isinstance(settings, dict):
        raise HostError(
            _("{daemon_json} holds no settings, {unknown}", daemon_json=DAEMON_JSON, unknown=unknown)
        )
    configured = settings.get("data-root", settings.get("graph"))
    if configured in (None, ""):
        configured = settings.get("graph")
    if configured in (None, ""):
        return ""
    if isinstance(configured, str) and configured.startswith("/") and "\0" not in configured:
        return re.sub(r"/+", "/", configured).rstrip("/") or "/"
    raise HostError(
        _(
            "{daemon_json} names a data root that is no absolute path, {unknown}",
            daemon_json=DAEMON_JSON,
            unknown=unknown,
        )
    )


def nearest(host: Host, path: str) -> str:
    """The path itself or the nearest above it that exists."""
    place = path
    while place != "/":
        try:
            host.info(place)
            return place
        except Missing:
            pass
        try:
            host.info(place, follow=False)
        except Missing:
            place = place.rpartition("/")[0] or "/"
        else:
            raise HostError(_("{place} is a link that leads nowhere", place=place))
    return "/"


def mounts(facts: Facts) -> tuple[Mount, ...]:
    """All mounts of this mount namespace."""
    return parse_mountinfo(facts.host.text(MOUNTINFO, 8 << 20))


def parse_mountinfo(text: str) -> tuple[Mount, ...]:
    """Parses mountinfo (proc(5)); raises HostError where not one line can be read."""
    found = []
    words: dict[str, frozenset[str]] = {}  # thousands of mounts have the same options
    for line in text.splitlines():
        left, dash, right = line.partition(" - ")
        here, there = left.split(" "), right.split(" ")
        if dash and len(here) >= 6 and len(there) >= 3 and here[4].startswith("/"):
            for options in (here[5], there[2]):
                if options not in words:
                    words[options] = frozenset(options.split(","))
            own, rest = words[here[5]], words[there[2]]
            found.append(Mount(_plain(here[4]), there[0], _plain(there[1]), own, rest))
    if not found:
        raise HostError(_("{mountinfo} lists no mounts", mountinfo=MOUNTINFO))
    return tuple(found)


def _plain(text: str) -> str:
    """Undoes the kernel's octal escapes (space, tab, newline, backslash)."""
    if "\\" not in text:
        return text
    return re.sub(r"\\([0-3][0-7]{2})", lambda found: chr(int(found[1], 8)), text)


def mount_of(facts: Facts, root: DataRoot) -> RootMount:
    """The mount with the longest prefix of the data root; of several on one point the last is on top."""
    if root.blocked:
        return RootMount(root, None)
    return RootMount(root, holding(facts, root.existing))


def holding(facts: Facts, path: str) -> Mount:
    """The mount that holds an existing path; raises HostError where none of those listed does."""
    place = facts.host.resolve(path)
    best: Mount | None = None
    for mount in facts.get(mounts):
        prefix = mount.point.rstrip("/") + "/"
        if f"{place}/".startswith(prefix) and (best is None or len(mount.point) >= len(best.point)):
            best = mount
    if best is None:
        raise HostError(_("{mountinfo} has no mount that holds {place}", mountinfo=MOUNTINFO, place=place))
    return best
