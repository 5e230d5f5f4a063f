"""exim4 of Debian, started by an init script: with systemd, and on a machine without it."""

import json
from collections.abc import Iterator

import pytest
from lab import machine
from lab.inside import wait_until
from lab.machine import Machine

from tests.real.mending import Mender, commands, snapshot, words

pytestmark = pytest.mark.real

# What a command sees of a machine whose systemd is not there: the scripts do not call it either.
WITHOUT_SYSTEMD = ("unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /run/systemd; exec "$@"', "sh")


def mender_on(booted: Machine, *before: str) -> Mender:
    """Fixes on the machine."""
    booted.run(["mkdir", "-p", "/srv/mailcow"], check=True)
    state = "/var/lib/mailcow-wizard"
    return Mender(booted, "python3", machine.CHECKOUT_INSIDE, "/srv/mailcow", state, before)


def test_init_script_under_systemd(booted_with_exim: Machine) -> None:
    """`systemctl disable --now` of such a unit disables it and leaves it running: two commands are needed."""
    mender = mender_on(booted_with_exim)
    assert mender.offered("ports.smtp") == ["stop-service", "remove-package"]
    assert commands(mender.plan("ports.smtp", "stop-service")) == [
        "systemctl disable exim4.service",
        "systemctl stop exim4.service",
    ]
    mender.there_and_back("ports.smtp", "stop-service", lambda: snapshot(booted_with_exim, "exim4.service"))


def test_by_the_command_line(booted_with_exim: Machine) -> None:
    """The whole way as it is typed: the port is free, then held again; the exit code is the check's."""
    place = ("--dir", "/srv/mailcow", "--state-dir", "/var/lib/typed", "--json", "--yes")
    mender_on(booted_with_exim)
    done = booted_with_exim.wizard("fix", "ports.smtp", "stop-service", *place)
    said = json.loads(done.stdout)
    assert (done.returncode, said["applied"], said["result"]["status"]) == (0, True, "pass")
    assert [step["argv"][1] for step in said["plan"]["steps"]] == ["disable", "stop"]
    undone = json.loads(booted_with_exim.wizard("undo", said["change"], *place).stdout)
    assert (undone["state"], undone["result"]["status"]) == ("undone", "fail")


def test_queued_mail_is_told(booted_with_exim: Machine) -> None:
    """Frozen messages wait for ever; their number is known before exim is stopped."""
    mender = mender_on(booted_with_exim)
    booted_with_exim.run(["sh", "-c", "echo hello | exim4 -odq someone@example.com"], check=True)
    listed = booted_with_exim.run(["exim4", "-bp"]).stdout.split()
    try:
        booted_with_exim.run(["exim4", "-Mf", listed[2]], check=True)
        assert mender.risk("ports.smtp", "stop-service") == "medium"
        assert "1 message waits in the queue" in words(mender.plan("ports.smtp", "stop-service"))
    finally:
        booted_with_exim.run(["exim4", "-Mrm", listed[2]])


@pytest.fixture
def without_systemd(booted_with_exim: Machine) -> Iterator[Mender]:
    """exim started by its script alone; systemd's own is started again afterwards."""
    booted_with_exim.run(["systemctl", "stop", "exim4.service"], check=True)
    script = [*WITHOUT_SYSTEMD, "/etc/init.d/exim4"]
    booted_with_exim.run([*script, "start"], check=True)
    assert wait_until(lambda: ":25" in booted_with_exim.run(["ss", "-Hltn"]).stdout, 60)
    yield mender_on(booted_with_exim, *WITHOUT_SYSTEMD)
    booted_with_exim.run([*script, "stop"])
    booted_with_exim.run(["systemctl", "start", "exim4.service"])


def test_init_script_without_systemd(booted_with_exim: Machine, without_systemd: Mender) -> None:
    """Its script stops it, update-rc.d keeps it off, and both bring it back."""
    assert without_systemd.offered("ports.smtp") == ["stop-service", "remove-package"]
    assert commands(without_systemd.plan("ports.smtp", "stop-service")) == [
        "update-rc.d exim4 disable",
        "/etc/init.d/exim4 stop",
    ]
    without_systemd.there_and_back(
        "ports.smtp", "stop-service", lambda: snapshot(booted_with_exim, init=False)
    )


def test_removing_the_package(booted_with_exim: Machine) -> None:
    """The last choice: what goes with it is named, its configuration stays, nothing brings it back."""
    mender = mender_on(booted_with_exim)
    plan = mender.plan("ports.smtp", "remove-package")
    assert plan["reversible"] is False
    assert commands(plan) == [
        "systemctl stop exim4.service",
        "apt-get remove -y -o DPkg::Lock::Timeout=120 exim4-daemon-light",
    ]
    assert "configuration files" in plan["consequence"]
    mender.apply("ports.smtp", "remove-package")
    assert booted_with_exim.run(["test", "-e", "/etc/exim4/exim4.conf.template"]).returncode == 0
