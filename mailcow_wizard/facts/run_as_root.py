"""Whether what this user, root mostly, is about to run could have been put there by somebody else."""

from __future__ import annotations

from collections.abc import Iterable

from mailcow_wizard.facts.owners import Owned, Owners
from mailcow_wizard.host.door import Host
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.language import _

_STICKY = 0o1000
_GROUP, _OTHERS = 0o020, 0o002


def changed_by(host: Host, paths: Iterable[str], user: int = 0) -> str:
    """Who besides root and this user could change one of these files, as a sentence; empty: nobody.

    The directories above count too, those of the path and those of the place that a link leads to: who may
    rename a directory may put another in its place (not so where the sticky bit is set, path_resolution(7)).
    What is not there is made by whoever may write the directory, whatever that bit is.
    """
    owners = Owners(host)
    return _first(owners, (each for path in paths for each in _places(host, path, owners)), user)


def replaced_by(host: Host, directory: str) -> str:
    """Who besides root could put another directory in the place of this one, as a sentence; empty: nobody."""
    try:
        real = host.resolve(directory)
    except HostError:
        real = directory
    return _first(Owners(host), ((one, True) for one in (*_above(directory), *_above(real))), 0)


def _first(owners: Owners, places: Iterable[tuple[str, bool]], user: int) -> str:
    for place, guarded in dict.fromkeys(places):
        try:
            found = owners.of(place)
        except HostError:
            continue
        if said := _said(found, user, owners, guarded):
            return said
    return ""


def _places(host: Host, path: str, owners: Owners) -> tuple[tuple[str, bool], ...]:
    """What leads to a path, each with whether a sticky bit keeps others from putting something there."""
    try:
        real = host.resolve(path)
    except HostError:
        return tuple(each for way in (path, *_awaited(host, path)) for each in _to_make(way, owners))
    return (*((one, True) for one in (*_above(path), *_above(real))), (real, False))


def _awaited(host: Host, path: str) -> tuple[str, ...]:
    """Where a link leads that leads nowhere yet: who makes that makes the file."""
    try:
        if host.info(path, follow=False).kind != "link":
            return ()
        said = host.run(("readlink", "-m", path)), host.run(("readlink", "-f", path))  # BusyBox has no -m
    except HostError:
        return ()
    return tuple(one.out.rstrip("\n") for one in said if one.out.startswith("/"))[:1]


def _to_make(path: str, owners: Owners) -> tuple[tuple[str, bool], ...]:
    *above, last = [one for one in _above(path) if _is_there(one, owners)] or ("/",)
    return (*((one, True) for one in above), (last, False))


def _is_there(path: str, owners: Owners) -> bool:
    try:
        owners.of(path)
    except HostError:
        return False
    return True


def _above(path: str) -> tuple[str, ...]:
    parts = path.strip("/").split("/")[:-1]
    return tuple("/" + "/".join(parts[:count]) for count in range(len(parts) + 1))


def _said(found: Owned, user: int, owners: Owners, guarded: bool) -> str:
    if found.uid not in (0, user):
        return _("{path} belongs to {user}", path=found.path, user=found.user)
    grouped = found.mode & _GROUP and found.gid != 0 and _is_shared(found.gid, user, owners)
    if (grouped or found.mode & _OTHERS) and not (guarded and found.mode & _STICKY):
        return _("{path} can be written by others (mode {mode})", path=found.path, mode=f"{found.mode:04o}")
    return ""


def _is_shared(gid: int, user: int, owners: Owners) -> bool:
    """Whether somebody else has this group: nobody has Debian's group of /usr/local, and many users have one
    of their own. Root trusts none that has no name."""
    known = owners.has_others(gid, user)
    return user == 0 if known is None else known
