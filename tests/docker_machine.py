"""A machine with a Docker made of a few lines: what its API answers, what its programs say, what runs."""

import json
from collections.abc import Mapping
from typing import Any

from mailcow_wizard.facts.store import Facts
from mailcow_wizard.facts.units import _PROPERTIES
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.replies import DnsQuestion, DnsReply, HttpReply, Listeners, Process, Ran
from mailcow_wizard.model import Settings
from tests.fake_host import FakeHost

MAILCOW = "/opt/mailcow-dockerized"
JSON = "/etc/docker/daemon.json"
GLOBAL_V6 = "20010db8000000000000000000000010 02 40 00 80     eth0\n"
DEFAULT_V6 = f"{'0' * 32} 00 {'0' * 32} 00 fe80{'0' * 27}1 00000400 00000001 00000000 00000003     eth0\n"
INFO: dict[str, Any] = {
    "ServerVersion": "28.5.1",
    "Driver": "overlay2",
    "DriverStatus": [["Backing Filesystem", "extfs"], ["Supports d_type", "true"]],
    "DockerRootDir": "/var/lib/docker",
    "SecurityOptions": ["name=seccomp,profile=builtin"],
}


def units(service: str = "loaded active enabled", socket: str = "loaded active enabled") -> dict[str, str]:
    """What systemd says of Docker's units: load, active and file state of each."""
    blocks = []
    for name, said in (("docker.service", service), ("docker.socket", socket)):
        load, active, state = said.split(" ")
        blocks.append(f"Id={name}\nLoadState={load}\nActiveState={active}\nUnitFileState={state}\n")
    return {f"systemctl show -p {_PROPERTIES} -- docker.service docker.socket": "\n".join(blocks)}


class DockerHost(FakeHost):
    """`said` maps a target of the API to its answer, or is the HostError that asking it raises; `others` run
    besides the daemon."""

    def __init__(
        self,
        said: Mapping[str, Any] | HostError | None = None,
        version: str = "28.5.1",
        info: Mapping[str, Any] | None = None,
        files: Mapping[str, Any] | None = None,
        commands: Mapping[str, Any] | None = None,
        daemon: tuple[str, ...] = ("/usr/bin/dockerd", "-H", "fd://"),
        pages: Mapping[str, HttpReply | HostError] | None = None,
        others: tuple[Process, ...] = (),
        **more: Any,
    ) -> None:
        places = {"/var/run/docker.sock": "", "/usr/bin/docker": "", "/usr/bin/dockerd": "", **(files or {})}
        ran = {
            "docker --version": f"Docker version {version}, build e180ab8\n",
            "dockerd --version": f"Docker version {version}, build e180ab8\n",
            f"dockerd --validate --config-file {JSON}": Ran(0, "", "configuration OK\n"),
            **(commands or {}),
        }
        super().__init__(
            files={k: v for k, v in places.items() if v is not None},
            commands={k: v for k, v in ran.items() if v is not None},
            **more,
        )
        usual = {
            "/version": {"Version": version, "ApiVersion": "1.51", "MinAPIVersion": "1.24"},
            "/info": {**INFO, "ServerVersion": version, **(info or {})},
            "/containers/json": [],
            "/containers/json?all=1": [],
            "/networks": [],
            "/volumes": {"Volumes": None},
        }
        self.said = said if isinstance(said, HostError) else {**usual, **(said or {})}
        self.pages = dict(pages or {})
        self._daemon = daemon
        self._others = others

    def source_address(self, destination: str) -> str:
        """Nobody is reached from here: no port is looked at from outside."""
        raise HostError("Network is unreachable")

    def listeners(self, ports: tuple[int, ...]) -> Listeners:
        """Who listens is not looked at here."""
        raise HostError("not known")

    def http(self, socket_path: str, target: str, timeout: float = 3.0) -> HttpReply:
        if isinstance(self.said, HostError):
            raise self.said
        if target not in self.said:
            return HttpReply(404, b"{}")
        return HttpReply(200, json.dumps(self.said[target]).encode())

    def running(self, names: tuple[str, ...]) -> tuple[Process, ...]:
        own = (Process(7, "dockerd", "root", self._daemon, "/usr/bin/dockerd", ""),) if self._daemon else ()
        return tuple(one for one in (*own, *self._others) if one.name in names)

    def ask_dns(self, questions: tuple[DnsQuestion, ...], timeout: float = 3.0) -> tuple[DnsReply, ...]:
        return tuple(DnsReply("", "", b"", 0.0, "nobody answers") for _ in questions)

    def fetch(
        self,
        name: str,
        path: str,
        family: int = 0,
        timeout: float = 4.0,
        tls: bool = False,
        proxy: str = "",
        address: str = "",
    ) -> HttpReply:
        page = f"{name}{path}"
        answer = self.pages.get(f"{proxy} {page}", self.pages.get(page, HttpReply(404, b"")))
        if isinstance(answer, HostError):
            raise answer
        return answer


def facts(host: FakeHost, **settings: Any) -> Facts:
    """Facts of the machine, mailcow's directory in its usual place."""
    return Facts(host, Settings(directory=MAILCOW, **settings))


def box(
    number: int, service: str, state: str = "running", directory: str = MAILCOW, **more: Any
) -> dict[str, Any]:
    """A container as the API lists it."""
    labels = {"project": "mailcowdockerized", "service": service, "project.working_dir": directory}
    return {
        "Id": f"{number}" * 64,
        "Names": [f"/mailcowdockerized-{service}-1"],
        "Ports": [],
        "State": state,
        "Labels": {f"com.docker.compose.{name}": value for name, value in labels.items()},
        **more,
    }


def volume(name: str) -> dict[str, Any]:
    """A volume of mailcow's as the API lists it."""
    labels = {"com.docker.compose.project": "mailcowdockerized", "com.docker.compose.volume": name}
    return {"Name": f"mailcowdockerized_{name}", "Labels": labels, "CreatedAt": "2026-01-01T00:00:00Z"}
