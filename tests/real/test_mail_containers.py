"""mail.containers beside a real Docker engine: containers that run, crash, are ill, stopped, missing."""

import json
from pathlib import Path
from typing import Any

import pytest
from lab import engine
from lab.inside import wait_until
from lab.skip import or_skip

from tests.real.test_ports_docker import compose_labels

pytestmark = pytest.mark.real

_SHELL = ("/bin/busybox", "sh", "-c")


def started(docker: engine.Engine, mailcow: Path, service: str, script: str, *options: str) -> str:
    """A container of mailcow's that runs a script; its name."""
    name = f"mailcowdockerized-{service}-1"
    labels = compose_labels("mailcowdockerized", service, str(mailcow))
    docker.docker("run", "-d", "--name", name, *labels, *options, engine.IMAGE, *_SHELL, script)
    return name


def verified(docker: engine.Engine, mailcow: Path, state: Path) -> dict[str, Any]:
    arguments = ("check", "mail.containers", "--json", "--dir", str(mailcow), "--state-dir", str(state))
    done = docker.wizard(*arguments)
    (found,) = json.loads(done.stdout)["checks"]
    return dict(found)


def test_containers(docker: engine.Engine, mailcow: Path, tmp_path: Path) -> None:
    """From nothing to a container, and through what can happen to one."""
    state = tmp_path / "state"
    assert verified(docker, mailcow, state)["status"] == "skipped"
    (mailcow / "mailcow.conf").write_text("MAILCOW_HOSTNAME=mail.example.org\n")
    found = verified(docker, mailcow, state)
    assert (found["status"], "not started yet" in found["summary"]) == ("skipped", True), found
    (mailcow / "docker-compose.yml").write_text("services:\n  postfix-mailcow:\n    image: x\n")
    names: list[str] = []
    try:
        names.append(started(docker, mailcow, "postfix-mailcow", "/bin/busybox sleep 600"))
        names.append(
            started(
                docker, mailcow, "acme-mailcow", "echo no space left on device; exit 3", "--restart=always"
            )
        )
        assert wait_until(lambda: restarts(docker, names[-1]) > 1, 30, pause=0.2)
        found = verified(docker, mailcow, state)
        assert (found["status"], "acme-mailcow was restarted" in found["summary"]) == ("fail", True), found
        assert "the disk is full" in found["summary"]
        assert any("no space left" in one["value"] for one in found["evidence"])
        docker.docker("rm", "-f", names.pop())
        docker.docker("stop", "-t", "0", names[0])
        found = verified(docker, mailcow, state)
        assert (found["status"], "postfix-mailcow stopped" in found["summary"]) == ("fail", True), found
        docker.docker("start", names[0])
        docker.docker("pause", names[0])
        found = verified(docker, mailcow, state)
        assert (found["status"], found["summary"]) == ("fail", "postfix-mailcow is paused"), found
        docker.docker("unpause", names[0])
        ill = ("--health-cmd=/bin/busybox false", "--health-interval=200ms", "--health-retries=1")
        names.append(started(docker, mailcow, "unbound-mailcow", "/bin/busybox sleep 600", *ill))
        assert wait_until(lambda: health(docker, names[-1]) == "unhealthy", 30, pause=0.2)
        found = verified(docker, mailcow, state)
        assert (found["status"], "unbound-mailcow runs and is not healthy" in found["summary"]) == (
            "fail",
            True,
        )
        (mailcow / "docker-compose.yml").write_text(
            "services:\n  unbound-mailcow: {}\n  nginx-mailcow:\n    image: x\n"
        )
        assert "nginx-mailcow has no container" in verified(docker, mailcow, state)["found"]
        (mailcow / "docker-compose.yml").write_text(
            "services:\n  unbound-mailcow:\n    image: x\n  redis-mailcow: {image: x}\n"
        )
        assert "redis-mailcow has no container" in verified(docker, mailcow, state)["found"]
        (mailcow / "docker-compose.override.yml").write_text(
            "services:\n  redis-mailcow:\n    deploy: {replicas: 0}\n"
        )
        names.append(started(docker, mailcow, "ipv6nat-mailcow", "exit 0", "--restart=no"))
        found = verified(docker, mailcow, state)
        assert "no container" not in found["found"]
        assert "ipv6nat" not in found["found"], found
    finally:
        for name in names:
            docker.run(["docker", "rm", "-f", name])


