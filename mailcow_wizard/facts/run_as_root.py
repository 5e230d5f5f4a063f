"""Whether what this user, root mostly, is about to run could have been put there by somebody else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mailcow_wizard.facts.owners import Owned, Owners
from mailcow_wizard.host.door import Host
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.language import _
from mailcow_wizard.typed import NamedTuple

_STICKY = 0o1000
_GROUP, _OTHERS = 0o020, 0o002
_MOST_LINKS = 40  # path_resolution(7)


class _Place(NamedTuple):
    """What leads to a path. `guarded`: a sticky bit keeps others from putting something there; `link`: the
    link itself is meant, which its owner may replace where a sticky bit keeps others from that."""

    path: str
    guarded: bool = True
    link: bool = False


def changed_by(host: Host, paths: Iterable[str], user: int = 0) -> str:
    """Who besides root and this user could change one of these files, as a sentence; empty: nobody.

    The directories above count too, those of the path and those of each place that a link on its way leads
    to: who may rename a directory may put another in its place (not so where the sticky bit is set,
    path_resolution(7)). What is not there is made by whoever may write the directory, whatever that bit is.
    """
    owners = Owners(host)
    return _first(owners, (each for path in paths for each in _places(host, path, owners)), user)


def replaced_by(host: Host, directory: str) -> str:
    """Who besides root could put another directory in the place of this one, as a sentence; empty: nobody."""
    above = (*_on_the_way(host, directory), *map(_Place, _above(_real(host, directory))))
    return _first(Owners(host), above, 0)


def _first(owners: Owners, places: Iterable[_Place], user: int) -> str:
    for place in dict.fromkeys(places):
        try:
            if place.link and not owners.of(_above(place.path)[-1]).mode & _STICKY:
                continue
            found = owners.of(place.path, follow=not place.link)
        except HostError:
            continue
        if said := _said(found, user, owners, place):
            return said
    return ""


def _places(host: Host, path: str, owners: Owners) -> tuple[_Place, ...]:
    """What leads to a path; to one that is not there, what leads to where it would be made."""
    if _is_there(path, owners):
        return _leading(host, path)
    ways = (path, *(made for _link, made in _links(host, path)))
    return tuple(each for way in ways for each in _leading(host, _last_there(way, owners)))


def _leading(host: Host, path: str) -> tuple[_Place, ...]:
    real = _real(host, path)
    return (*_on_the_way(host, path), *map(_Place, _above(real)), _Place(real, guarded=False))


def _real(host: Host, path: str) -> str:
    try:
        return host.resolve(path)
    except HostError:
        return path


def _on_the_way(host: Host, path: str) -> tuple[_Place, ...]:
    """The directories above a path, each link on the way, and the directories above what it makes of it."""
    places = [*map(_Place, _above(path))]
    for link, made in _links(host, path):
        places += (_Place(link, link=True), *map(_Place, _above(made)))
    return tuple(places)


def _links(host: Host, path: str) -> Iterator[tuple[str, str]]:
    """Each link on the way of a path, and what it makes of it."""
    for _link in range(_MOST_LINKS):
        link = next((one for one in (*_above(path)[1:], path) if _is_link(host, one)), "")
        if not link:
            return
        try:
            target = host.run(("readlink", link)).out.rstrip("\n")
        except HostError:
            return
        begin = "" if target.startswith("/") else f"{link.rpartition('/')[0]}/"
        path = begin + target + path[len(link) :]
        yield link, path


def _is_link(host: Host, path: str) -> bool:
    try:
        return host.info(path, follow=False).kind == "link"
    except HostError:
        return False


def _last_there(path: str, owners: Owners) -> str:
    return next((one for one in reversed(_above(path)) if _is_there(one, owners)), "/")


def _is_there(path: str, owners: Owners) -> bool:
    try:
        owners.of(path)
    except HostError:
        return False
    return True


def _above(path: str) -> tuple[str, ...]:
    parts = path.strip("/").split("/")[:-1]
    return tuple("/" + "/".join(parts[:count]) for count in range(len(parts) + 1))


def _said(found: Owned, user: int, owners: Owners, place: _Place) -> str:
    if found.uid not in (0, user):
        return _("{path} belongs to {user}", path=found.path, user=found.user)
    if place.link:
        return ""
    grouped = found.mode & _GROUP and found.gid != 0 and _is_shared(found.gid, user, owners)
    if (grouped or found.mode & _OTHERS) and not (place.guarded and found.mode & _STICKY):
        return _("{path} can be written by others (mode {mode})", path=found.path, mode=f"{found.mode:04o}")
    return ""


def _is_shared(gid: int, user: int, owners: Owners) -> bool:
    """Whether somebody else has this group: nobody has Debian's group of /usr/local, and many users have one
    of their own. Root trusts none that has no name."""
    known = owners.has_others(gid, user)
    return user == 0 if known is None else known
