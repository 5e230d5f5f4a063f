"""Whose a file is, and who else could have written it: what may be followed, read back and acted upon."""

from __future__ import annotations

import os
import stat

from mailcow_wizard.host.errors import Denied
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_SHARED = stat.S_ISVTX | stat.S_IWOTH
_MOST_LINKS = 40  # path_resolution(7)


def stranger(directory: str) -> str:
    """Who besides root and this user could put something into a directory that is trusted, as words; empty:
    nobody.

    For root the directories above count too, those of the places that links lead to as well: who may rename
    one may put another in its place.
    """
    user = os.geteuid()
    path, real = os.path.abspath(directory), os.path.realpath(directory)
    links = (*_links(path),) if user == 0 else ()
    above = _leading(path, real, links) if user == 0 else ()
    link = _others_link(links, {user})
    if link:
        return link
    for place in dict.fromkeys((path, real, *above)):
        try:
            found = os.stat(place)
        except OSError:
            continue
        if found.st_uid not in (0, user):
            return f"{place} belongs to {_name(found.st_uid)}"
        shared = place not in (path, real) and found.st_mode & stat.S_ISVTX
        grouped = found.st_mode & stat.S_IWGRP and found.st_gid != 0 and _is_shared(found.st_gid, user)
        if (grouped or found.st_mode & stat.S_IWOTH) and not shared:
            return f"{place} can be written by others (mode {stat.S_IMODE(found.st_mode):04o})"
    return ""


def changeable(path: str) -> str:
    """Who besides root could change a command or a directory of commands, as words; empty: nobody, it is not
    there, or this is not root.

    Unlike `stranger` it takes for root whoever has the root directory (another could rename everything
    below), and a group that has no name for nobody.
    """
    if os.geteuid() != 0:
        return ""
    trusted = {0, os.stat("/").st_uid}
    real = os.path.realpath(path)
    links = (*_links(path),)
    link = _others_link(links, trusted)
    if link:
        return link
    for place in dict.fromkeys((path, real, *_leading(path, real, links))):
        try:
            found = os.stat(place)
        except OSError:
            continue
        if found.st_uid not in trusted:
            return f"{place} belongs to {_name(found.st_uid)}"
        shared = place not in (path, real) and found.st_mode & stat.S_ISVTX
        grouped = found.st_mode & stat.S_IWGRP and found.st_gid != 0 and _has_others(found.st_gid, 0)
        if (grouped or found.st_mode & stat.S_IWOTH) and not shared:
            return f"{place} can be written by others (mode {stat.S_IMODE(found.st_mode):04o})"
    return ""


def _is_shared(gid: int, user: int) -> bool:
    """Whether somebody else has this group: nobody has Debian's group of /usr/local, and many users have one
    of their own. None that has no name is trusted, but the one of this process."""
    known = _has_others(gid, user)
    return gid != os.getegid() if known is None else known


def _has_others(gid: int, user: int) -> bool | None:
    """Whether a group has members besides root and this user, by name or as their first group; None where it
    has no name."""
    import grp
    import pwd

    first = any(one.pw_gid == gid and one.pw_uid not in (0, user) for one in pwd.getpwall())
    try:
        return first or any(name not in ("root", _name(user)) for name in grp.getgrgid(gid).gr_mem)
    except KeyError:
        return first or None


def followed(path: str) -> str:
    """The path without links (a circle of links stays as it is). Raises Denied for a link that another user
    put into a shared directory.

    That is the kernel's own rule (fs.protected_symlinks), which does not see a link that is read and not
    followed. Raises OSError.
    """
    # Who stands in a directory that is gone can still name a whole path.
    whole = path if path.startswith("/") else os.path.join(os.getcwd(), path)
    place, left, links = "/", _words(whole), 0
    while left:
        name = left.pop()
        if name == "..":
            place = os.path.dirname(place)
            continue
        here = os.path.join(place, name)
        try:
            found = os.lstat(here)
        except FileNotFoundError:
            place = here
            continue
        links += stat.S_ISLNK(found.st_mode)
        if not stat.S_ISLNK(found.st_mode) or links > _MOST_LINKS:
            place = here
            continue
        _allowed(here, found.st_uid, place)
        target = os.readlink(here)
        left += _words(target)
        place = "/" if target.startswith("/") else place
    return place


def _allowed(link: str, owner: int, directory: str) -> None:
    above = os.stat(directory)
    if above.st_mode & _SHARED == _SHARED and owner not in (os.geteuid(), above.st_uid):
        raise Denied(f"{link} is a link that {_name(owner)} put into a directory that all may write")


def _words(path: str) -> list[str]:
    """The names in a path that mean something, the last first."""
    return [name for name in reversed(path.split("/")) if name not in ("", ".")]


def _leading(path: str, real: str, links: Iterable[tuple[str, str]]) -> Iterator[str]:
    """The directories above a path, above what each link on the way makes of it, and above its end."""
    yield from _above(path)
    for _link, made in links:
        yield from _above(made)
    yield from _above(real)


def _others_link(links: Iterable[tuple[str, str]], trusted: set[int]) -> str:
    """A link on the way that another user put into a directory where only its owner may replace it, as words;
    empty: there is none. Elsewhere who owns a link cannot change it."""
    for link, _made in links:
        try:
            owner, above = os.lstat(link).st_uid, os.stat(os.path.dirname(link)).st_mode
        except OSError:
            continue
        if owner not in trusted and above & stat.S_ISVTX and above & (stat.S_IWGRP | stat.S_IWOTH):
            return f"{link} belongs to {_name(owner)}"
    return ""


def _links(path: str) -> Iterator[tuple[str, str]]:
    """Each link on the way of a path, and what it makes of it."""
    for _link in range(_MOST_LINKS):
        link = next((one for one in (*reversed((*_above(path),)), path) if os.path.islink(one)), "")
        try:
            path = os.path.join(os.path.dirname(link), os.readlink(link)) + path[len(link) :]
        except OSError:  # there is none, any more
            break
        yield link, path


def _above(path: str) -> Iterator[str]:
    while path != "/":
        path = os.path.dirname(path)
        yield path


def _name(uid: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
