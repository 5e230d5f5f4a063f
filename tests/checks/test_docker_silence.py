"""docker.*: what Docker and its programs leave unanswered is not taken for an answer."""

from typing import Any

import pytest

from mailcow_wizard.checks import docker
from mailcow_wizard.host.door import HttpReply, NoAnswer
from mailcow_wizard.model import Check, Judgement
from tests.checks.test_docker import CONF, NAME, OFF, ON, POSTFIX, POSTFIX_V4, RUNNING
from tests.docker_machine import GLOBAL_V6, JSON, DockerHost, facts
from tests.judged import look

CHECKS: dict[str, Check] = {one.id.partition(".")[2]: one for one in docker.CHECKS}


class Silent(DockerHost):
    """An engine that leaves one question unanswered."""

    without = "/networks"

    def http(self, socket_path: str, target: str, timeout: float = 3.0) -> HttpReply:
        if target == self.without:
            raise NoAnswer(f"{socket_path} did not answer within 3 s")
        return super().http(socket_path, target, timeout)


def relay(host: type[DockerHost], said: dict[str, Any], conf: str, settings: str = "{}") -> Judgement:
    files = {CONF: NAME + conf, JSON: settings, "/proc/net/if_inet6": GLOBAL_V6}
    return look(CHECKS["relay"], facts(host(said, files=files)))


@pytest.mark.parametrize("conf", ["", ON, OFF])
@pytest.mark.parametrize("said", [{RUNNING: [POSTFIX]}, {}])
def test_a_network_that_docker_does_not_tell_of(conf: str, said: dict[str, Any]) -> None:
    """What mailcow.conf wants is not what the network is."""
    judged = relay(Silent, said, conf)
    assert (judged.status, judged.certainty) == ("unknown", "untested"), judged
    assert "/var/run/docker.sock did not answer within 3 s" in judged.summary
    assert judged.remedies


def test_a_running_postfix_without_a_network_that_is_known() -> None:
    judged = relay(DockerHost, {RUNNING: [POSTFIX]}, ON)
    assert (judged.status, "lists no network of mailcowdockerized" in judged.summary) == ("unknown", True)


@pytest.mark.parametrize(
    ("box", "settings"),
    [(POSTFIX, '{"userland-proxy": false}'), (POSTFIX_V4, "{}")],
    ids=["no proxy", "IPv4"],
)
def test_where_the_network_does_not_matter(box: dict[str, Any], settings: str) -> None:
    assert relay(Silent, {RUNNING: [box]}, ON, settings).status == "pass"
