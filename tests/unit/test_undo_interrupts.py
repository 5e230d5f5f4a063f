"""Taking back what stops Docker says before which containers stop with it."""

import json

import pytest
from fake_host import FakeHost

from mailcow_wizard.engine.journal import Change
from mailcow_wizard.engine.undo.interrupting import interrupts
from mailcow_wizard.engine.undo.taking_up import taken_up
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.replies import HttpReply
from mailcow_wizard.model import Command, Edit
from mailcow_wizard.tui.planned import back_lines

STOP = Command(("systemctl", "disable", "--now", "docker.service"))
BOXES = [{"Id": "1", "Names": ["/mailcow-postfix-1"]}, {"Id": "2", "Names": ["/mailcow-redis-1"]}]
MAILCOW = [{**one, "Labels": {"com.docker.compose.project": "mailcowdockerized"}} for one in BOXES]


class Docker(FakeHost):
    """Docker's API tells its containers, or does not answer."""

    def __init__(self, boxes: object) -> None:
        super().__init__()
        self._boxes = boxes

    def http(self, socket_path: str, target: str, timeout: float = 3.0) -> HttpReply:
        if self._boxes is None:
            raise HostError("no")
        return HttpReply(200, json.dumps(self._boxes if target == "/containers/json" else {}).encode())


@pytest.mark.parametrize(
    ("argv", "boxes", "said"),
    [
        (STOP.argv, BOXES, "Docker stops, and its 2 containers with it: mailcow-postfix-1, mailcow-redis-1"),
        (("rc-service", "docker", "stop"), BOXES, "Docker stops, and its 2 containers with it: "),
        (("systemctl", "restart", "docker.service"), BOXES, "Docker is restarted, and its containers stop"),
        (("systemctl", "start", "docker.service"), BOXES, ""),
        (STOP.argv, BOXES[:1], "Docker stops, and its container with it: mailcow-postfix-1"),
        (STOP.argv, BOXES * 2, "Docker stops, and its 4 containers with it: mailcow-postfix-1, mailcow-r"),
        (STOP.argv, [], ""),
        (STOP.argv, None, ""),
        (("systemctl", "disable", "--now", "postfix.service"), BOXES, ""),
        (("systemctl", "enable", "docker.service"), BOXES, ""),
        (("systemctl", "enable", "--now", "docker.service"), BOXES, ""),
        (("systemctl", "disable", "docker.service"), BOXES, ""),  # it runs on, and so do they
        (("dpkg", "--remove", "docker"), BOXES, ""),
    ],
)
def test_containers_that_stop(argv: tuple[str, ...], boxes: object, said: str) -> None:
    told = interrupts(Facts(Docker(boxes)), (Edit("/etc/x", None, b""), Command(argv)))
    assert told.startswith(said)
    assert bool(told) is bool(said)


def test_docker_that_is_stopped_and_started_comes_back_with_them() -> None:
    begin = Command(("systemctl", "start", "docker.service"))
    told = interrupts(Facts(Docker(BOXES)), (STOP, Edit("/etc/docker/daemon.json", b"{}", None), begin))
    assert told.startswith("Docker is restarted, and its containers stop and come back")


@pytest.mark.parametrize(
    ("now", "then", "said"),
    [
        (
            "SKIP_SOGO=y\n",
            "SKIP_SOGO=n\n",
            "changed containers are made anew: cd /srv/mc && docker compose up -d",
        ),
        ("ENABLE_IPV6=true\n", "", "has to stop and start: cd /srv/mc && docker compose down && docker"),
        ("DOCKER_COMPOSE_VERSION=native\n", "", ""),
        ("# a\n", "# b\n", ""),
    ],
)
def test_a_running_mailcow_has_to_take_up_its_old_settings(now: str, then: str, said: str) -> None:
    steps = (Edit("/etc/x", b"", b"TZ=UTC"), Edit("/srv/mc/mailcow.conf", now.encode(), then.encode()))
    notes = taken_up(Facts(Docker(MAILCOW)), steps)
    assert [said in one.text for one in notes] == [True] * bool(said)
    assert not taken_up(Facts(Docker([])), steps)
    assert not taken_up(Facts(Docker(MAILCOW)), steps[:1])


def test_so_it_has_for_what_its_override_file_says_of_the_network() -> None:
    steps = (Edit("/srv/mc/docker-compose.override.yml", b"networks: {}\n", None),)
    (note,) = taken_up(Facts(Docker(MAILCOW)), steps)
    assert "has to stop and start: cd /srv/mc && docker compose down && docker compose up -d" in note.text
    assert not taken_up(Facts(Docker([])), steps)


def test_what_takes_them_up_can_be_given_to_a_shell() -> None:
    steps = (Edit("/srv/mail cow/mailcow.conf", b"SKIP_SOGO=y\n", b""),)
    (note,) = taken_up(Facts(Docker(MAILCOW)), steps)
    assert note.text.endswith(": cd '/srv/mail cow' && docker compose up -d")


def test_of_many_the_first_are_named() -> None:
    assert interrupts(Facts(Docker(BOXES * 2)), (STOP,)).endswith(", mailcow-postfix-1, …")


def test_it_is_shown_before_the_question() -> None:
    change = Change("7", "2026-11-22T20:05:00Z", "docker.engine", None, "x", "Install Docker", "applied")
    lines = [f"{one.label}|{one.text}" for one in back_lines(change, (), "Docker stops", 70)]
    assert "Interrupts|Docker stops" in lines
    assert not any("Interrupts" in one for one in (line.label for line in back_lines(change, (), "", 70)))
