"""A machine made of a few lines of a test: what is not given is not there."""

from collections.abc import Iterable, Mapping

from mailcow_wizard.host.door import Host
from mailcow_wizard.host.errors import HostError, Missing, TooLarge
from mailcow_wizard.host.replies import MIB, FileInfo, HttpReply, Process, Ran, Space, Uname, User

FULL_CAPABILITIES = (1 << 41) - 1
ROOT = User(0, "root", FULL_CAPABILITIES)
SOMEBODY = User(1000, "anna", 0)
DEBIAN_12 = Uname("mail", "6.1.0-25-amd64", "#1 SMP Debian 6.1.106-3", "x86_64", 64)


class FakeHost(Host):
    """`files` maps a path to its content, or to the HostError that looking at it (or below it) raises.

    A path that ends with a slash is an empty directory; directories above files are there by themselves.
    `commands` maps a command line in words to its outcome (text alone: exit 0), or to a HostError;
    `tools` are further commands that are merely there, in /usr/bin. `links` maps a path to what it leads to.
    `spaces` maps a mounted directory to its space; the longest prefix answers.
    """

    def __init__(
        self,
        files: Mapping[str, str | bytes | HostError] | None = None,
        commands: Mapping[str, Ran | str | HostError] | None = None,
        links: Mapping[str, str] | None = None,
        spaces: Mapping[str, Space] | None = None,
        uname: Uname = DEBIAN_12,
        user: User = ROOT,
        tools: Iterable[str] = (),
        variables: Mapping[str, str] | None = None,
        fqdn: str = "mail.example.org",
        now: float = 1_790_000_000.0,
    ) -> None:
        self.files = dict(files or {})
        self.commands = dict(commands or {})
        self.links = dict(links or {})
        self.spaces = dict(spaces or {})
        self.variables = dict(variables or {})
        self.asked: list[str] = []
        self._uname, self._user, self._fqdn, self._now = uname, user, fqdn, now
        for tool in tools:
            self.files.setdefault(f"/usr/bin/{tool}", b"\x7fELF")

    def read(self, path: str, limit: int = MIB) -> bytes:
        self.asked.append(path)
        content = self._find(self._followed(path))
        if content is None:
            raise Missing(f"there is no file {path}")
        data = content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content
        if len(data) > limit:
            raise TooLarge(f"{path} is larger than {limit} bytes")
        return data

    def kept(self, name: str) -> bytes:
        return self.read(f"/kept/{name}.json")

    def names(self, path: str) -> tuple[str, ...]:
        place = self._followed(path).rstrip("/") + "/"
        self._refuse(place.rstrip("/"))
        below = [*self.files, *self.links]
        inside = {one[len(place) :].partition("/")[0] for one in below if one.startswith(place)} - {""}
        if not inside and place not in self.files:
            raise Missing(f"there is no directory {path}")
        return tuple(sorted(inside))

    def info(self, path: str, follow: bool = True) -> FileInfo:
        if not follow and path in self.links:
            return FileInfo("link", 0o777, 0, 0, len(self.links[path]), 0.0)
        target = self._followed(path)
        content = self._find(target)
        if content is not None:
            return FileInfo("file", 0o644, 0, 0, len(content), 0.0)
        place = target.rstrip("/") + "/"
        if target == "/" or any(one.startswith(place) for one in (*self.files, *self.links, *self.spaces)):
            return FileInfo("directory", 0o755, 0, 0, 4096, 0.0)
        if target in self.spaces:
            return FileInfo("directory", 0o755, 0, 0, 4096, 0.0)
        raise Missing(f"there is no {path}")

    def resolve(self, path: str) -> str:
        self.info(path)
        return self._followed(path)

    def _followed(self, path: str) -> str:
        for _ in range(8):
            for link, target in self.links.items():
                if path == link or path.startswith(f"{link}/"):
                    path = target + path[len(link) :]
                    break
            else:
                return path
        raise HostError(f"{path} is a link to itself")

    def contains(self, path: str, needle: bytes) -> bool:
        return needle in self.read(path, 1 << 40)[: 4 * MIB]

    def space(self, path: str) -> Space:
        target = self._followed(path)
        self._refuse(target)
        fitting = [one for one in self.spaces if f"{target}/".startswith(one.rstrip("/") + "/")]
        if not fitting:
            raise Missing(f"there is no {path}")
        return self.spaces[max(fitting, key=len)]

    def which(self, command: str) -> str:
        for place in ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"):
            path = f"{place}/{command}"
            if path in self.links or path in self.files:
                return path
        if any(line.split()[0] == command for line in self.commands):
            return f"/usr/bin/{command}"
        raise Missing(f"there is no command {command}")

    def run(self, argv: tuple[str, ...], timeout: float = 5.0, most: int = MIB, begun: bool = False) -> Ran:
        line = " ".join((argv[0].rpartition("/")[2], *argv[1:]))
        self.asked.append(line)
        outcome = self.commands.get(line)
        if outcome is None:
            raise Missing(f"there is no command {argv[0]}")
        if isinstance(outcome, HostError):
            raise outcome
        return Ran(0, outcome, "") if isinstance(outcome, str) else outcome

    def http(self, socket_path: str, target: str, timeout: float = 3.0) -> HttpReply:
        raise Missing(f"there is no {socket_path}")

    def uname(self) -> Uname:
        return self._uname

    def running(self, names: tuple[str, ...]) -> tuple[Process, ...]:
        return ()

    def user(self) -> User:
        return self._user

    def variable(self, name: str) -> str:
        return self.variables.get(name, "")

    def fqdn(self) -> str:
        return self._fqdn

    def now(self) -> float:
        return self._now

    def _find(self, path: str) -> str | bytes | None:
        self._refuse(path)
        content = self.files.get(path)
        return None if isinstance(content, HostError) else content

    def _refuse(self, path: str) -> None:
        """Raises what was planned for this path or for a directory above it."""
        place = path
        while place:
            planned = self.files.get(place)
            if isinstance(planned, HostError):
                raise planned
            place = place.rpartition("/")[0]
