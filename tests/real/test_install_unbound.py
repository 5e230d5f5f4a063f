"""mailcow's unbound does not become healthy, for each cause: the cause is named, not the container alone.
It is a real one, in a network as mailcow's, and its test does what mailcow's does: pings, and look-ups of its
own."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import NamedTuple

import pytest
from lab import far_clock, outside
from lab.far_clock import DAY, FarClock
from lab.inside import running
from lab.outside import RESOLVER, World
from lab.skip import or_skip

from tests.real import install_server
from tests.real.install_server import Server

pytestmark = [pytest.mark.real, pytest.mark.long]

_SILENT = "Couldn't ping 1.1.1.1 after 3 attempts"
_LOST = "DNS Resolution not possible after 3 attempts for "
_FLUSHES = ["sh", "-c", "while :; do iptables -t nat -F POSTROUTING; sleep 0.1; done"]


class Lab(NamedTuple):
    """The machine, what is outside, and the time there."""

    world: World
    clock: FarClock
    server: Server


@contextmanager
def _rules_taken_away(lab: Lab) -> Iterator[None]:
    """By a program that loads its own rules again and again; what is told to do then helps."""
    with running(lab.server.machine.start(_FLUSHES)):
        yield
    _restart(lab.server)


@contextmanager
def _no_rules_wanted(lab: Lab) -> Iterator[None]:
    lab.server.machine.write("/etc/docker/daemon.json", json.dumps({"iptables": False}))
    lab.server.machine.run(["iptables", "-t", "nat", "-F", "POSTROUTING"], check=True)
    _restart(lab.server)
    try:
        yield
    finally:
        lab.server.machine.write("/etc/docker/daemon.json", "{}")
        _restart(lab.server)


def _restart(server: Server) -> None:
    server.machine.run(["systemctl", "restart", "docker"], check=True)
    server.await_services()


class Cause(NamedTuple):
    """What is wrong for a while; what unbound's test says then, why that is, and what mends it."""

    wrong: Callable[[Lab], AbstractContextManager[None]]
    says: str
    why: str
    mended_by: str


CAUSES = {
    "icmp": Cause(
        lambda lab: lab.world.rule("icmp type echo-request drop"),
        _SILENT,
        "none of 3 addresses answers a ping",
        "./wizard fix network.icmp",
    ),
    "port 53": Cause(
        lambda lab: lab.world.rule(f"ip daddr != {RESOLVER} th dport 53 drop"),
        _LOST,
        "no root server answers",
        "Let UDP and TCP port 53 out to any host",
    ),
    "masquerading": Cause(
        _rules_taken_away,
        _SILENT,
        "leaves with their own address (172.22.1.253), to which nothing comes back",
        "systemctl restart docker",
    ),
    "no rules of Docker's": Cause(
        _no_rules_wanted, _SILENT, "Docker makes no firewall rules", 'Take "iptables": false out'
    ),
    "the clock": Cause(
        lambda lab: lab.clock.shifted(-40 * DAY),
        _LOST,
        "the clock is 40.0 days ahead",
        "fix time.offset enable-ntp",
    ),
}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A machine in the world, on which mailcow was installed once and is gone again."""
    place = tmp_path_factory.mktemp("install")
    with or_skip(), outside.outside() as world, far_clock.far_clock(world) as clock:
        network = f"/run/netns/{world.server.name}"
        with install_server.server(place, network, world.anchor) as server:
            servers = [word for one in far_clock.SERVERS for word in ("--ntp", one)]
            server.network = ("--resolver", RESOLVER, *servers)
            server.machine.write("/etc/resolv.conf", f"nameserver {RESOLVER}\n")
            server.reset()
            done = server.install()
            assert "mailcow is installed" in done.stdout, done.stdout[-3000:] + done.stderr
            yield Lab(world, clock, server)


@pytest.mark.parametrize("cause", CAUSES.values(), ids=CAUSES)
def test_cause(lab: Lab, cause: Cause) -> None:
    """It comes after the checks, and goes before the second run."""
    server = lab.server
    server.reset()
    server.faults(rate=60_000)
    with running(server.begin()) as begun:
        assert server.wait_for_stage("pull"), server.standing()
        secrets = server.secrets()
        with cause.wrong(lab):
            server.faults()
            assert begun.wait(240) == 1
            logs = server.machine.run(["docker", "logs", "mailcowdockerized-unbound-mailcow-1"], check=True)
    stands = server.standing()
    assert str(stands["error"]).startswith("mailcow's unbound is unhealthy ("), stands
    assert cause.why in str(stands["error"])
    assert cause.mended_by in str(stands["remedies"]), stands
    assert cause.says in server.log.read_text()
    assert ("signature expired" in logs.stderr) == (cause is CAUSES["the clock"]), logs.stderr[-2000:]
    done = server.install()
    assert "mailcow is installed" in done.stdout, done.stdout[-3000:]
    assert server.secrets() == secrets
