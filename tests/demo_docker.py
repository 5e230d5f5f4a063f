"""The demo machine's Docker: new enough, with what an older mailcow left, and a registry that is slow."""

import json

from mailcow_wizard.facts.units import _PROPERTIES
from mailcow_wizard.host.errors import HostError, Missing, NoAnswer
from mailcow_wizard.host.replies import HttpReply, Ran

VERSION = {
    "Version": "28.5.1",
    "ApiVersion": "1.51",
    "MinAPIVersion": "1.24",
    "Components": [{"Name": "Engine", "Version": "28.5.1"}, {"Name": "containerd", "Version": "1.7.28"}],
}
INFO = {
    "ServerVersion": "28.5.1",
    "Driver": "overlay2",
    "DriverStatus": [["Backing Filesystem", "extfs"], ["Supports d_type", "true"]],
    "DockerRootDir": "/var/lib/docker",
    "SecurityOptions": ["name=apparmor", "name=seccomp,profile=builtin", "name=cgroupns"],
    "RegistryConfig": {"Mirrors": None},
    "LiveRestoreEnabled": False,
    "ContainersRunning": 1,
}
OLD = "/root/mailcow-dockerized"


def _left(number: int, service: str) -> dict[str, object]:
    labels = {"project": "mailcowdockerized", "service": service, "project.working_dir": OLD}
    return {
        "Id": f"{number}" * 64,
        "Names": [f"/mailcowdockerized-{service}-1"],
        "Ports": [],
        "State": "exited",
        "Labels": {f"com.docker.compose.{name}": value for name, value in labels.items()},
    }


STOPPED = [_left(7, "nginx-mailcow"), _left(8, "redis-mailcow")]
NETWORKS = [
    {
        "Name": "bridge",
        "Id": "b" * 64,
        "Driver": "bridge",
        "Scope": "local",
        "EnableIPv6": False,
        "IPAM": {"Config": [{"Subnet": "172.17.0.0/16", "Gateway": "172.17.0.1"}]},
    }
]
_UNITS = """\
Id=docker.service
LoadState=loaded
ActiveState=active
UnitFileState=disabled

Id=docker.socket
LoadState=loaded
ActiveState=active
UnitFileState=enabled
"""
FILES = {
    "/usr/bin/docker": "\x7fELF",
    "/usr/bin/dockerd": "\x7fELF",
    "/etc/docker/daemon.json": '{\n  "log-driver": "local"\n}\n',
}
COMMANDS: dict[str, Ran | str | HostError] = {
    "docker --version": "Docker version 28.5.1, build e180ab8\n",
    "dockerd --validate --config-file /etc/docker/daemon.json": Ran(0, "", "configuration OK\n"),
    f"systemctl show -p {_PROPERTIES} -- docker.service docker.socket": _UNITS,
}


def answer(target: str, running: list[dict[str, object]]) -> HttpReply:
    """What the engine answers; `running` are the containers that run."""
    said = {
        "/version": VERSION,
        "/info": INFO,
        "/networks": NETWORKS,
        "/volumes": {"Volumes": [], "Warnings": None},
        "/containers/json": running,
        "/containers/json?all=1": [*running, *STOPPED],
    }
    if target not in said:
        raise Missing(f"{target} is not there")
    return HttpReply(200, json.dumps(said[target]).encode())


def fetch(name: str) -> HttpReply:
    """What a registry answers."""
    if name == "auth.docker.io":
        raise NoAnswer(f"{name} did not answer within 5 s")
    return HttpReply(401, b'{"errors":[{"code":"UNAUTHORIZED"}]}')
