"""Where Docker will keep its data: the directory, its file system, its mount."""

import re

from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.door import Host, HostError, Missing, Space
from mailcow_wizard.typed import NamedTuple

DEFAULT_ROOT = "/var/lib/docker"
DAEMON_JSON = "/etc/docker/daemon.json"
MOUNTINFO = "/proc/self/mountinfo"


class DataRoot(NamedTuple):
    """Docker's data root: as configured, its nearest directory that exists, a word about the file, and
    whether it is only assumed because the file makes no sense."""

    path: str
    existing: str
    note: str
    assumed: bool = False


class DiskSpace(NamedTuple):
    """The space where the data root is or will be."""

    root: DataRoot
    space: Space


class Mount(NamedTuple):
    """One line of mountinfo: where, which kind, what, the mount's options and the file system's own."""

    point: str
    kind: str
    source: str
    options: frozenset[str]
    super_options: frozenset[str]


class RootMount(NamedTuple):
    """The mount that holds the data root."""

    root: DataRoot
    mount: Mount


def data_root(facts: Facts) -> DataRoot:
    """From daemon.json (`data-root`, in old ones `graph`), else Docker's default."""
    try:
        text = facts.host.text(DAEMON_JSON)
    except Missing:
        return DataRoot(DEFAULT_ROOT, _nearest(facts.host, DEFAULT_ROOT), "")
    path, wrong = _configured(text)
    if wrong:
        note = f"{DAEMON_JSON} {wrong}: Docker's default is assumed"
        return DataRoot(DEFAULT_ROOT, _nearest(facts.host, DEFAULT_ROOT), note, assumed=True)
    note = f"set in {DAEMON_JSON}" if path else ""
    return DataRoot(path or DEFAULT_ROOT, _nearest(facts.host, path or DEFAULT_ROOT), note)


def _configured(text: str) -> tuple[str, str]:
    """The data root that daemon.json names (empty: none), or what is wrong with the file."""
    import json

    if not text.strip():
        return "", "is empty"
    try:
        settings = json.loads(text)
    except (ValueError, RecursionError):
        return "", "is not valid JSON"
    if not isinstance(settings, dict):
        return "", "holds no settings"
    configured = settings.get("data-root") or settings.get("graph")
    if configured is None:
        return "", ""
    if isinstance(configured, str) and configured.startswith("/") and "\0" not in configured:
        return re.sub(r"/+", "/", configured).rstrip("/") or "/", ""
    return "", "names a data root that is no absolute path"


def _nearest(host: Host, path: str) -> str:
    """The path itself or the nearest directory above it that exists."""
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
            raise HostError(f"{place} is a link that leads nowhere")
    return "/"


def disk(facts: Facts) -> DiskSpace:
    """What is left on the data root's file system; raises HostError where it has no size at all."""
    root = facts.get(data_root)
    space = facts.host.space(root.existing)
    if space.total <= 0:
        raise HostError(f"the file system of {root.existing} does not tell its size")
    return DiskSpace(root, space)


def mounts(facts: Facts) -> tuple[Mount, ...]:
    """All mounts of this mount namespace."""
    return parse_mountinfo(facts.host.text(MOUNTINFO, 8 << 20))


def parse_mountinfo(text: str) -> tuple[Mount, ...]:
    """Parses mountinfo (proc(5)); raises HostError where not one line can be read."""
    found = []
    for line in text.splitlines():
        left, dash, right = line.partition(" - ")
        here, there = left.split(" "), right.split(" ")
        if dash and len(here) >= 6 and len(there) >= 3 and here[4].startswith("/"):
            own, kind, source, rest = here[5], there[0], there[1], there[2]
            point = _plain(here[4])
            found.append(
                Mount(point, kind, _plain(source), frozenset(own.split(",")), frozenset(rest.split(",")))
            )
    if not found:
        raise HostError(f"{MOUNTINFO} lists no mounts")
    return tuple(found)


def _plain(text: str) -> str:
    """Undoes the kernel's octal escapes (space, tab, newline, backslash)."""
    return re.sub(r"\\([0-3][0-7]{2})", lambda found: chr(int(found[1], 8)), text)


def root_mount(facts: Facts) -> RootMount:
    """The mount with the longest prefix of the data root; of several on one point the last is on top."""
    root = facts.get(data_root)
    place = facts.host.resolve(root.existing)
    best: Mount | None = None
    for mount in facts.get(mounts):
        prefix = mount.point.rstrip("/") + "/"
        if f"{place}/".startswith(prefix) and (best is None or len(mount.point) >= len(best.point)):
            best = mount
    if best is None:
        raise HostError(f"{MOUNTINFO} has no mount that holds {place}")
    return RootMount(root, best)
