"""docker.* as tables where what answers, or runs, is Podman or another kind of Docker than is needed."""

from typing import Any

import pytest

from mailcow_wizard.checks.docker_settings import judge_daemon_json
from mailcow_wizard.facts.docker_json import daemon_settings
from mailcow_wizard.host.errors import Denied, HostError, Missing, NoAnswer
from mailcow_wizard.host.replies import Process, Ran
from tests.checks.test_docker import DEAD, NO_DAEMON, SYSTEMD, found
from tests.docker_machine import JSON, DockerHost, facts, units

NO_ENGINE = {"/usr/bin/dockerd": None}
ROOTLESS = tuple(
    Process(number, name, "anna", (name,), f"/home/anna/bin/{name}", "")
    for number, name in ((50, "dockerd"), (49, "rootlesskit"))
)


@pytest.mark.parametrize(
    ("host", "status", "words"),
    [
        (DockerHost(DEAD, version="28.5.1", others=ROOTLESS), "unknown", "the rootless Docker of anna"),
        (DockerHost(DEAD, version="28.5.1", others=ROOTLESS[:1]), "unknown", "is not proved"),
        (
            DockerHost(DEAD, files=NO_ENGINE, commands=NO_DAEMON, others=ROOTLESS, daemon=()),
            "fail",
            "no engine is installed; the rootless Docker of anna, which runs here",
        ),
    ],
)
def test_a_rootless_docker_while_the_systems_is_silent(host: DockerHost, status: str, words: str) -> None:
    """A dockerd without what makes it rootless is one of a container's."""
    judged = found("engine", host)
    assert (judged.status, words in judged.summary) == (status, True), judged
    assert ("rootless" in judged.summary) == ("rootless" in words)


PODMAN = {"/version": {"Version": "4.3.1", "Components": [{"Name": "Podman Engine"}]}}
SHIM = {**NO_DAEMON, "docker --version": "podman version 4.3.1\n"}


@pytest.mark.parametrize("said", [PODMAN, Denied("no"), NoAnswer("late"), DEAD, Missing("x")])
def test_podman_is_no_docker_for_any_check(said: dict[str, Any] | HostError) -> None:
    files = {**NO_ENGINE, **SYSTEMD}
    host = DockerHost(said, files=files, commands={**SHIM, **units("not-found inactive ")}, daemon=())
    assert found("engine", host).status == "fail"
    for check in ("daemon", "leftovers"):
        judged = found(check, host)
        assert (judged.status, judged.summary) == ("skipped", "Docker is not installed yet")


def test_podman_in_the_place_of_a_docker_that_is_installed() -> None:
    judged = found("daemon", DockerHost(PODMAN, files=SYSTEMD, commands=units("loaded inactive disabled")))
    assert (judged.status, "Podman 4.3.1 answers on" in judged.summary) == ("fail", True), judged


ELSEWHERE = {"DOCKER_HOST": "unix:///run/user/1000/docker.sock"}


@pytest.mark.parametrize(
    ("host", "status", "words"),
    [
        (DockerHost(variables=ELSEWHERE), "warn", ""),
        (DockerHost(DEAD, others=ROOTLESS, variables=ELSEWHERE), "warn", "the rootless Docker of anna"),
        (DockerHost(Denied("no"), variables=ELSEWHERE), "warn", "root can tell"),
        (
            DockerHost(DEAD, files=NO_ENGINE, commands=NO_DAEMON, daemon=(), variables=ELSEWHERE),
            "fail",
            "no engine is installed",
        ),
    ],
)
def test_a_client_that_is_led_elsewhere_is_not_all_there_is_to_say(
    host: DockerHost, status: str, words: str
) -> None:
    judged = found("engine", host)
    assert (judged.status, words in judged.summary) == (status, True), judged
    assert "not to the system's Docker" in judged.summary
    assert ("also:" in judged.summary) == bool(words)


MINE = "mine unix:///run/user/1000/docker.sock\n"


@pytest.mark.parametrize(
    ("said", "variables", "status"),
    [
        (MINE, {}, "warn"),
        ("far ssh://root@192.0.2.1\n", {}, "warn"),
        ("odd \n", {}, "warn"),
        ("same unix:///var/run/docker.sock\n", {}, "pass"),
        ("default unix:///var/run/docker.sock\n", {}, "pass"),
        (Ran(1, "", 'context "gone": not found\n'), {}, "pass"),
        (NoAnswer("late"), {}, "pass"),
        (MINE, {"DOCKER_HOST": "unix:///var/run/docker.sock"}, "pass"),  # it comes before any context
    ],
)
def test_contexts(said: str | Ran | HostError, variables: dict[str, str], status: str) -> None:
    form = "{{.Name}} {{.Endpoints.docker.Host}}"
    files = {"/root/.docker/contexts/meta/": ""}
    for chosen, option in (("", ""), ("mine", " --context=mine")):
        asked = f"docker --config /root/.docker{option} context inspect --format {form}"
        known = {"HOME": "/root", "DOCKER_CONTEXT": chosen, **variables}
        host = DockerHost(files=files, commands={asked: said}, variables=known)
        judged = found("engine", host)
        assert (judged.status, "its context" in judged.summary) == (status, status == "warn"), judged


