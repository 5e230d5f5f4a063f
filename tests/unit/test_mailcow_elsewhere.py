"""A mailcow that runs from another directory than the one that is looked at: who opens the wizard without
`--dir` is told where it is, and nothing of it is stopped or installed over."""

from pathlib import Path

import pytest

from mailcow_wizard.checks.config_file import judge_present
from mailcow_wizard.checks.docker_leftovers import judge_leftovers
from mailcow_wizard.checks.port_remedies import remedies
from mailcow_wizard.checks.ports import judge_port
from mailcow_wizard.engine.session import Session
from mailcow_wizard.facts.config import place, presence
from mailcow_wizard.facts.docker_leftovers import leftovers
from mailcow_wizard.facts.mail.installed import installed
from mailcow_wizard.facts.ports import survey
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.fixes import NoPlan
from mailcow_wizard.fixes.docker_leftovers import remove
from mailcow_wizard.fixes.mailcow_conf import said_of_none
from mailcow_wizard.fixes.ports import offers
from mailcow_wizard.host.errors import Denied
from mailcow_wizard.host.files.state import StateDirectory
from mailcow_wizard.host.replies import Listeners
from mailcow_wizard.install import outlook
from mailcow_wizard.model import STEPS, Judgement, Settings
from mailcow_wizard.tui.greeting import about, greeting
from mailcow_wizard.tui.look import Look
from tests.docker_machine import DockerHost

HERE, THERE = "/opt/mailcow-dockerized", "/srv/mail cow"
APART = f"mailcow runs in {THERE}, not in {HERE}"
BRIDGE = {"/sys/class/net/br-mailcow/address": ""}


class Machine(DockerHost):
    """Nothing but Docker holds a port here."""

    def listeners(self, ports: tuple[int, ...]) -> Listeners:
        return Listeners((), "netlink")


def box(service: str, directory: str = THERE, port: int = 25) -> dict[str, object]:
    """A container as Docker lists it."""
    labels = {"project": "mcprod", "service": service, "project.working_dir": directory}
    return {
        "Id": "a" * 64,
        "Names": [f"/mcprod-{service}-1"],
        "Labels": {f"com.docker.compose.{key}": value for key, value in labels.items()},
        "State": "running",
        "Ports": [{"IP": "0.0.0.0", "PublicPort": port, "PrivatePort": port, "Type": "tcp"}],
    }


def machine(*boxes: dict[str, object], **files: str) -> DockerHost:
    """Docker runs these."""
    return Machine({"/containers/json": list(boxes), "/containers/json?all=1": list(boxes)}, files=files)


def facts(host: DockerHost, directory: str = HERE) -> Facts:
    return Facts(host, Settings(directory=directory))


def test_it_is_said_where_it_runs() -> None:
    seen = facts(machine(box("postfix-mailcow")))
    assert seen.get(place).elsewhere == THERE
    assert installed(seen).skip == APART
    said = judge_present(presence(seen))
    assert (said.status, said.summary) == ("warn", APART)
    assert "--dir '/srv/mail cow'" in said.remedies[0]


@pytest.mark.parametrize(
    "host",
    [
        machine(),
        machine(box("web", "/srv/shop")),
        machine(box("postfix-mailcow", "")),
        machine(box("postfix-mailcow", f"{HERE}/")),
        machine(box("postfix-mailcow"), **{f"{HERE}/mailcow.conf": "A=1\n"}),
    ],
)
def test_where_none_does_nothing_is_said_of_it(host: DockerHost) -> None:
    assert not facts(host).get(place).elsewhere


def test_who_is_not_told_by_docker_is_told_that_it_was_started() -> None:
    """Without root nobody says where; that it is not installed yet would be wrong."""
    said = f"mailcow was started on this server, and not from {HERE}"
    silent = Machine(Denied("/var/run/docker.sock may be asked by root alone"), files=BRIDGE)
    assert facts(silent).get(place).absent == said
    assert facts(machine(box("postfix-mailcow"), **BRIDGE)).get(place).absent == APART
    assert not facts(machine(**BRIDGE, **{f"{HERE}/mailcow.conf": ""})).get(place).absent


def test_a_bridge_that_is_left_over_is_no_mailcow() -> None:
    """Its containers are gone, its network is not."""
    said = facts(machine(**BRIDGE)).get(place).absent
    assert said.startswith("mailcow is not installed yet")


def test_one_that_was_moved_away_while_it_ran_is_installed() -> None:
    """Nothing of it is to be removed, nor a mailcow.conf made: its files are in another place."""
    seen = facts(machine(box("postfix-mailcow", f"{HERE}/"), **BRIDGE))
    gone = f"mailcow runs and was started from {HERE}, where it is not any more"
    assert seen.get(place).absent == installed(seen).skip == gone
    said = judge_present(presence(seen))
    assert (said.status, said.summary) == ("fail", gone)
    assert "Put its directory back" in said.remedies[0]
    assert said_of_none(seen, "x") == f"x; {gone}"
    assert not facts(machine(box("web", HERE))).get(place).moved


