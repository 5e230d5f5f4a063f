"""Services of a real OpenRC: stopped and kept off, and back as they were; the one that keeps the clock."""

from collections.abc import Iterator

import pytest
from lab import machine, openrc
from lab.inside import wait_until
from lab.machine import Machine
from lab.skip import or_skip

from tests.real.mending import Mender, Snapshot, commands, snapshot

pytestmark = [pytest.mark.real, pytest.mark.long]


@pytest.fixture(scope="module")
def booted() -> Iterator[Machine]:
    with or_skip(), openrc.booted() as made:
        made.run(["mkdir", "-p", "/srv/mailcow"], check=True)
        yield made


@pytest.fixture
def mender(booted: Machine) -> Mender:
    return Mender(booted, "python3", machine.CHECKOUT_INSIDE, "/srv/mailcow", "/var/lib/mailcow-wizard")


def look(place: Machine) -> Snapshot:
    """Who starts with the machine, what it has in /etc, who listens."""
    return snapshot(place, init=False)


@pytest.mark.parametrize(("check", "name"), [("ports.http", "nginx"), ("ports.smtp", "exim4")])
def test_a_service_is_stopped_and_kept_off(booted: Machine, mender: Mender, check: str, name: str) -> None:
    assert mender.offered(check)[0] == "stop-service"
    plan = mender.plan(check, "stop-service")
    assert commands(plan) == [f"rc-update del {name} default", f"rc-service {name} stop"]
    mender.there_and_back(check, "stop-service", lambda: look(booted))


def test_one_that_is_stopped_and_comes_back_is_kept_off(booted: Machine, mender: Mender) -> None:
    booted.run(["rc-service", "nginx", "stop"], check=True)
    try:
        said = booted.wizard("check", "ports.http", "--plain")
        assert said.returncode == 2
        assert "port 80 is free, but nginx starts with the machine" in said.stdout
        assert commands(mender.plan("ports.http", "stop-service")) == ["rc-update del nginx default"]
        mender.there_and_back("ports.http", "stop-service", lambda: look(booted))
        booted.run(["rc-update", "del", "nginx", "default"], check=True)
        assert booted.wizard("check", "ports.http").returncode == 0
    finally:
        booted.run(["rc-update", "add", "nginx", "default"])
        booted.run(["rc-service", "nginx", "start"])
    assert wait_until(lambda: booted.wizard("check", "ports.http").returncode == 1, 10)


def test_what_keeps_the_clock_is_started_now_and_at_every_start(booted: Machine, mender: Mender) -> None:
    booted.run(["rc-service", "chrony", "stop"], check=True)
    booted.run(["rc-update", "del", "chrony", "default"], check=True)
    try:
        plan = mender.plan("time.service", "enable-ntp")
        assert commands(plan) == ["rc-update add chrony default", "rc-service chrony start"]
        done = booted.wizard("fix", "time.service", "enable-ntp", "--yes", "--plain")
        assert "chrony" in booted.run(["rc-update", "show", "default"]).stdout
        assert booted.run(["pgrep", "-x", "chronyd"]).returncode == 0, done.stderr
        assert "applied" in booted.wizard("undo", "--list").stdout
        assert booted.wizard("undo", "--yes").returncode == 0
        assert booted.run(["pgrep", "-x", "chronyd"]).returncode == 1
        assert "chrony" not in booted.run(["rc-update", "show", "default"]).stdout
    finally:
        booted.run(["rc-update", "add", "chrony", "default"])
        booted.run(["rc-service", "chrony", "start"])
