"""Docker's engine: whether there is one, whether it answers, which it is, what it says of itself.

A client, a socket, a permission, a daemon and a version are told apart: a dead daemon is not an old one.
"""

from __future__ import annotations

import re

from mailcow_wizard.facts.containers import DAEMON, SNAP, docker_socket
from mailcow_wizard.facts.presence import path_of_command
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.door import Host
from mailcow_wizard.host.errors import Denied, HostError, Missing, NoAnswer, Refused
from mailcow_wizard.language import _
from mailcow_wizard.numerals import whole
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Literal

    from mailcow_wizard.host.replies import Process

    State = Literal["answers", "absent", "denied", "refused", "silent", "odd", "podman"]
else:
    State = str

_ASK_S = 3.0
_COMMAND_S = 5.0
_PODMAN = "podman"
_ROOTLESS = (DAEMON, "rootlesskit")


class Engine(NamedTuple):
    """Whether an engine answers, and what is installed.

    `state`: it answers; there is no socket (absent); this user may not use it (denied); nobody takes
    connections (refused); it takes them and stays silent; it answers oddly; or Podman has Docker's place.
    `trouble` says that in words. `version` and `least_api` are the running Docker's, else empty.
    `client` and `server` are the paths of the programs, empty where they are not installed; `snap` that
    Ubuntu's snap of Docker is. `remote` is DOCKER_HOST, which leads the client elsewhere.
    """

    state: State
    socket: str
    trouble: str = ""
    version: str = ""
    least_api: str = ""
    client: str = ""
    server: str = ""
    snap: bool = False
    remote: str = ""

    @property
    def installed(self) -> bool:
        """Whether there is a Docker Engine on this machine at all."""
        return bool(self.server or self.snap) or self.state not in ("absent", "refused", "podman")


class Programs(NamedTuple):
    """What the installed programs say of themselves: Docker's versions of client and server, empty where they
    are not installed or do not say; `shim` that the client is Podman, which only answers to Docker's name."""

    client: str
    server: str
    shim: bool


class Info(NamedTuple):
    """What a running engine says of itself. `status` is about its storage driver; `security` its options;
    `proxy` the one that it goes through to registries; `firewall` its backend, `containerd` the socket of the
    containerd that it uses, both empty where they are not said."""

    driver: str
    status: tuple[tuple[str, str], ...]
    root: str
    security: tuple[str, ...]
    mirrors: tuple[str, ...]
    proxy: str
    live_restore: bool
    firewall: str
    running: int
    containerd: str = ""

    @property
    def rootless(self) -> bool:
        """Whether it runs without root."""
        return any(one.startswith("name=rootless") for one in self.security)

    @property
    def remapped(self) -> bool:
        """Whether users of containers are others outside (userns-remap)."""
        return any(one.startswith("name=userns") for one in self.security)

    @property
    def snap(self) -> bool:
        """Whether it is Ubuntu's snap, which keeps its data in a place of its own."""
        return self.root.startswith("/var/snap/")

    @property
    def apart(self) -> bool:
        """Whether its containers, images and volumes are others than those of this machine's usual Docker."""
        return self.rootless or self.remapped


def engine(facts: Facts) -> Engine:
    """Asks the engine for its version; looks for its programs. Raises nothing for an engine that is dead."""
    found = _asked(facts)
    hidden = found.state in ("denied", "silent", "odd") and not (found.server or found.snap)
    if hidden and found.client and _PODMAN in _says(facts.host, "docker").lower():
        # No Docker is installed that could have made the socket.
        return found._replace(state="podman", trouble=_("{path} is Podman's", path=found.socket))
    return found


def _asked(facts: Facts) -> Engine:
    host, path = facts.host, docker_socket(facts)
    found = Engine(
        "absent",
        path,
        client=path_of_command(host, "docker"),
        server=path_of_command(host, DAEMON),
        snap=any(map(host.exists, SNAP)),
        remote=host.variable("DOCKER_HOST"),
    )
    try:
        said = ask(facts, "/version")
    except Missing:
        return found._replace(trouble=_("there is no socket {path}", path=path))
    except Denied:
        return found._replace(state="denied", trouble=_("this user may not use {path}", path=path))
    except Refused:
        return found._replace(state="refused", trouble=_("nobody answers on {path}", path=path))
    except NoAnswer:
        return found._replace(
            state="silent", trouble=_("{path} gave no answer within {seconds:g} s", path=path, seconds=_ASK_S)
        )
    except HostError as error:
        return found._replace(state="odd", trouble=str(error))
    names = [str(one.get("Name", "")) for one in items(said, "Components") if isinstance(one, dict)]
    version = str(said.get("Version", ""))
    if any(_PODMAN in one.lower() for one in names):
        words = _("Podman {version} answers on {path}, not Docker", version=version, path=path)
        return found._replace(state="podman", trouble=words)
    return found._replace(
        state="answers",
        version=version,
        least_api=str(said.get("MinAPIVersion", "")),
    )


