"""What Alpine's apk says, and its community repository, in which Docker's packages are and which a new system
has switched off."""

from __future__ import annotations

import re

from mailcow_wizard.facts.presence import read_if_there
from mailcow_wizard.host.door import Host
from mailcow_wizard.host.errors import Missing
from mailcow_wizard.language import _
from mailcow_wizard.model import Edit
from mailcow_wizard.patterns import pattern
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

REPOSITORIES = "/etc/apk/repositories"
_WORLD = "/etc/apk/world"
# Since version 3 the number is padded: `( 1/10) Installing docker (28.3.3-r0)`.
_STEP = pattern(r"^\( *\d+/\d+\) (?P<what>\w+) (?P<name>\S+) \(", re.MULTILINE)
_UNKNOWN = pattern(r"^  (\S+) \(no such package\):$", re.MULTILINE)
_UNREAD = pattern(r"^WARNING: (?!opening from cache)\S.*$", re.MULTILINE)
_MAIN = pattern(r"(?P<above>(?:https?:/)?/\S+)/main/?")  # without a tag: `@edge https://…`
_NAME = pattern(r"[^=<>~@\s]+")


class Community(NamedTuple):
    """The repository that is not read yet: its address, and the change that has it read."""

    address: str
    edit: Edit


def steps(said: str, *what: str) -> tuple[str, ...]:
    """The packages that such a thing is done to (`Installing`, `Upgrading`, `Purging`), in its order."""
    return tuple(one["name"] for one in _STEP.finditer(said) if one["what"] in what)


def chosen(host: Host) -> tuple[str, ...]:
    """The packages that somebody has asked for, without the versions that they were asked for in."""
    try:
        words = host.text(_WORLD).split()
    except Missing:
        return ()
    return tuple(found[0] for found in map(_NAME.match, words) if found)


def reason(said: str) -> str:
    """Why it cannot be installed: what could not be read, else what is not there; empty: neither."""
    unread = _UNREAD.search(said)
    if unread:
        return unread[0].removeprefix("WARNING: ")
    unknown = _UNKNOWN.findall(said)
    return _("no such package: {names}", names=", ".join(unknown)) if unknown else ""


def community(host: Host, said: str) -> Community | None:
    """Has the community repository read, where every repository was read and a package is in none of them.

    None: that is not why, or it is read already, or where it is cannot be told from the main one.
    """
    if _UNREAD.search(said) or not _UNKNOWN.search(said):
        return None
    before = read_if_there(host, REPOSITORIES)
    if before is None:
        return None
    lines = before.decode("utf-8", "surrogateescape").splitlines()
    address = _beside(_MAIN.fullmatch(line.strip()) for line in lines)
    if not address or any(line.strip().rstrip("/") == address for line in lines):
        return None
    off = [number for number, line in enumerate(lines) if line.lstrip("# \t").rstrip("/ \t") == address]
    if off:
        lines[off[0]] = address
    else:
        lines.append(address)
    after = "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape")
    return Community(address, Edit(REPOSITORIES, before, after))


def _beside(mains: Iterable[re.Match[str] | None]) -> str:
    """The community repository of the first main one that is read."""
    return next((f"{found['above']}/community" for found in mains if found), "")
