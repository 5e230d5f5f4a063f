"""Docker's engine: whether there is one, whether it answers, which it is, what it says of itself.

A client, a socket, a permission, a daemon and a version are told apart: a dead daemon is not an old one.
"""

from __future__ import annotations

import re

from mailcow_wizard.facts.containers import docker_socket
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.door import Denied, Host, HostError, Missing, NoAnswer, Refused
from mailcow_wizard.language import _
from mailcow_wizard.numerals import whole
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Any, Literal

    State = Literal["answers", "absent", "denied", "refused", "silent", "odd"]

_ASK_S = 3.0
_COMMAND_S = 5.0
_SNAP = ("/snap/bin/docker", "/snap/docker")
_PODMAN = "podman"


class Engine(NamedTuple):
    """Whether an engine answers, and what is installed.

    `state`: it answers; there is no socket (absent); this user may not use it (denied); nobody takes
    connections (refused); it takes them and stays silent; or it answers oddly. `trouble` says that in words.
    `version`, `api`, `least_api` and `kind` (docker, podman) are the running engine's, else empty.
    `client` and `server` are the paths of the programs, empty where they are not installed; `snap` that
    Ubuntu's snap of Docker is. `remote` is DOCKER_HOST, which leads the client elsewhere.
    """

    state: State
    socket: str
    trouble: str = ""
    version: str = ""
    api: str = ""
    least_api: str = ""
    kind: str = ""
    client: str = ""
    server: str = ""
    snap: bool = False
    remote: str = ""

    @property
    def installed(self) -> bool:
        """Whether there is an engine on this machine at all."""
        return bool(self.server or self.snap) or self.state not in ("absent", "refused")


class Programs(NamedTuple):
    """What the installed programs say of themselves: the versions of client and server, empty where they are
    not installed or do not say; `shim` that the client is Podman, which only answers to Docker's name."""

    client: str
    server: str
    shim: bool


class Info(NamedTuple):
    """What a running engine says of itself. `status` is about its storage driver; `security` its options;
    `proxy` the one that it goes through to registries; `firewall` its backend, `containerd` the socket of the
    containerd that it uses, both empty where they are not said."""

    version: str
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


def engine(facts: Facts) -> Engine:
    """Asks the engine for its version; looks for its programs. Raises nothing for an engine that is dead."""
    host, path = facts.host, docker_socket(facts)
    found = Engine(
        "absent",
        path,
        client=_program(host, "docker"),
        server=_program(host, "dockerd"),
        snap=any(map(host.exists, _SNAP)),
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
    parts = said.get("Components")
    names = [str(one.get("Name", "")) for one in parts if isinstance(one, dict)] if parts else []
    return found._replace(
        state="answers",
        version=str(said.get("Version", "")),
        api=str(said.get("ApiVersion", "")),
        least_api=str(said.get("MinAPIVersion", "")),
        kind=_PODMAN if any(_PODMAN in one.lower() for one in names) else "docker",
    )


def programs(facts: Facts) -> Programs:
    """Asks the installed programs for their versions, which needs no daemon."""
    known = facts.get(engine)
    said = _says(facts.host, "docker") if known.client else ""
    server = _says(facts.host, "dockerd") if known.server and not known.version else ""
    return Programs(_version_in(said), _version_in(server), _PODMAN in said.lower())


def info(facts: Facts) -> Info | None:
    """What the engine says of itself; None where none answers. Raises HostError for an odd answer."""
    if facts.get(engine).state != "answers":
        return None
    said = ask(facts, "/info")
    registries = said.get("RegistryConfig")
    mirrors = registries.get("Mirrors") if isinstance(registries, dict) else None
    backend, containerd = said.get("FirewallBackend"), said.get("Containerd")
    return Info(
        version=str(said.get("ServerVersion") or ""),
        driver=str(said.get("Driver") or ""),
        status=tuple(
            (str(one[0]), str(one[1]))
            for one in said.get("DriverStatus") or ()
            if isinstance(one, list) and len(one) == 2
        ),
        root=str(said.get("DockerRootDir") or ""),
        security=tuple(map(str, said.get("SecurityOptions") or ())),
        mirrors=tuple(map(str, mirrors or ())),
        proxy=str(said.get("HttpsProxy") or said.get("HTTPSProxy") or ""),
        live_restore=said.get("LiveRestoreEnabled") is True,
        firewall=str(backend.get("Driver") or "") if isinstance(backend, dict) else "",
        running=_number(said.get("ContainersRunning")),
        containerd=str(containerd.get("Address") or "") if isinstance(containerd, dict) else "",
    )


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


def numbers(version: str) -> tuple[int, int, int]:
    """A version's three numbers, 0 for what it does not have: 28.5.2+dfsg4 is 28, 5, 2."""
    found = re.match(r"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?", version)
    first, second, third = (whole(one or "0") for one in found.groups()) if found else (0, 0, 0)
    return first, second, third


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _program(host: Host, name: str) -> str:
    try:
        return host.which(name)
    except Missing:
        return ""


def _says(host: Host, name: str) -> str:
    try:
        return host.run((name, "--version"), _COMMAND_S).out
    except HostError:
        return ""


def _version_in(said: str) -> str:
    found = re.search(r"version (\d+\.\d+[\w.+~-]*)", said)
    return found[1] if found else ""
