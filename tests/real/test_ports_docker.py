"""The ports beside a Docker engine: whose containers publish them, and mailcow's own."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from lab import engine
from lab.inside import CHECKOUT, children, wait_until
from lab.skip import or_skip

from tests.real.ports import WIZARD, Wizard, words

pytestmark = pytest.mark.real


def with_docker(docker: engine.Engine, mailcow: Path, tmp_path: Path) -> Wizard:
    """The wizard in the engine's namespaces."""

    def run(*arguments: str, before: Sequence[str] = ()) -> "subprocess.CompletedProcess[str]":
        argv = [*before, *WIZARD, *arguments, "--state-dir", str(tmp_path / "state")]
        return docker.run(argv, env={"PYTHONPATH": str(CHECKOUT)})

    return Wizard(run, str(mailcow))


@pytest.fixture
def beside(docker: engine.Engine, mailcow: Path, tmp_path: Path) -> Iterator[Wizard]:
    """The wizard beside an engine; every port is free before and after."""
    wizard = with_docker(docker, mailcow, tmp_path)
    wizard.assert_free()
    yield wizard
    wizard.assert_free()


def compose_labels(project: str, service: str, directory: str) -> list[str]:
    """What docker compose writes on a container."""
    labels = {"project": project, "service": service, "project.working_dir": directory}
    return [f"--label=com.docker.compose.{key}={value}" for key, value in labels.items()]


def test_container_of_another_stack(docker: engine.Engine, beside: Wizard) -> None:
    """The container is named, not its proxy, and once for both families."""
    labels = compose_labels("old", "smtp", "/srv/old")
    with docker.container("old-smtp-1", "-p", "25:25", *labels):
        finding = beside.port()
        assert finding["status"] == "fail", words(finding)
        assert "container old-smtp-1" in finding["summary"]
        assert "compose project old" in finding["found"]
        assert "docker-proxy" not in finding["summary"]
        assert finding["summary"].count("old-smtp-1") == 1


def test_two_containers(docker: engine.Engine, beside: Wizard) -> None:
    """Each port has its own container."""
    with docker.container("web", "-p", "80:80"), docker.container("imap", "-p", "127.0.0.1:143:143"):
        findings = beside.check()
        assert "container web" in findings["ports.http"]["summary"], words(findings["ports.http"])
        assert "container imap" in findings["ports.imap"]["summary"], words(findings["ports.imap"])
        assert {key for key, one in findings.items() if one["status"] == "fail"} == {
            "ports.http",
            "ports.imap",
        }


def test_mailcow_itself(docker: engine.Engine, beside: Wizard, mailcow: Path) -> None:
    """What mailcow holds already is no conflict."""
    labels = compose_labels("mailcowdockerized", "postfix-mailcow", str(mailcow))
    with docker.container("mailcowdockerized-postfix-mailcow-1", "-p", "25:25", "-p", "465:465", *labels):
        findings = beside.check()
        assert {one["status"] for one in findings.values()} == {"pass"}, words(*findings.values())
        assert "mailcow itself" in findings["ports.smtp"]["summary"]
        assert "mailcowdockerized-postfix-mailcow-1" in findings["ports.smtps"]["found"]


def test_mailcow_in_a_project_of_another_name(docker: engine.Engine, beside: Wizard, mailcow: Path) -> None:
    """The directory decides where COMPOSE_PROJECT_NAME was changed."""
    labels = compose_labels("mail", "postfix-mailcow", str(mailcow))
    with docker.container("mail-postfix-mailcow-1", "-p", "25:25", *labels):
        assert beside.port()["status"] == "pass"


def test_container_in_the_host_network(docker: engine.Engine, beside: Wizard) -> None:
    """No proxy, the container's own process listens: still the container is named."""
    argv = ("docker", "run", "-d", "--name", "direct", "--network=host", engine.IMAGE)
    docker.run([*argv, "/bin/busybox", "httpd", "-f", "-p", "4190"], check=True)
    try:
        assert wait_until(lambda: ":4190" in docker.run(["ss", "-Hltn"]).stdout, 60)
        finding = beside.port("sieve")
        assert "container direct" in finding["summary"], words(finding)
    finally:
        docker.run(["docker", "rm", "-f", "direct"])