@pytest.mark.parametrize("kind", ["rootless", "userns"])
def test_a_docker_with_a_place_of_its_own_for_data(kind: str) -> None:
    """It says nothing of the one that mailcow will use, whatever its own units and volumes are."""
    host = DockerHost(files=SYSTEMD, commands=units(), info={"SecurityOptions": [f"name={kind}"]})
    assert found("leftovers", host).status == "unknown"
    rootless = kind == "rootless"
    for check in ("daemon", "storage"):
        assert found(check, host).status == ("skipped" if rootless else "pass")
    judged = found("engine", host)
    assert judged.evidence[-1].value == f"name={kind}"
    assert any("systemctl enable --now docker" in one for one in judged.remedies) == rootless


TWO = (
    Process(8, "dockerd", "root", ("/usr/bin/dockerd", "--data-root=/srv/ci", "--iptables=false"), "", ""),
    Process(9, "dockerd", "root", ("/usr/bin/dockerd", "--data-root=/srv/ci"), "", ""),
)


@pytest.mark.parametrize(
    ("root", "own", "status", "said"),
    [
        ("/srv/ci", "--iptables=true", "unknown", "processes 7, 8, 9"),
        ("/elsewhere", "--iptables=false", "fail", "makes no firewall rules"),
        ("/elsewhere", "--data-root=/other", "unknown", "which of several"),
    ],
)
def test_which_of_several_daemons_answers(root: str, own: str, status: str, said: str) -> None:
    """The command line counts like the file: without it a file in order proves nothing."""
    host = DockerHost(daemon=("/usr/bin/dockerd", own), info={"DockerRootDir": root}, others=TWO)
    found = judge_daemon_json(daemon_settings(facts(host)))
    assert (found.status, said in found.summary) == (status, True), found.summary


def test_what_a_daemon_is_about_to_start_is_no_second_one() -> None:
    """Between fork and exec a child has the command line of its parent; the file that this names is read."""
    words = ("/usr/bin/dockerd", "--config-file=/srv/ci.json")
    twin = Process(70, "dockerd", "root", words, "", "")
    broken = '{"ipv6": true,}'
    host = DockerHost(
        files={"/srv/ci.json": "{}", "/etc/docker/daemon.json": broken}, daemon=words, others=(twin,)
    )
    assert judge_daemon_json(daemon_settings(facts(host))).status == "pass"


@pytest.mark.parametrize("root", ["/srv/disk/docker", "/srv/disk/docker/165536.165536"])
@pytest.mark.parametrize("named", ["/srv/link/docker", "/srv/disk/docker/"])
def test_the_place_for_data_is_told_without_links_and_with_other_users_numbers(root: str, named: str) -> None:
    words = ("/usr/bin/dockerd", f"--data-root={named}", "--iptables=false")
    host = DockerHost(
        files={"/srv/disk/docker/x": ""},
        daemon=("/usr/bin/dockerd",),
        info={"DockerRootDir": root},
        others=(Process(8, "dockerd", "root", words, "", ""),),
    )
    host.links["/srv/link"] = "/srv/disk"
    found = judge_daemon_json(daemon_settings(facts(host)))
    assert "makes no firewall rules" in found.summary


def test_a_daemon_that_hides_its_command_line_is_not_said_to_be_in_order() -> None:
    class Hidden(DockerHost):
        def running(self, names: tuple[str, ...]) -> tuple[Process, ...]:
            raise HostError("processes cannot be read")

    assert judge_daemon_json(daemon_settings(facts(Hidden()))).status == "unknown"
    assert judge_daemon_json(daemon_settings(facts(Hidden(HostError("no answer"))))).status == "pass"


@pytest.mark.parametrize("text", ["", "[]", '{"log-driver": "local",}', b"\xff\xfe{}"])
def test_what_is_wrong_with_the_file_is_said_once(text: str | bytes) -> None:
    judged = found("daemon-json", DockerHost(files={JSON: text}))
    assert judged.found == judged.summary
