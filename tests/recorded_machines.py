"""Recorded machines made of a few lines, for tests that run the wizard as a process."""

import json
from pathlib import Path
from typing import Any

from mailcow_wizard.host.recording.recorded import FORMAT
from mailcow_wizard.requirements import PORTS

DIRECTORY = "/opt/mailcow-dockerized"
LISTENERS = f"listeners {' '.join(str(number) for number in sorted(port.number for port in PORTS))}"
CONF = f"read {DIRECTORY}/mailcow.conf"

# There is none.
_DOCKER = (
    *(f"info {one} True" for one in ("/var/run/docker.sock", "/run/docker.sock", "/snap/bin/docker")),
    *("info /snap/docker True", "which docker", "which dockerd"),
    *(f"http /var/run/docker.sock {one}" for one in ("/version", "/containers/json")),
)

Answers = dict[str, Any]


def listener(address: str = "0.0.0.0", port: int = 25, **fields: Any) -> dict[str, Any]:
    """A listening socket as it is recorded."""
    family = 6 if ":" in str(address) else 4
    return {
        "family": family,
        "address": address,
        "port": port,
        "v6only": None if family == 4 else False,
        "interface": "",
        "uid": 0,
        "inode": 4711,
        "cgroup": 0,
        **fields,
    }


def process(name: str = "master", command: tuple[str, ...] = ("/usr/lib/postfix/sbin/master", "-w")) -> Any:
    """A process as it is recorded."""
    return {"pid": 812, "name": name, "user": "root", "command": list(command), "exe": "", "cgroup": ""}


def answers(*sockets: dict[str, Any], conf: str | None = None, **more: Any) -> Answers:
    """The answers of a machine on which these sockets listen, each held by Postfix."""
    held = {"inode": 4711, "processes": [process()], "cgroup": "", "user": "root"}
    missing = {"error": "Missing", "text": "it is not there"}
    return {
        "now": {"value": 1_790_000_000.0},
        "uname": {"value": _uname()},
        "user": {"value": {"uid": 0, "name": "root", "capabilities": (1 << 41) - 1}},
        CONF: missing if conf is None else {"value": {"text": conf}},
        LISTENERS: {"value": {"sockets": list(sockets), "source": "netlink"}},
        "holders 4711": {"value": [held] * len(sockets)},
        **dict.fromkeys(_DOCKER, missing),
        "variable DOCKER_HOST": {"value": ""},
        **more,
    }


def _uname() -> dict[str, Any]:
    return {
        "node": "mail.example.org",
        "release": "6.1.0-25-amd64",
        "version": "#1 SMP",
        "machine": "x86_64",
        "bits": 64,
    }


def document(given: Any) -> Any:
    """A recorded machine with these answers."""
    return {"format": FORMAT, "settings": {"directory": DIRECTORY}, "answers": given}


def write(path: Path, given: Any) -> str:
    """Writes a recorded machine with these answers; its path."""
    path.write_text(json.dumps(document(given)))
    return str(path)


FREE = answers()
POSTFIX = answers(listener())
ONLY_V6 = answers(listener("::", v6only=True), conf="ENABLE_IPV6=false\n")
REFUSED = {**FREE, LISTENERS: {"error": "Denied", "text": "the list of sockets may not be read"}}
