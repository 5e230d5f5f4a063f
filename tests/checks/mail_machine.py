"""A machine with an installed mailcow, made of a few lines: Docker's answers, conversations, mailcow.conf."""

import json
from collections.abc import Mapping
from typing import Any

from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError, Missing
from mailcow_wizard.host.network.conversation import Dialogue, Spoken, Trip, Tripped
from mailcow_wizard.host.replies import HttpReply, Listener, Listeners
from mailcow_wizard.model import Settings
from tests.fake_host import FakeHost

DIRECTORY = "/opt/mailcow-dockerized"
NAME = "mail.example.org"
OWN, OWN_V6 = "198.51.100.7", "2001:db8::7"
NOW = 1_790_000_000.0
COMPOSE = "services:\n    postfix-mailcow:\n      image: a\n    dovecot-mailcow:\n      image: b\n"
_SOCKET = "/var/run/docker.sock"


def stamp(age: float) -> str:
    """When something began that is so many seconds old, as Docker writes it."""
    from datetime import datetime, timezone

    return datetime.fromtimestamp(NOW - age, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.123456789Z")


def container(service: str, age: float = 9000.0, state: str = "running", **more: Any) -> dict[str, Any]:
    """What Docker says of a container; `health`, `log`, `restarts`, `exit`, `policy`, `lines` and `error`
    say more."""
    health = more.get("health")
    said: dict[str, Any] = {
        "Status": state,
        "StartedAt": stamp(age),
        "FinishedAt": stamp(age),
        "ExitCode": more.get("exit", 0),
        "OOMKilled": more.get("oom", False),
        "Error": more.get("error", ""),
        "Pid": 4711,
    }
    if health:
        said["Health"] = {
            "Status": health,
            "Log": [{"ExitCode": code, "Output": text} for code, text in more.get("log", ())],
        }
    host = {"RestartPolicy": {"Name": more["policy"]}} if "policy" in more else {}
    return {
        "service": service,
        "labels": more.get("labels", {}),
        "said": {"State": said, "RestartCount": more.get("restarts", 0), "HostConfig": host},
        "lines": more.get("lines", ""),
    }


class MailMachine(FakeHost):
    """`containers` are Docker's, `spoken` what a dialogue comes to, by port or by address and port."""

    def __init__(
        self,
        containers: tuple[dict[str, Any], ...] = (),
        spoken: Mapping[str, Spoken] | None = None,
        conf: str = f"MAILCOW_HOSTNAME={NAME}\nENABLE_IPV6=false\n",
        v6: str = "",
        network_v6: bool = True,
        files: Mapping[str, str] | None = None,
        trips: Mapping[str, Tripped] | None = None,
        **more: Any,
    ) -> None:
        known = {f"{DIRECTORY}/mailcow.conf": conf, f"{DIRECTORY}/docker-compose.yml": COMPOSE}
        super().__init__({**known, _SOCKET: "", **(files or {})}, now=NOW, **more)
        self.containers, self.spoken, self._v6 = containers, dict(spoken or {}), v6
        self.asked_of: list[Dialogue] = []
        self.trips, self._network_v6 = dict(trips or {}), network_v6

    def http(self, socket_path: str, target: str, timeout: float = 3.0) -> HttpReply:
        if target == "/containers/json?all=1":
            rows = [
                {
                    "Id": f"id-{one['service']}",
                    "Names": [f"/mailcowdockerized-{one['service']}-1"],
                    "State": one["said"]["State"]["Status"],
                    "Labels": {
                        "com.docker.compose.project": "mailcowdockerized",
                        "com.docker.compose.service": one["service"],
                        "com.docker.compose.project.working_dir": DIRECTORY,
                        **one["labels"],
                    },
                }
                for one in self.containers
            ]
            return HttpReply(200, json.dumps(rows).encode())
        if target == "/volumes":
            return HttpReply(200, b'{"Volumes": []}')
        if target == "/networks":
            named = {"Name": "mailcowdockerized_mailcow-network", "EnableIPv6": self._network_v6}
            return HttpReply(200, json.dumps([named]).encode())
        for one in self.containers:
            if target == f"/containers/id-{one['service']}/json":
                return HttpReply(200, json.dumps(one["said"]).encode())
            if target.startswith(f"/containers/id-{one['service']}/logs"):
                text = one["lines"].encode()
                return HttpReply(200, b"\1\0\0\0" + len(text).to_bytes(4, "big") + text)
        raise Missing(f"{target} is not there")

    def converse(self, dialogues: tuple[Dialogue, ...], timeout: float = 10.0) -> tuple[Spoken, ...]:
        self.asked_of += dialogues
        return tuple(
            self.spoken.get(f"{one.address} {one.port}")
            or self.spoken.get(str(one.port))
            or Spoken("refused", text="connection refused")
            for one in dialogues
        )

    def send_and_find(self, trip: Trip, timeout: float = 60.0) -> Tripped:
        return self.trips[trip.to]

    def source_address(self, destination: str) -> str:
        if ":" in destination and not self._v6:
            raise HostError("no route out")
        return self._v6 if ":" in destination else OWN

    def listeners(self, ports: tuple[int, ...]) -> Listeners:
        return Listeners((), "netlink")

    def holders(self, sockets: tuple[Listener, ...]) -> tuple[()]:
        return ()

    def facts(self, **settings: Any) -> Facts:
        """A store over this machine."""
        return Facts(self, Settings(directory=DIRECTORY, offline=True, **settings))