def test_what_stands_in_the_way(docker: engine.Engine, mailcow: Path, tmp_path: Path) -> None:
    """An address in mailcow's network that another container has, a network that is gone, one that waits."""
    state = tmp_path / "state"
    (mailcow / "mailcow.conf").write_text("MAILCOW_HOSTNAME=mail.example.org\n")
    (mailcow / "docker-compose.yml").write_text("services:\n  unbound-mailcow:\n    image: x\n")
    network = ("--network", "mailcowdockerized_mailcow-network")
    docker.docker("network", "create", "--subnet", "172.22.1.0/24", network[1])
    labels = compose_labels("mailcowdockerized", "unbound-mailcow", str(mailcow))
    try:
        docker.docker(
            "run", "-d", "--name", "other", *network, engine.IMAGE, *_SHELL, "/bin/busybox sleep 600"
        )
        taken = docker.docker(
            "inspect", "-f", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", "other"
        )
        made = ("create", "--name", "mailcowdockerized-unbound-mailcow-1", *labels, *network, "--ip", taken)
        docker.docker(*made, engine.IMAGE, *_SHELL, "/bin/busybox sleep 600")
        assert docker.run(["docker", "start", "mailcowdockerized-unbound-mailcow-1"]).returncode
        found = verified(docker, mailcow, state)
        assert "another container has an address in mailcow's network" in found["summary"], found
        docker.docker("rm", "-f", "other")
        docker.docker("network", "rm", network[1])
        assert docker.run(["docker", "start", "mailcowdockerized-unbound-mailcow-1"]).returncode
        found = verified(docker, mailcow, state)
        assert "the network that mailcow's containers were made for is gone" in found["summary"], found
        docker.docker("rm", "-f", "mailcowdockerized-unbound-mailcow-1")
        started(
            docker,
            mailcow,
            "unbound-mailcow",
            "while :; do echo Waiting for SQL...; /bin/busybox sleep 1; done",
        )
        restarted = started(docker, mailcow, "postfix-mailcow", "/bin/busybox sleep 600")
        says = f"- Sending restart command to {docker.docker('inspect', '-f', '{{.Id}}', restarted)}..."
        script = f"for i in 1 2; do echo {says}; done; /bin/busybox sleep 600"
        started(docker, mailcow, "watchdog-mailcow", script)
        if docker.version.startswith("26"):  # it stays with young ones for half a minute
            found = verified(docker, mailcow, state)
            assert (found["status"], "does not serve yet: Waiting for SQL..." in found["found"]) == (
                "warn",
                True,
            )
            assert "watchdog has restarted postfix-mailcow 2 times" in found["found"], found
    finally:
        names = ("unbound", "postfix", "watchdog")
        docker.run(["docker", "rm", "-f", "other", *(f"mailcowdockerized-{one}-mailcow-1" for one in names)])
        docker.run(["docker", "network", "rm", network[1]])


def test_docker_rules_that_are_gone(mailcow: Path, tmp_path: Path) -> None:
    """Another program has emptied the tables: Docker can publish no port."""
    (mailcow / "mailcow.conf").write_text("MAILCOW_HOSTNAME=mail.example.org\n")
    (mailcow / "docker-compose.yml").write_text("services:\n  postfix-mailcow:\n    image: x\n")
    with or_skip(), engine.started(engine.SUITES[1], "--iptables=true") as docker:
        name = "mailcowdockerized-postfix-mailcow-1"
        labels = compose_labels("mailcowdockerized", "postfix-mailcow", str(mailcow))
        docker.docker(
            "create", "--name", name, *labels, "-p", "25:25", engine.IMAGE, *_SHELL, "/bin/busybox sleep 600"
        )
        for table in ("filter", "nat"):
            docker.run(["iptables", "-t", table, "-F"], check=True)
            docker.run(["iptables", "-t", table, "-X"], check=True)
        assert docker.run(["docker", "start", name]).returncode
        found = verified(docker, mailcow, tmp_path / "state")
        assert "Docker's firewall rules are gone" in found["summary"], found


def health(docker: engine.Engine, name: str) -> str:
    """What Docker's health check says of it."""
    return docker.docker("inspect", "-f", "{{.State.Health.Status}}", name)


@pytest.mark.long
def test_one_that_has_just_started(docker: engine.Engine, mailcow: Path, tmp_path: Path) -> None:
    """The check stays with it until it has run for a while."""
    (mailcow / "mailcow.conf").write_text("MAILCOW_HOSTNAME=mail.example.org\n")
    (mailcow / "docker-compose.yml").write_text("services:\n  postfix-mailcow:\n    image: x\n")
    name = started(docker, mailcow, "postfix-mailcow", "/bin/busybox sleep 600")
    try:
        found = verified(docker, mailcow, tmp_path / "state")
        assert (found["status"], found["certainty"]) == ("pass", "proved"), found
        assert found["duration_ms"] > 15_000
    finally:
        docker.run(["docker", "rm", "-f", name])


def restarts(docker: engine.Engine, name: str) -> int:
    """How often Docker has started it anew."""
    return int(docker.docker("inspect", "-f", "{{.RestartCount}}", name))
