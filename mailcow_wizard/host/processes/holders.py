"""Who holds a listening socket: its processes, found without reading every descriptor of the machine.

The kernel tells a socket's cgroup (INET_DIAG_CGROUP_ID), so a service's few processes are looked at first.
Only what remains is looked for in /proc, oldest process first, stopping when every socket has an owner.
"""

import os
from collections.abc import Iterable, Iterator

from mailcow_wizard.host.processes.proc import describe, user_names
from mailcow_wizard.host.replies import Holder, Listener

_CGROUP_MOUNTS = ("/sys/fs/cgroup", "/sys/fs/cgroup/unified")
_MOST_CGROUPS = 20_000

Owners = dict[int, list[int]]


def holders(sockets: tuple[Listener, ...]) -> tuple[Holder, ...]:
    """One answer for each socket, in order; without processes where this user may not see them."""
    paths = cgroup_paths({one.cgroup for one in sockets if one.cgroup > 1})
    owners: Owners = {}
    for path in sorted(set(paths.values())):
        _search(_members(path), {one.inode for one in sockets if paths.get(one.cgroup) == path}, owners)
    missing = {one.inode for one in sockets if one.inode} - owners.keys()
    if missing:
        _search(_all_processes(), missing, owners, stop_early=True)
        for inode in missing & owners.keys():
            _search(_relatives(owners[inode][0]), {inode}, owners)
    passed_on = {inode for inode, pids in owners.items() if 1 in pids}
    if passed_on:
        _search(_all_processes(), passed_on, owners)
    names = user_names()
    return tuple(
        Holder(
            inode=one.inode,
            processes=tuple(
                filter(None, (describe(pid, names) for pid in sorted(owners.get(one.inode, ()))))
            ),
            cgroup=paths.get(one.cgroup, ""),
            user=names.get(one.uid, str(one.uid)),
        )
        for one in sockets
    )


def cgroup_paths(ids: set[int]) -> dict[int, str]:
    """The paths of cgroups, below the cgroup2 mount, by the kernel's id: a directory's inode number."""
    found: dict[int, str] = {}
    for mount in _CGROUP_MOUNTS:
        if ids and os.path.exists(f"{mount}/cgroup.procs"):
            for inode, path in _cgroups(mount):
                if inode in ids:
                    found[inode] = path
                    if len(found) == len(ids):
                        break
            return {inode: path[len(mount) :] for inode, path in found.items()}
    return found


def _cgroups(mount: str) -> Iterator[tuple[int, str]]:
    """Every cgroup, breadth first: services lie near the top."""
    level = [mount]
    seen = 0
    while level and seen < _MOST_CGROUPS:
        below: list[str] = []
        for path in level:
            try:
                with os.scandir(path) as entries:
                    for entry in entries:
                        if entry.is_dir(follow_symlinks=False):
                            seen += 1
                            yield entry.inode(), entry.path
                            below.append(entry.path)
            except OSError:
                continue
        level = below


def _members(cgroup: str) -> list[int]:
    """The processes of a cgroup and of those below it."""
    pids: list[int] = []
    for mount in _CGROUP_MOUNTS:
        for directory, _, _ in os.walk(f"{mount}{cgroup}"):
            try:
                with open(f"{directory}/cgroup.procs", "rb") as members:
                    pids += [int(line) for line in members]
            except (OSError, ValueError):
                continue
        if pids:
            break
    return pids


def _all_processes() -> list[int]:
    return sorted(int(name) for name in os.listdir("/proc") if name.isdigit())


def _relatives(pid: int) -> list[int]:
    """Parent, siblings and children: a server's master and its workers hold one socket together."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            parent = int(stat.read().rpartition(b")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        return []
    family = _children(pid)
    return family if parent <= 1 else [*family, parent, *_children(parent)]


def _children(pid: int) -> list[int]:
    try:
        with open(f"/proc/{pid}/task/{pid}/children", "rb") as children:
            return [int(word) for word in children.read().split()]
    except (OSError, ValueError):
        return []


def _search(pids: Iterable[int], inodes: set[int], owners: Owners, stop_early: bool = False) -> None:
    """Adds to `owners` the processes among `pids` that hold one of the sockets."""
    links = {f"socket:[{inode}]": inode for inode in inodes}
    missing = set(inodes)
    for pid in pids:
        for inode in _held(pid, links):
            known = owners.setdefault(inode, [])
            if pid not in known:
                known.append(pid)
            missing.discard(inode)
        if stop_early and not missing:
            return


def _held(pid: int, links: dict[str, int]) -> set[int]:
    """Which of the sockets a process holds; none where this user may not look or the process is gone."""
    held: set[int] = set()
    directory = f"/proc/{pid}/fd"
    try:
        for name in os.listdir(directory):
            try:
                inode = links.get(os.readlink(f"{directory}/{name}"))
            except OSError:
                continue
            if inode is not None:
                held.add(inode)
    except OSError:
        pass
    return held
