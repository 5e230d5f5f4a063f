"""Where Docker's data really goes: by the running engine's own word, and where images lie apart."""

from __future__ import annotations

import re

from mailcow_wizard.facts import docker, storage
from mailcow_wizard.facts.config import place
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.facts.volumes import database
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.replies import Space
from mailcow_wizard.language import _
from mailcow_wizard.typed import NamedTuple

CONTAINERD_TOML = "/etc/containerd/config.toml"
STORE = "/var/lib/containerd"
_SNAPSHOTTER = "io.containerd.snapshotter."
# A containerd that dockerd starts itself keeps its data inside Docker's data root.
_OWN_CONTAINERD = "/docker/containerd/"


class ImageStore(NamedTuple):
    """containerd's directory, which holds images where it is on another file system than the data root.

    `existing` is what exists of it. `foreseen`: Docker is not installed yet, and one from 29 on keeps images
    there unless it is told otherwise (its documentation, "containerd image store").
    """

    path: str
    existing: str
    space: Space
    foreseen: bool = False


class DiskSpace(NamedTuple):
    """The space where the data root is or will be, none where something else is in its place; and that of
    the images, where they lie on another file system. `mailcow`: it is there with its database; `left_over`:
    the database alone is."""

    root: storage.DataRoot
    space: Space | None
    images: ImageStore | None = None
    mailcow: bool = False
    left_over: bool = False


def used_root(facts: Facts) -> storage.DataRoot:
    """The data root of the running engine, which its unit may set; else the file's. Raises HostError."""
    known = facts.get(docker.told)
    if known is None or known.rootless or not known.root.startswith("/"):
        return facts.get(storage.data_root)
    try:
        configured = facts.get(storage.data_root)
    except HostError:
        configured = None
    if configured and configured.path == known.root:
        return configured
    return storage.rooted(facts.host, known.root, _("as the running Docker says"))


def root_mount(facts: Facts) -> storage.RootMount:
    """The mount that holds the data root. Raises HostError."""
    return storage.mount_of(facts, facts.get(used_root))


def disk(facts: Facts) -> DiskSpace:
    """What is left for Docker's data; raises HostError where the file system has no size at all."""
    root = facts.get(used_root)
    if root.blocked:
        return DiskSpace(root, None)
    space = facts.host.space(root.existing)
    if space.total <= 0:
        raise HostError(_("the file system of {existing} does not tell its size", existing=root.existing))
    kept, here = bool(facts.get(database).project), _is_here(facts)
    return DiskSpace(root, space, _images(facts, space), kept and here, kept and not here)


def _is_here(facts: Facts) -> bool:
    """Whether mailcow has its directory on this machine, or runs; also where nobody may look."""
    try:
        found = facts.get(place)
    except HostError:
        return True
    return found.mailcow or bool(found.elsewhere) or found.bridged or found.moved


def _images(facts: Facts, of_root: Space) -> ImageStore | None:
    """Where containerd keeps images, if that is, or is to be expected, and another file system."""
    known = facts.get(docker.told)
    if known is None:
        foreseen = not facts.get(docker.engine).installed
        if not foreseen:
            return None
    else:
        foreseen = False
        kept_there = dict(known.status).get("driver-type", "").startswith(_SNAPSHOTTER)
        if not kept_there or _OWN_CONTAINERD in known.containerd:
            return None
    try:
        path = store_root(facts.host.text(CONTAINERD_TOML)) or STORE
    except HostError:
        path = STORE
    try:
        existing = storage.nearest(facts.host, path)
        space = facts.host.space(existing)
    except HostError:
        return None
    if existing != path and not foreseen:  # an engine that runs has made it, or keeps images elsewhere
        return None
    same = (space.total, space.inodes) == (of_root.total, of_root.inodes)
    return None if same or space.total <= 0 else ImageStore(path, existing, space, foreseen)


def store_root(text: str) -> str:
    """The `root` that containerd's settings (config.toml) name before their first table; empty: none."""
    for line in text.splitlines():
        if line.lstrip().startswith("["):
            break
        found = re.match(r"""\s*root\s*=\s*(?:"(/[^"\\]*)"|'(/[^']*)')""", line)
        if found:
            return (found[1] or found[2]).rstrip("/") or "/"
    return ""