def still(**files: str) -> Facts:
    """Of that mailcow no container runs."""
    boxes = [{**box("postfix-mailcow"), "State": "exited", "Ports": []}]
    volumes = {
        "Volumes": [{"Name": "mcprod_mysql-vol-1", "Labels": {"com.docker.compose.project": "mcprod"}}]
    }
    said = {"/containers/json": [], "/containers/json?all=1": boxes, "/volumes": volumes, "/networks": []}
    return facts(Machine({**said, "/version": {"Version": "28.1.0"}, "/info": {}}, files=files))


def test_one_that_was_stopped_is_not_left_over() -> None:
    """Its mailcow.conf is there, and nothing of it is to be removed."""
    seen, stands = still(**{f"{THERE}/mailcow.conf": ""}), f"mailcow is in {THERE}, where it does not run"
    assert seen.get(place).absent == f"{stands}, and not in {HERE}"
    assert judge_present(presence(seen)).summary.startswith(stands)
    said = judge_leftovers(seen.get(leftovers))
    assert (said.status, said.summary) == ("warn", f"another mailcow is in {THERE}, and does not run")
    assert "docker volume rm" not in " ".join(said.remedies)
    with pytest.raises(NoPlan, match="it was stopped"):
        remove(seen)


def test_what_starts_one_that_was_stopped_is_said(tmp_path: Path) -> None:
    host = still(**{f"{THERE}/mailcow.conf": ""}).host
    session = Session(host, Settings(directory=HERE), StateDirectory(str(tmp_path)))
    assert outlook.present(session, None).startswith(f"mailcow is in {THERE}")
    assert outlook.starts(session).endswith(f"cd '{THERE}' && docker compose up -d")


def test_what_one_left_without_its_mailcow_conf_still_is() -> None:
    seen = still()
    assert not seen.get(place).elsewhere
    assert "its mailcow.conf is missing" in judge_leftovers(seen.get(leftovers)).summary
    assert remove(seen)


def test_no_container_of_it_is_stopped_for_its_port() -> None:
    seen = facts(machine(box("postfix-mailcow")))
    judged = judge_port(seen.get(survey)["ports.smtp"])
    assert judged.summary.startswith(f"the mailcow in {THERE} has port 25 from Docker")
    assert "mcprod-postfix-mailcow-1" in judged.found
    (said, *more) = remedies(seen.get(survey)["ports.smtp"])
    assert f"That is the mailcow in {THERE}" in said
    assert "--dir '/srv/mail cow' check" in said
    assert "docker stop" not in " ".join((said, *more))
    assert not offers("ports.smtp", Judgement("fail", ""), seen)


def test_a_container_of_others_still_is() -> None:
    seen = facts(machine(box("web", "/srv/shop")))
    assert "docker stop" in remedies(seen.get(survey)["ports.smtp"])[0]
    assert [one.fix.id for one in offers("ports.smtp", Judgement("fail", ""), seen)] == ["stop-container"]


def test_one_that_its_own_override_adds_is_stopped_by_its_name() -> None:
    there = {f"{HERE}/docker-compose.yml": "", f"{HERE}/mailcow.conf": "HTTP_PORT=8080\n"}
    seen = facts(machine(box("adminer-mailcow", f"{HERE}/", 8080), **there))
    port = seen.get(survey)["ports.http"]
    assert judge_port(port).summary.startswith("the container mcprod-adminer-mailcow-1 has port 8080")
    assert "docker stop mcprod-adminer-mailcow-1" in remedies(port)[0]


def test_no_new_configuration_is_advised() -> None:
    assert said_of_none(facts(machine(box("postfix-mailcow"))), "none") == f"none; {APART}"
    assert said_of_none(facts(machine()), "none").endswith("makes it")


def test_nothing_is_installed_beside_it(tmp_path: Path) -> None:
    host = machine(box("postfix-mailcow"))
    session = Session(host, Settings(directory=HERE), StateDirectory(str(tmp_path)))
    assert outlook.present(session, None) == APART
    assert outlook.shown_by(session, "Verify").endswith(" --dir '/srv/mail cow' verify")
    assert not outlook.starts(session)
    alone = Session(machine(), Settings(directory=HERE), StateDirectory(str(tmp_path)))
    assert not outlook.present(alone, None)
    assert outlook.shown_by(alone, "Verify") == "Verify"


def test_the_first_screen_says_so(tmp_path: Path) -> None:
    host = machine(**BRIDGE)
    session = Session(host, Settings(directory=HERE), StateDirectory(str(tmp_path)))
    said = greeting(session, session.new_facts(), STEPS)
    assert (said.there, said.apart) == (False, HERE)
    lines = about(Look(False, False), said, 78, 24)
    text = " ".join(part.strip() for line in lines for part, _style in line)
    assert f"mailcow was started on this server, not from {HERE}: start the wizard with --dir and" in text


@pytest.mark.parametrize("files", [{}, {**BRIDGE, f"{HERE}/docker-compose.yml": ""}])
def test_it_does_not_where_mailcow_may_be_here(files: dict[str, str], tmp_path: Path) -> None:
    """Its mailcow.conf alone may be lost."""
    session = Session(machine(**files), Settings(directory=HERE), StateDirectory(str(tmp_path)))
    assert not greeting(session, session.new_facts(), STEPS).apart
