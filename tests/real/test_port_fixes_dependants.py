"""Units that depend on the one in the way: they stop with it, are named, and run again afterwards."""

from collections.abc import Iterator

import pytest
from lab.machine import Machine

from tests.real.mending import Mender, commands, snapshot, words
from tests.real.units import INSTALL, OWN, SERVICE, listens, mending_on, running, states

pytestmark = pytest.mark.real

SLEEP = "[Service]\nExecStart=/bin/sleep 100000\n"
PACKAGED = "/usr/lib/systemd/system"
DEP = (f"{OWN}/dep.service", f"[Unit]\nRequires=hold.service\nAfter=hold.service\n{SLEEP}{INSTALL}")
BOUND = (f"{OWN}/bound.service", f"[Unit]\nBindsTo=hold.service\nAfter=hold.service\n{SLEEP}")
PART = (f"{OWN}/part.service", f"[Unit]\nPartOf=dep.service\n{SLEEP}")
ASLEEP = (f"{OWN}/asleep.service", f"[Unit]\nRequires=hold.service\n{SLEEP}")
ALL = ("hold.service", "dep.service", "bound.service", "part.service", "asleep.service")


@pytest.fixture
def mender(booted: Machine) -> Iterator[Mender]:
    """Fixes on the machine."""
    with mending_on(booted) as found:
        yield found


@pytest.fixture
def dependants(booted: Machine, mender: Mender, request: pytest.FixtureRequest) -> Iterator[Mender]:
    """A holder in the directory that is the parameter, and what depends on it; one of them is not active."""
    files = ((f"{request.param}/hold.service", SERVICE + INSTALL), DEP, BOUND, PART, ASLEEP)
    with running(booted, "hold.service", *files):
        booted.run(["systemctl", "enable", "--now", "dep.service"], check=True)
        booted.run(["systemctl", "start", "bound.service", "part.service"], check=True)
        assert listens(booted, 4190)
        yield mender
        booted.run(["systemctl", "disable", "--now", "dep.service", "bound.service", "part.service"])


@pytest.mark.parametrize("dependants", [OWN], indirect=True)
def test_those_that_stop_with_it_are_named_and_come_back(booted: Machine, dependants: Mender) -> None:
    """Also those that depend on these; one that does not run is not started."""
    mender = dependants
    assert mender.risk("ports.sieve", "stop-service") == "medium"
    plan = mender.plan("ports.sieve", "stop-service")
    for name in ("dep", "bound", "part"):
        assert f"{name}.service" in plan["interrupts"]
    assert "asleep" not in plan["interrupts"]
    assert "after a restart" not in plan["consequence"]
    assert "dep.service and bound.service start it again" in words(plan)
    mender.there_and_back(
        "ports.sieve",
        "stop-service",
        lambda: snapshot(booted, *ALL),
        lambda: _inactive(booted, *ALL),
    )
    assert states(booted, *ALL) == ["active", "active", "active", "active", "inactive"]


def test_one_that_does_not_run_stops_them_too(booted: Machine, mender: Mender) -> None:
    """What is part of it runs without it, and ends where it is told to stop."""
    off = (f"{PACKAGED}/nginx.service", SLEEP + INSTALL)
    part = (f"{OWN}/part.service", f"[Unit]\nPartOf=nginx.service\n{SLEEP}")
    both = ("nginx.service", "part.service")
    with running(booted, "nginx.service", off, part):
        booted.run(["systemctl", "stop", "nginx.service"], check=True)
        booted.run(["systemctl", "start", "part.service"], check=True)
        plan = mender.plan("ports.http", "stop-service")
        assert plan["interrupts"] == "part.service, which depends on it and stops with it"
        assert mender.risk("ports.http", "stop-service") == "medium"
        mender.there_and_back(
            "ports.http",
            "stop-service",
            lambda: snapshot(booted, *both),
            lambda: _inactive(booted, *both),
        )
        assert states(booted, *both) == ["inactive", "active"]
        booted.run(["systemctl", "stop", "part.service"], check=True)


def _inactive(place: Machine, *units: str) -> None:
    assert states(place, *units) == ["inactive"] * len(units)


@pytest.mark.parametrize("dependants", [PACKAGED], indirect=True)
def test_what_would_start_it_again_finds_it_masked(booted: Machine, dependants: Mender) -> None:
    """A file that is not in /etc can be masked; the promise then holds."""

    def after_a_restart() -> None:
        booted.run(["systemctl", "start", "dep.service"])
        assert states(booted, "hold.service", "dep.service") == ["inactive", "inactive"]

    mender = dependants
    plan = mender.plan("ports.sieve", "stop-service")
    assert "systemctl mask --now hold.service" in commands(plan)
    assert "also after a restart" in plan["consequence"]
    assert "dep.service" in words(plan)
    mender.there_and_back("ports.sieve", "stop-service", lambda: snapshot(booted, *ALL), after_a_restart)


