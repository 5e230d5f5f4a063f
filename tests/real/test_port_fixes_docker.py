"""Containers of a real Docker engine in a port's way: stopped for good, started again with their policy."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from lab import engine
from lab.engine import Engine
from lab.inside import CHECKOUT

from tests.real.mending import Mender, commands, words

pytestmark = pytest.mark.real

COMPOSE = [
    f"--label=com.docker.compose.{key}={value}"
    for key, value in {"project": "old", "service": "smtp", "project.working_dir": "/srv/old"}.items()
]
# What runs in the container does not listen to being asked to stop.
IMPATIENT = "--stop-timeout=1"


@pytest.fixture
def mender(docker: Engine, mailcow: Path, tmp_path: Path) -> Iterator[Mender]:
    """Fixes beside the engine."""
    yield Mender(docker, sys.executable, str(CHECKOUT), str(mailcow), str(tmp_path / "state"))
    assert not docker.run(["ss", "-Hltn"]).stdout.strip()


def state(docker: Engine, *names: str) -> list[str]:
    """Whether containers run, and how they are restarted."""
    form = "{{.Name}} {{.State.Running}} {{.HostConfig.RestartPolicy.Name}} "
    return docker.docker(
        "inspect", "-f", form + "{{.HostConfig.RestartPolicy.MaximumRetryCount}}", *names
    ).split("\n")


def there_and_back(docker: Engine, mender: Mender, check: str, fix: str, *names: str) -> None:
    """Applies and takes back; the containers and the listeners are as before."""
    before, sockets = state(docker, *names), docker.run(["ss", "-Hltn"]).stdout
    change = mender.apply(check, fix)["change"]
    assert all(" false no 0" in one for one in state(docker, *names))
    mender.undo(change)
    assert state(docker, *names) == before
    assert docker.run(["ss", "-Hltn"]).stdout == sockets


def test_service_of_another_project(docker: Engine, mender: Mender) -> None:
    """Named, with what starts it again; its restart policy is turned off, and comes back."""
    with docker.container("old-smtp-1", IMPATIENT, "-p", "25:25", "--restart=on-failure:3", *COMPOSE):
        assert mender.offered("ports.smtp") == ["stop-container"]
        plan = mender.plan("ports.smtp", "stop-container")
        assert commands(plan) == ["docker update --restart=no old-smtp-1", "docker stop old-smtp-1"]
        assert "compose project old" in words(plan)
        assert "/srv/old" in words(plan)
        there_and_back(docker, mender, "ports.smtp", "stop-container", "old-smtp-1")


def test_container_that_is_deleted_when_it_stops(docker: Engine, mender: Mender) -> None:
    """Started with --rm: that it does not come back is said first."""
    run = ["run", "-d", "--rm", "--name", "gone", IMPATIENT, "-p", "143:143", engine.IMAGE]
    docker.docker(*run, "/bin/busybox", "sleep", "600")
    assert [one["reversible"] for one in mender.ask("list", "ports.imap")] == [False]
    plan = mender.plan("ports.imap", "stop-container")
    assert plan["reversible"] is False
    assert "--rm" in words(plan)
    mender.apply("ports.imap", "stop-container")


def test_a_paused_container_is_paused_again(docker: Engine, mender: Mender) -> None:
    with docker.container("still", IMPATIENT, "-p", "143:143"):
        docker.docker("pause", "still")
        change = mender.apply("ports.imap", "stop-container")["change"]
        mender.undo(change)
        assert docker.docker("inspect", "-f", "{{.State.Paused}}", "still").strip() == "true"
        docker.docker("unpause", "still")


def test_a_container_that_lives_in_its_network_is_named(docker: Engine, mender: Mender) -> None:
    """It has no network without the other, and has to be started again afterwards."""
    with docker.container("web", IMPATIENT, "-p", "143:143"):
        docker.docker(
            "run",
            "-d",
            "--name",
            "beside",
            "--network",
            "container:web",
            engine.IMAGE,
            "/bin/busybox",
            "sleep",
            "600",
        )
        try:
            plan = mender.plan("ports.imap", "stop-container")
            assert "beside" in plan["interrupts"]
        finally:
            docker.docker("rm", "-f", "beside")


def test_several_containers_on_one_port(docker: Engine, mender: Mender) -> None:
    """Two, each on an address of its own: one plan stops both, one starts both."""
    docker.run(["ip", "address", "add", "192.0.2.10/32", "dev", "lo"], check=True)
    with ExitStack() as stack:
        stack.enter_context(docker.container("one", IMPATIENT, "-p", "127.0.0.1:993:993", "--restart=always"))
        stack.enter_context(docker.container("two", IMPATIENT, "-p", "192.0.2.10:993:993"))
        there_and_back(docker, mender, "ports.imaps", "stop-container", "one", "two")
    docker.run(["ip", "address", "del", "192.0.2.10/32", "dev", "lo"], check=True)


def test_mailcow_gives_way_on_loopback(docker: Engine, mender: Mender, mailcow: Path) -> None:
    """Somebody's database on 13306: mailcow's local port is moved rather than their container stopped."""
    conf = mailcow / "mailcow.conf"
    conf.write_text("MAILCOW_HOSTNAME=mail.example.org\nSQL_PORT=127.0.0.1:13306\nDBPASS=secret123\n")
    before = conf.read_bytes()
    with docker.container("shop-db", IMPATIENT, "-p", "127.0.0.1:13306:3306"):
        assert mender.offered("ports.mysql") == ["move-port", "stop-container"]
        ended = mender.apply("ports.mysql", "move-port")
        assert "SQL_PORT=127.0.0.1:13307\n" in conf.read_text()
        assert "secret123" not in str(ended)
        mender.undo(ended["change"])
        assert conf.read_bytes() == before


def test_proxy_in_a_container(docker: Engine, mender: Mender, mailcow: Path) -> None:
    """Traefik's configuration is its owner's: the lines are shown, and how it reaches mailcow."""
    (mailcow / "mailcow.conf").write_text("MAILCOW_HOSTNAME=mail.example.org\n")
    docker.docker("tag", engine.IMAGE, "traefik:v3.1")
    run = ["run", "-d", "--name", "edge", "-p", "80:80", "-p", "443:443", "traefik:v3.1"]
    docker.docker(*run, "/bin/busybox", "sleep", "600")
    try:
        assert mender.offered("ports.http") == ["proxy-mode", "stop-container", "move-port"]
        plan = mender.plan("ports.https", "proxy-mode")
        said = words(plan)
        for word in ("Host(`mail.example.org`)", "http://nginx-mailcow:8080", "docker network connect"):
            assert word in said
        assert commands(plan) == []
        change = mender.apply("ports.https", "proxy-mode")["change"]
        assert "HTTP_REDIRECT=n" in (mailcow / "mailcow.conf").read_text()
        mender.undo(change)
        assert (mailcow / "mailcow.conf").read_text() == "MAILCOW_HOSTNAME=mail.example.org\n"
    finally:
        docker.run(["docker", "rm", "-f", "edge"])
