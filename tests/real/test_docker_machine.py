"""Docker as systemd runs it on a booted Debian 12, whose own is too old: down, masked, badly set up."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from lab import machine
from lab.inside import wait_until
from lab.machine import CHECKOUT_INSIDE, Machine
from lab.skip import or_skip

from tests.real.mending import Mender

pytestmark = pytest.mark.real

STATE = "/var/lib/mailcow-wizard"
JSON = "/etc/docker/daemon.json"


@pytest.fixture(scope="module")
def debian() -> Iterator[Machine]:
    """A Debian 12 with its own Docker, which runs."""
    with or_skip(), machine.booted("docker.io") as made:
        active = lambda: made.run(["systemctl", "is-active", "docker"]).stdout.strip() == "active"  # noqa: E731
        if not wait_until(active, 30, pause=0.2):
            pytest.skip("Docker does not run in this machine")
        yield made


@pytest.fixture
def mender(debian: Machine) -> Mender:
    """Fixes there."""
    return Mender(debian, "python3", CHECKOUT_INSIDE, "/opt/mailcow-dockerized", STATE)


def look(debian: Machine, name: str, *before: str) -> dict[str, Any]:
    """One finding, as the wizard tells it."""
    argv = [*before, "python3", "-m", "mailcow_wizard", "check", f"docker.{name}", "--json"]
    done = debian.run([*argv, "--state-dir", "/tmp/state" if before else STATE])
    (found,) = json.loads(done.stdout)["checks"]
    return dict(found)


def test_an_old_engine_is_named(debian: Machine) -> None:
    found = look(debian, "engine")
    assert (found["status"], found["certainty"]) == ("fail", "proved")
    assert "needs 24.0.0 or newer" in found["summary"]
    assert [one["id"] for one in found["fixes"]] == ["install-docker"]
    assert look(debian, "daemon")["status"] == "pass"


def test_somebody_who_may_not_ask(debian: Machine) -> None:
    somebody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--")
    daemon = look(debian, "daemon", *somebody)
    assert (daemon["status"], "root can tell" in daemon["summary"]) == ("unknown", True)
    assert look(debian, "leftovers", *somebody)["status"] == "unknown"


@pytest.mark.parametrize(
    "harm",
    [
        pytest.param("systemctl stop docker.service docker.socket", marks=pytest.mark.long),
        "systemctl disable docker.service",
        "systemctl mask --now docker.service docker.socket",
    ],
)
def test_docker_is_started_and_taken_back(debian: Machine, mender: Mender, harm: str) -> None:
    debian.run(harm.split(), check=True)
    try:
        before = look(debian, "daemon")
        assert before["status"] in ("fail", "warn")
        find = ["find", "/etc/systemd/system", "-name", "docker.*", "-printf", "%p %l\\n"]
        links = sorted(debian.run(find, check=True).stdout.split("\n"))
        change = mender.apply("docker.daemon", "start-docker")["change"]
        assert debian.run(["docker", "ps"]).returncode == 0
        mender.undo(change)
        assert look(debian, "daemon")["summary"] == before["summary"]
        assert sorted(debian.run(find, check=True).stdout.split("\n")) == links
    finally:
        debian.run(["systemctl", "unmask", "docker.service", "docker.socket"])
        debian.run(["systemctl", "reset-failed", "docker.service", "docker.socket"])
        debian.run(["systemctl", "enable", "--now", "docker.socket", "docker.service"], check=True)


def test_broken_settings_are_mended_and_docker_starts(debian: Machine, mender: Mender) -> None:
    broken = '{\n  "log-driver": "local",\n}\n'
    debian.write(JSON, broken)
    debian.run(["systemctl", "restart", "docker"])
    try:
        daemon = look(debian, "daemon")
        assert daemon["status"] == "fail"
        assert daemon["fixes"] == []  # it would not start
        assert look(debian, "engine")["status"] == "fail"
        change = mender.apply("docker.daemon-json", "merge-daemon-json")["change"]
        said = debian.run(["docker", "info", "--format", "{{.LoggingDriver}}"], check=True).stdout.strip()
        assert said == "local"
        mender.undo(change)
        assert debian.run(["cat", JSON], check=True).stdout == broken
    finally:
        debian.run(["rm", "-f", JSON], check=True)
        debian.run(["systemctl", "reset-failed", "docker.service", "docker.socket"])
        debian.run(["systemctl", "restart", "docker"], check=True)


def test_settings_that_harm_are_taken_out_and_put_back(debian: Machine, mender: Mender) -> None:
    harmful = '{"iptables": false, "log-driver": "local"}'
    debian.write(JSON, harmful)
    debian.run(["systemctl", "reset-failed", "docker.service", "docker.socket"])
    debian.run(["systemctl", "restart", "docker"], check=True)
    try:
        change = mender.apply("docker.daemon-json", "merge-daemon-json")["change"]
        assert json.loads(debian.run(["cat", JSON], check=True).stdout) == {"log-driver": "local"}
        assert debian.run(["systemctl", "is-active", "docker"]).stdout.strip() == "active"
        mender.undo(change)
        assert debian.run(["cat", JSON], check=True).stdout == harmful
        assert debian.run(["systemctl", "is-active", "docker"]).stdout.strip() == "active"
    finally:
        debian.run(["rm", "-f", JSON], check=True)
        debian.run(["systemctl", "reset-failed", "docker.service", "docker.socket"])
        debian.run(["systemctl", "restart", "docker"], check=True)
