"""Who owns a path, by name."""

from mailcow_wizard.host.door import FileInfo, Host, HostError
from mailcow_wizard.numerals import is_number, whole
from mailcow_wizard.typed import NamedTuple


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
        self._names: dict[str, dict[int, str]] = {}

    def of(self, path: str) -> Owned:
        """The owner and mode of what a path leads to."""
        info: FileInfo = self._host.info(path)
        user = self._name("/etc/passwd", info.uid)
        return Owned(path, info.mode, info.uid, info.gid, user, self._name("/etc/group", info.gid))

    def _name(self, table: str, number: int) -> str:
        if number == 0:
            return "root"
        if table not in self._names:
            try:
                rows = [line.split(":") for line in self._host.text(table).splitlines()]
            except HostError:
                rows = []
            self._names[table] = {whole(row[2]): row[0] for row in rows if len(row) > 2 and is_number(row[2])}
        return self._names[table].get(number, str(number))