def test_engine_that_does_not_answer(docker: engine.Engine, beside: Wizard) -> None:
    """Docker hangs: the port is still reported, in bounded time, as some container's."""
    daemon = children(docker.pid)[0]
    with docker.container("old-smtp", "-p", "25:25"):
        os.kill(daemon, signal.SIGSTOP)
        try:
            finding = beside.port()
            assert finding["status"] == "fail", words(finding)
            assert "Docker container" in finding["summary"]
            assert finding["duration_ms"] < 5000
        finally:
            os.kill(daemon, signal.SIGCONT)


def test_proxy_that_was_killed(docker: engine.Engine, beside: Wizard, mailcow: Path) -> None:
    """A plain bind works again; Docker refuses the port all the same, for it is still the container's."""
    labels = compose_labels("mailcowdockerized", "dovecot-mailcow", str(mailcow))
    with docker.container("old-smtp", "-p", "25:25"), docker.container("ours", "-p", "143:143", *labels):
        docker.run(["sh", "-c", _KILL], check=True)
        assert wait_until(lambda: "LISTEN" not in docker.run(["ss", "-Hltn"]).stdout, 30)
        again = ["docker", "run", "--rm", "-p", "25:25", engine.IMAGE, "/bin/busybox", "true"]
        assert "port is already allocated" in docker.run(again).stderr
        findings = beside.check()
        smtp = findings["ports.smtp"]
        assert smtp["status"] == "fail", words(smtp)
        said = (
            "the container old-smtp has port 25 and port 25 of IPv6 from Docker, though nothing listens there"
        )
        assert smtp["summary"].startswith(said), words(smtp)
        assert [one["id"] for one in smtp["fixes"]][:1] == ["stop-container"]
        imap = findings["ports.imap"]
        assert (imap["status"], imap["certainty"]) == ("pass", "inferred"), words(imap)
        assert {key for key, one in findings.items() if one["status"] != "pass"} == {"ports.smtp"}


_KILL = "for p in /proc/[0-9]*; do case $(readlink $p/exe) in *docker-proxy) kill -9 ${p#/proc/};; esac; done"


def test_docker_listens_itself(mailcow: Path, tmp_path: Path) -> None:
    """As it does for Swarm's services: what it publishes for mailcow's containers it would tell of."""
    (mailcow / "mailcow.conf").write_text("MAILCOW_HOSTNAME=mail.example.org\n")
    with or_skip(), engine.started(engine.SUITES[1], "--host=tcp://127.0.0.1:4190") as docker:
        finding = with_docker(docker, mailcow, tmp_path).port("sieve")
        assert finding["status"] == "fail", words(finding)
        assert "127.0.0.1:4190" in finding["summary"], words(finding)


def test_where_a_network_publishes(mailcow: Path, tmp_path: Path) -> None:
    """What the default bridge is told does not concern mailcow's network, what new ones are told does."""
    option = "com.docker.network.bridge.host_binding_ipv4"
    words = ("--ip=127.0.0.1", f"--default-network-opt=bridge={option}=127.0.0.2")
    with or_skip(), engine.started(engine.SUITES[1], *words) as docker:
        docker.docker("network", "create", "new")
        for network, address in (("bridge", "127.0.0.1"), ("new", "127.0.0.2")):
            with docker.container("one", "-p", "25:25", "--network", network):
                assert docker.docker("ps", "--format", "{{.Ports}}") == f"{address}:25->25/tcp"
        argv = ("check", "docker.daemon-json", "--json", "--dir", str(mailcow))
        said = docker.wizard(*argv, "--state-dir", str(tmp_path / "state")).stdout
        (found,) = json.loads(said)["checks"]
        assert found["status"] == "fail", found
        assert f"published to this machine alone: {option}=127.0.0.2" in found["summary"], found


def test_without_userland_proxy(mailcow: Path, tmp_path: Path) -> None:
    """The engine itself holds the port; the container is named all the same."""
    proxyless = engine.started(engine.SUITES[0], "--userland-proxy=false")
    with or_skip(), proxyless as docker, docker.container("old-smtp", "-p", "25:25"):
        finding = with_docker(docker, mailcow, tmp_path).port()
        assert finding["status"] == "fail", words(finding)
        assert "container old-smtp" in finding["summary"]
