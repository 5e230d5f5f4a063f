"""The lab itself: what it makes is as it says, and nothing is left behind, even by a test that fails."""

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from bench import load
from lab import engine, machine
from lab.cgroup import mount_point
from lab.engine import Engine
from lab.inside import Inside, LabError, children, wait_until
from lab.machine import Machine
from lab.skip import or_skip

pytestmark = pytest.mark.real

_CAP_SYS_TIME = 25


class BodyFailedError(Exception):
    """What a failing test raises."""


@pytest.fixture
def traces() -> Iterator[None]:
    """The same directories, cgroups and mounts after the test as before."""
    before = _traces()
    yield
    assert wait_until(lambda: _traces() == before, 60), _traces()


def _traces() -> set[str]:
    ours = f"mailcow-wizard-tests-{os.getpid()}-"
    groups = {str(one) for one in mount_point().iterdir() if one.name.startswith(ours)}
    scratch = {str(one) for one in Path(tempfile.gettempdir()).glob(f"mailcow-wizard-*-{os.getpid()}-*")}
    mounts = set(Path("/proc/self/mounts").read_text().splitlines())
    return groups | scratch | {one for one in mounts if re.search(rf"mailcow-wizard-.*-{os.getpid()}-", one)}


def test_machine_may_not_set_the_clock(booted: Machine) -> None:
    """The clock is this machine's own: the capability is gone from everything inside."""
    status = booted.run(["grep", "CapBnd", "/proc/1/status"], check=True).stdout
    assert not int(status.split()[1], 16) >> _CAP_SYS_TIME & 1


def test_machine_has_a_network_of_its_own(booted: Machine) -> None:
    """Nothing of ours can reach it, and it reaches nothing."""
    assert booted.run(["ip", "-br", "link"], check=True).stdout.split()[0] == "lo"
    assert len(booted.run(["ip", "-br", "link"], check=True).stdout.splitlines()) == 1


@pytest.mark.usefixtures("traces")
def test_machine_is_fresh_and_leaves_nothing() -> None:
    """What one test writes the next does not see."""
    with or_skip():
        with suppress(BodyFailedError), machine.booted() as one:
            one.write("/etc/changed", "")
            systemd = one.pid
            raise BodyFailedError
        assert wait_until(lambda: not Path(f"/proc/{systemd}").exists(), 60)
        with machine.booted() as other:
            assert other.run(["test", "-e", "/etc/changed"]).returncode == 1


@pytest.mark.usefixtures("traces")
def test_engine_leaves_nothing() -> None:
    """A container that still runs goes with its engine."""
    with or_skip():
        with suppress(BodyFailedError), engine.started() as docker:
            docker.docker("run", "-d", "-p", "25:25", engine.IMAGE, "/bin/busybox", "sleep", "600")
            first = docker.pid
            raise BodyFailedError
        assert wait_until(lambda: not Path(f"/proc/{first}").exists(), 60)


def test_engine_generations(docker: Engine) -> None:
    """Both generations are there: the version is of the suite that it was fetched from."""
    assert int(docker.version.split(".")[0]) >= 26


def test_connections(network: Inside) -> None:
    """Both ends of each connection are there, and gone afterwards."""
    with load.connections(network, 300):
        assert len(established(network)) == 600
    assert wait_until(lambda: not established(network), 60)


def established(network: Inside) -> list[str]:
    """The established connections of a network."""
    return network.run(["ss", "-Htn", "state", "established"], check=True).stdout.splitlines()


def test_processes() -> None:
    """Each process has its descriptors; none survives a failing body."""
    workers: list[int] = []
    with suppress(BodyFailedError), load.processes(20, 50) as parent:
        workers = children(parent)
        assert len(workers) == 20
        assert {len(os.listdir(f"/proc/{pid}/fd")) for pid in workers} == {50}
        raise BodyFailedError
    assert not [pid for pid in workers if Path(f"/proc/{pid}").exists()]


def test_what_does_not_fit_is_refused(network: Inside) -> None:
    """Nothing is begun that the limits of this machine do not allow."""
    with pytest.raises(LabError, match="open files"), load.connections(network, 10**9):
        pass
    with pytest.raises(LabError, match="processes"), load.processes(10**8):
        pass


@pytest.mark.usefixtures("traces")
def test_service_in_its_own_cgroup(network: Inside) -> None:
    """The listener's cgroup is called like a unit, which is how the wizard names it."""
    with load.service(network, "127.0.0.1", "4190", "lonely.service") as pid:
        assert "lonely.service" in Path(f"/proc/{pid}/cgroup").read_text()