def programs(facts: Facts) -> Programs:
    """Asks the installed programs for their versions, which needs no daemon."""
    known = facts.get(engine)
    said = _says(facts.host, "docker") if known.client else ""
    server = _says(facts.host, "dockerd") if known.server and not known.version else ""
    shim = _PODMAN in said.lower()
    return Programs("" if shim else _version_in(said), _version_in(server), shim)


def dockerds(facts: Facts) -> tuple[Process, ...]:
    """Every dockerd that runs here, whose ever it is. Raises HostError where the processes do not tell."""
    return facts.host.running((DAEMON,))


def rootless_users(facts: Facts) -> tuple[str, ...]:
    """Who runs a rootless Docker here, by name; none where the processes do not tell."""
    try:
        # Mostly there is none, and looking through thousands of processes once more would tell no more.
        processes = facts.host.running(_ROOTLESS) if facts.get(dockerds) else ()
    except HostError:
        return ()
    # A dockerd alone may be one of a container, whose root is somebody else out here.
    daemons, kits = ({one.user for one in processes if one.name == name} for name in _ROOTLESS)
    return tuple(sorted((daemons & kits) - {"root"}))


def info(facts: Facts) -> Info | None:
    """What the engine says of itself; None where none answers. Raises HostError for an odd answer."""
    if facts.get(engine).state != "answers":
        return None
    said = ask(facts, "/info")
    return Info(
        driver=str(said.get("Driver") or ""),
        status=tuple(
            (str(one[0]), str(one[1]))
            for one in items(said, "DriverStatus")
            if isinstance(one, list) and len(one) == 2
        ),
        root=str(said.get("DockerRootDir") or ""),
        security=tuple(map(str, items(said, "SecurityOptions"))),
        mirrors=tuple(map(str, items(entries(said, "RegistryConfig"), "Mirrors"))),
        proxy=str(said.get("HttpsProxy") or said.get("HTTPSProxy") or ""),
        live_restore=said.get("LiveRestoreEnabled") is True,
        firewall=str(entries(said, "FirewallBackend").get("Driver") or ""),
        running=_number(said.get("ContainersRunning")),
        containerd=str(entries(said, "Containerd").get("Address") or ""),
    )


def told(facts: Facts) -> Info | None:
    """What the engine says of itself; None where it says nothing, or nothing that makes sense."""
    try:
        return facts.get(info)
    except HostError:
        return None


def must_be_allowed(facts: Facts) -> None:
    """Raises Denied where this user may not ask the engine."""
    known = facts.get(engine)
    if known.state == "denied":
        raise Denied(known.trouble)


def ask(facts: Facts, target: str, kind: type = dict) -> Any:
    """One question to Docker's API, its answer as JSON of this kind. Raises HostError."""
    import json

    reply = facts.host.http(docker_socket(facts), target, _ASK_S)
    if reply.status != 200:
        raise HostError(
            _("Docker answers {status} when asked for {target}", status=reply.status, target=target)
        )
    try:
        said = json.loads(reply.body)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, kind):
        raise HostError(_("Docker's answer to {target} is not readable", target=target))
    return said


def seconds(stamp: str) -> float:
    """A time as Docker tells it (RFC 3339, with nanoseconds), seconds since 1970; 0 where it is none, or says
    never (year 1)."""
    from datetime import datetime

    match = re.match(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?(Z|[+-]\d\d:\d\d)$", stamp)
    if not match or stamp.startswith("0001"):
        return 0.0
    try:
        return datetime.fromisoformat(match[1] + match[2].replace("Z", "+00:00")).timestamp()
    except (ValueError, OverflowError):
        return 0.0


def rows(facts: Facts, target: str) -> tuple[dict[str, Any], ...]:
    """The objects in a list of Docker's API. Raises HostError."""
    return tuple(one for one in ask(facts, target, list) if isinstance(one, dict))


def networks(facts: Facts) -> tuple[dict[str, Any], ...]:
    """Docker's networks, as its API has them. Raises HostError."""
    return rows(facts, "/networks")


def items(said: Mapping[str, Any], key: str) -> list[Any]:
    """The list that an answer has under this key; an empty one where there is something else."""
    found = said.get(key)
    return found if isinstance(found, list) else []


def entries(said: Mapping[str, Any], key: str) -> dict[str, Any]:
    """The object that an answer has under this key; an empty one where there is something else."""
    found = said.get(key)
    return found if isinstance(found, dict) else {}


def numbers(version: str) -> tuple[int, int, int]:
    """A version's three numbers, 0 for what it does not have: 28.5.2+dfsg4 is 28, 5, 2."""
    found = re.match(r"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?", version)
    first, second, third = (whole(one or "0") for one in found.groups()) if found else (0, 0, 0)
    return first, second, third


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _says(host: Host, name: str) -> str:
    try:
        return host.run((name, "--version"), _COMMAND_S).out
    except HostError:
        return ""


def _version_in(said: str) -> str:
    found = re.search(r"version (\d+\.\d+[\w.+~-]*)", said)
    return found[1] if found else ""
