"""Who owns a path, by name."""

from mailcow_wizard.host.door import Host
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.replies import FileInfo
from mailcow_wizard.numerals import is_number, whole
from mailcow_wizard.typed import NamedTuple

_USERS, _GROUPS = "/etc/passwd", "/etc/group"


class Owned(NamedTuple):
    """A path, its mode, and who owns it, with names where /etc/passwd and /etc/group have them."""

    path: str
    mode: int
    uid: int
    gid: int
    user: str
    group: str


class Owners:
    """Looks up who owns what; /etc/passwd and /etc/group are read once, and only when a name is wanted."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._tables: dict[str, list[list[str]]] = {}

    def of(self, path: str, follow: bool = True) -> Owned:
        """The owner and mode of what a path leads to; without `follow` of a link itself. Raises HostError."""
        info: FileInfo = self._host.info(path, follow)
        user = self._name(_USERS, info.uid)
        return Owned(path, info.mode, info.uid, info.gid, user, self._name(_GROUPS, info.gid))

    def has_others(self, gid: int, user: int) -> bool | None:
        """Whether a group has members besides root and this user, by name or as their first group; None where
        it is not in /etc/group."""
        own = ("", "root", self._name(_USERS, user))
        first = [row[0] for row in self._rows(_USERS) if _number(row, 3) == gid]
        row = next((row for row in self._rows(_GROUPS) if _number(row, 2) == gid), None)
        if row is None and not first:
            return None
        return any(name not in own for name in (*first, *(row[3].split(",") if row and row[3:] else ())))

    def _name(self, table: str, number: int) -> str:
        if number == 0:
            return "root"
        return next((row[0] for row in self._rows(table) if _number(row, 2) == number), str(number))

    def _rows(self, table: str) -> list[list[str]]:
        if table not in self._tables:
            try:
                self._tables[table] = [line.split(":") for line in self._host.text(table).splitlines()]
            except HostError:
                self._tables[table] = []
        return self._tables[table]


def _number(row: list[str], column: int) -> int | None:
    return whole(row[column]) if len(row) > column and is_number(row[column]) else None
