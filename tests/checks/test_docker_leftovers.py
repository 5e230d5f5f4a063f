"""docker.leftovers, as a table: what an older mailcow left in Docker, and how it is counted."""

from typing import Any

import pytest

from mailcow_wizard.checks.docker_leftovers import CHECKS
from mailcow_wizard.facts import docker
from mailcow_wizard.model import Judgement
from tests.docker_machine import MAILCOW, DockerHost, box, facts, volume
from tests.judged import look

CONF = f"{MAILCOW}/mailcow.conf"
NAME = "MAILCOW_HOSTNAME=mail.example.org\n"
ALL = "/containers/json?all=1"


def found(host: DockerHost) -> Judgement:
    return look(CHECKS[0], facts(host))


DATABASE = {"/volumes": {"Volumes": [volume("mysql-vol-1"), volume("vmail-vol-1"), volume("redis-vol-1")]}}


@pytest.mark.parametrize(
    ("said", "conf", "status", "words"),
    [
        ({}, True, "pass", "nothing is left"),
        ({ALL: [box(1, "nginx-mailcow")]}, True, "pass", "1 container belongs"),
        (
            {ALL: [box(1, "nginx-mailcow", directory="/srv/m")]},
            True,
            "warn",
            "another mailcow runs here, from /srv/m",
        ),
        ({ALL: [box(1, "nginx-mailcow", "exited", "/srv/m")]}, True, "warn", "left 1 stopped container,"),
        ({ALL: [box(1, "nginx-mailcow", "exited")]}, True, "pass", ""),
        ({ALL: [box(1, "nginx-mailcow", "exited")]}, False, "warn", "stopped"),
        (DATABASE, True, "pass", ""),
        (DATABASE, False, "fail", "mailcow.conf is missing"),
        ({"/networks": [{"Name": "mailcowdockerized_mailcow-network", "Id": "n"}]}, False, "warn", "network"),
    ],
)
def test_leftovers(said: dict[str, Any], conf: bool, status: str, words: str) -> None:
    judged = found(DockerHost(said, files={CONF: NAME} if conf else {}))
    assert (judged.status, words in judged.summary) == (status, True), judged


@pytest.mark.parametrize(
    ("boxes", "networks", "counted"),
    [(0, 1, "containers: 0, networks: 1, volumes: 0"), (1, 0, "containers: 1, networks: 0, volumes: 0")],
)
def test_leftovers_are_counted(boxes: int, networks: int, counted: str) -> None:
    said = {
        ALL: [box(1, "nginx-mailcow", "exited", "/srv/m")] * boxes,
        "/networks": [{"Name": "mailcowdockerized_mailcow-network", "Id": "n"}] * networks,
    }
    assert found(DockerHost(said)).found.endswith(f"; {counted}")


@pytest.mark.parametrize(
    ("files", "words", "remedy"),
    [
        ({}, "the mailcow of /opt/mailcow-dockerized runs (1 container), and its mailcow.conf is", "Put the"),
        (
            {CONF: f"{NAME}COMPOSE_PROJECT_NAME=other\n"},
            "runs as the project mailcowdockerized; mailcow.conf here says other",
            "COMPOSE_PROJECT_NAME=mailcowdockerized",
        ),
    ],
)
def test_a_mailcow_of_this_directory_is_no_other_one(files: dict[str, str], words: str, remedy: str) -> None:
    judged = found(DockerHost({ALL: [box(1, "nginx-mailcow", directory=MAILCOW)]}, files=files))
    assert (judged.status, words in judged.summary) == ("warn", True), judged.summary
    assert remedy in judged.remedies[0]


def test_a_mailcow_of_another_directory_is_named_first() -> None:
    boxes = [box(1, "nginx-mailcow", directory=MAILCOW), box(2, "unbound-mailcow", directory="/srv/m")]
    judged = found(DockerHost({ALL: boxes}, files={}))
    assert "another mailcow runs here, from /srv/m: 1 container" in judged.summary


def test_volumes_of_another_project() -> None:
    host = DockerHost(DATABASE, files={CONF: f"{NAME}COMPOSE_PROJECT_NAME=other\n"})
    judged = found(host)
    assert judged.status == "warn"
    assert "COMPOSE_PROJECT_NAME=mailcowdockerized" in judged.remedies[0]


@pytest.mark.parametrize("odd", [5, True, "text", {"a": 1}, [5], [["a"]], [{"Config": 5, "Name": 5}]])
def test_an_engine_that_answers_oddly_is_no_mistake_of_the_wizard(odd: object) -> None:
    network = {"Name": "mailcowdockerized_mailcow-network", "Id": "n"}
    network |= dict.fromkeys(("IPAM", "Options", "Labels"), odd)
    pools = {**network, "IPAM": {"Config": odd}}
    said = {
        "/version": {"Version": "28.5.1", "Components": odd},
        "/volumes": {"Volumes": odd},
        "/networks": [network, pools],
        ALL: [{"Id": "x", "Names": odd, "Labels": odd}],
    }
    keys = (
        "Components",
        "DriverStatus",
        "SecurityOptions",
        "RegistryConfig",
        "FirewallBackend",
        "Containerd",
    )
    host = DockerHost(said, info=dict.fromkeys(keys, odd), files={CONF: NAME})
    assert found(host).status in ("pass", "warn")
    known = facts(host).get(docker.info)
    assert known
    assert (known.firewall, known.containerd) == ("", "")
