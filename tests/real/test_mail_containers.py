"""mail.containers beside a real Docker engine: containers that run, crash, are ill, stopped, missing."""

import json
from pathlib import Path
from typing import Any

import pytest
from lab import engine
from lab.inside import wait_until

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
        assert "no container" not in verified(docker, mailcow, state)["found"]
    finally:
        for name in names:
            docker.run(["docker", "rm", "-f", name])


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
