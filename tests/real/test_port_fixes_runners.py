"""Units that run other people's programs: what listens there is stopped by hand, the unit goes on."""

from collections.abc import Iterator

import pytest
from lab.machine import Machine

from tests.real.mending import Mender, words
from tests.real.units import INSTALL, LISTENER, OWN, SERVICE, listens, mending_on, running

pytestmark = pytest.mark.real

# A child listens; the main program is another one.
CHILD = f"[Service]\nExecStart=/bin/sh -c '{LISTENER} 0.0.0.0 4190 & exec sleep 100000'\n{INSTALL}"


@pytest.fixture
def mender(booted: Machine) -> Iterator[Mender]:
    """Fixes on the machine."""
    with mending_on(booted) as found:
        yield found


@pytest.mark.parametrize("name", ["cron", "supervisor", "xinetd"])
def test_runners_of_other_programs_are_never_stopped(name: str, booted: Machine, mender: Mender) -> None:
    with running(booted, f"{name}.service", (f"{OWN}/{name}.service", CHILD)):
        assert listens(booted, 4190)
        assert mender.offered("ports.sieve") == []
        said = booted.wizard("fix", "ports.sieve", "--state-dir", "/run/wizard").stdout
        assert name in said
        assert "systemctl disable" not in said
        assert "crontab" in said or name != "cron"


def test_a_unit_that_only_started_the_listener_is_dear(booted: Machine, mender: Mender) -> None:
    """What else it runs ends, too: that is said, and the price is high."""
    with running(booted, "jobs.service", (f"{OWN}/jobs.service", CHILD)):
        assert listens(booted, 4190)
        assert mender.risk("ports.sieve", "stop-service") == "high"
        plan = mender.plan("ports.sieve", "stop-service")
        assert "its main program is sleep" in words(plan)
        assert "all that jobs runs" in plan["interrupts"]


def test_a_service_of_one_program_with_workers_is_not(booted: Machine, mender: Mender) -> None:
    """The main process waits, its child listens: both are one program, or the main one is a script for it."""
    text = f"[Service]\nExecStart=/bin/sh -c '{LISTENER} 0.0.0.0 4190; true'\n{INSTALL}"
    words_of = ", ".join(f'"{word}"' for word in (*LISTENER.split(), "0.0.0.0", "4190"))
    forked = f"[Service]\nExecStart=/usr/bin/python3 -c 'import subprocess; subprocess.run([{words_of}])'\n"
    for content, risk in ((forked + INSTALL, "low"), (text, "low")):
        with running(booted, "one.service", (f"{OWN}/one.service", content)):
            assert listens(booted, 4190)
            assert mender.risk("ports.sieve", "stop-service") == risk


@pytest.mark.parametrize("name", ["autossh-db", "webmin", "tailscaled", "xray@office"])
def test_further_ways_into_the_machine_are_kept(name: str, booted: Machine, mender: Mender) -> None:
    with running(booted, f"{name}.service", (f"{OWN}/{name}.service", SERVICE)):
        assert listens(booted, 4190)
        assert mender.offered("ports.sieve") == []