def test_a_target_that_stops_with_it_starts_nothing_else_on_the_way_back(
    booted: Machine, mender: Mender
) -> None:
    """What an administrator stopped by hand stays stopped, although the target wants it."""
    files = (
        (f"{OWN}/hold.service", SERVICE + "[Install]\nRequiredBy=multi-user.target\n"),
        (f"{OWN}/resting.service", SLEEP + INSTALL),
    )
    units = ("hold.service", "multi-user.target", "resting.service")
    with running(booted, "hold.service", *files):
        booted.run(["systemctl", "enable", "resting.service"], check=True)
        assert listens(booted, 4190)
        assert states(booted, *units) == ["active", "active", "inactive"]
        mender.there_and_back("ports.sieve", "stop-service", lambda: snapshot(booted, *units))
        assert states(booted, *units) == ["active", "active", "inactive"]
        booted.run(["systemctl", "disable", "resting.service"], check=True)


def test_a_way_in_that_would_stop_with_it_is_kept(booted: Machine, mender: Mender) -> None:
    """sshd is never stopped, not by the way either."""
    files = (
        (f"{OWN}/hold.service", SERVICE + INSTALL),
        (f"{OWN}/ssh.service.d/needs.conf", "[Unit]\nRequires=hold.service\n"),
    )
    with running(booted, "hold.service", *files):
        booted.run(["systemctl", "start", "ssh.service"], check=True)
        assert listens(booted, 4190)
        assert mender.offered("ports.sieve") == []
        booted.run(["systemctl", "stop", "ssh.service"], check=True)


def test_a_service_that_does_not_come_back_is_told(booted: Machine, mender: Mender) -> None:
    """Its condition is not met any more: taking back has failed, says which unit, and can be done later."""
    booted.write("/run/onlynow", "")
    once = (f"{OWN}/once.service", f"[Unit]\nConditionPathExists=/run/onlynow\n{SERVICE}")
    with running(booted, "once.service", once, enabled=False):
        assert listens(booted, 4190)
        plan = mender.plan("ports.sieve", "stop-service")
        assert "restart" not in plan["consequence"]
        change = mender.apply("ports.sieve", "stop-service")["change"]
        booted.run(["rm", "/run/onlynow"], check=True)
        ended = mender.ask("undo", change)
        assert ended["state"] == "failed"
        assert "once.service does not run" in ended["error"]
        done = booted.wizard("undo", change, "--yes", "--state-dir", "/var/lib/mailcow-wizard")
        assert (done.returncode, "was taken back" in done.stdout) == (1, False)
        booted.write("/run/onlynow", "")
        mender.undo(change)
        assert states(booted, "once.service") == ["active"]
    booted.run(["rm", "/run/onlynow"], check=True)


@pytest.mark.long
def test_a_service_that_ends_at_once_is_told(booted: Machine, mender: Mender) -> None:
    """systemctl calls it started; a moment later it is gone."""
    text = SERVICE.replace("ExecStart=", "ExecStart=/bin/sh -c 'test -e /run/onlynow && exec ").rstrip("\n")
    booted.write("/run/onlynow", "")
    with running(booted, "brief.service", (f"{OWN}/brief.service", f"{text}'\n{INSTALL}")):
        assert listens(booted, 4190)
        change = mender.apply("ports.sieve", "stop-service")["change"]
        booted.run(["rm", "/run/onlynow"], check=True)
        ended = mender.ask("undo", change)
        assert (ended["state"], "brief.service does not run" in ended["error"]) == ("failed", True)


@pytest.mark.long
def test_the_check_after_taking_back_waits_for_the_service(booted: Machine, mender: Mender) -> None:
    """A service that needs a second to listen is seen on its port again."""
    slow = SERVICE.replace("ExecStart=", "ExecStartPre=-/bin/true\nExecStart=/bin/sh -c 'sleep 1.5; exec ")
    slow = slow.rstrip("\n") + "'\n" + INSTALL
    with running(booted, "slow.service", (f"{OWN}/slow.service", slow)):
        assert listens(booted, 4190)
        ended = mender.undo(mender.apply("ports.sieve", "stop-service")["change"])
        assert ended["status"] == "fail"
