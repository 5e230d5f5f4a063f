"""An install whose process was killed while a command of it goes on: the next one belongs to systemd, too."""

from collections.abc import Iterator

import pytest
from lab import machine
from lab.inside import wait_until
from lab.machine import CHECKOUT_INSIDE, Machine
from lab.skip import or_skip

from mailcow_wizard.install.following import UNIT

pytestmark = pytest.mark.real

# The worker's place has what starts a command that lingers, and waits.
_WORKER = """
import subprocess, sys, time
from mailcow_wizard.host.processes import handing_on
def main(words):
    handing_on.fetch(words[0])
    subprocess.Popen(["sleep", "600"], start_new_session=True)
    time.sleep(600)
"""
_FOLLOW = """
import os, sys
from mailcow_wizard.engine import lock
from mailcow_wizard.host.processes import detached
from mailcow_wizard.host.files.state import StateDirectory
from mailcow_wizard.install import following
start = detached.start_apart
detached.start_apart = lambda module, *more: start("worker_that_waits", *more)
following._worker("/root/state", sys.argv[1], lock.take(StateDirectory("/root/state"), lock.INSTALL))
os._exit(0)
"""


@pytest.fixture
def debian() -> Iterator[Machine]:
    with or_skip(), machine.booted() as made:
        yield made


def begun(debian: Machine, run: str) -> str:
    """The control group of the process that does a run's work."""
    debian.write("/root/follow.py", _FOLLOW)
    started = ["sh", "-c", f"cd /root && PYTHONPATH={CHECKOUT_INSIDE} python3 follow.py {run}"]
    assert debian.run(started).returncode == 0
    pids = ["pgrep", "-f", f"worker_that_waits.* /root/state {run}"]
    found: list[str] = []

    def one() -> bool:  # for a moment there is the process that it was made of, too
        found[:] = debian.run(pids).stdout.split()
        return len(found) == 1

    assert wait_until(one, 20), found
    (pid,) = found
    return debian.run(["cat", f"/proc/{pid}/cgroup"]).stdout.strip()


def test_each_run_has_a_unit_of_its_own(debian: Machine) -> None:
    place = debian.run(["python3", "-c", "import sys; print(sys.path[-1])"]).stdout.strip()
    debian.write(f"{place}/worker_that_waits.py", _WORKER)
    assert f"{UNIT}-first.service" in begun(debian, "first")
    assert wait_until(lambda: debian.run(["pgrep", "-x", "sleep"]).returncode == 0, 20)
    debian.run(["pkill", "-KILL", "-f", "worker_that_waits"])
    assert debian.run(["pgrep", "-x", "sleep"]).returncode == 0
    assert f"{UNIT}-again.service" in begun(debian, "again")
