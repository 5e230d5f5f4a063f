"""Who may read and change mailcow.conf, its copies, and the directories above them."""

from __future__ import annotations

from mailcow_wizard.facts.checkout import as_committed
from mailcow_wizard.facts.config import NAME, Place, place, read_kind
from mailcow_wizard.facts.owners import Owned, Owners
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.typed import NamedTuple

_READ, _WRITE = 0o077, 0o022


class Permissions(NamedTuple):
    """mailcow.conf, its copies beside it, and the directories above both it and the place that a link leads
    to, outermost first."""

    place: Place
    file: Owned | None
    copies: tuple[Owned, ...]
    directories: tuple[Owned, ...]


def permissions(facts: Facts) -> Permissions:
    """Modes and owners of mailcow.conf, its copies, and every directory above them."""
    here, host = facts.get(place), facts.host
    path = f"{here.directory}/{NAME}"
    if NAME not in (here.names or ()) or read_kind(host, path) != "file":
        return Permissions(here, None, (), ())
    owned = Owners(host)
    real = host.resolve(path)
    above = dict.fromkeys((*_above(f"{host.resolve(here.directory)}/{NAME}"), *_above(real)))
    beside = [f"{here.directory}/{name}" for name in here.names or () if _is_copy(name)]
    copies = tuple(owned.of(copy) for copy in beside if read_kind(host, copy) == "file")
    return Permissions(here, owned.of(path), _private(facts, copies), tuple(map(owned.of, above)))


def _private(facts: Facts, copies: tuple[Owned, ...]) -> tuple[Owned, ...]:
    """The copies without those that are mailcow's own: what everybody can clone holds no secret."""
    names = [one.path.rpartition("/")[2] for one in copies if one.mode & _READ and not one.mode & _WRITE]
    public = as_committed(facts, names) if names else ()
    return tuple(one for one in copies if one.path.rpartition("/")[2] not in public)


def _is_copy(name: str) -> bool:
    """Copies that generate_config.sh, editors and people leave: mailcow.conf_backup, .bak, ~, .swp."""
    return NAME in name and name != NAME


def _above(path: str) -> list[str]:
    parts = path.strip("/").split("/")[:-1]
    return ["/" + "/".join(parts[:count]) for count in range(len(parts) + 1)]
