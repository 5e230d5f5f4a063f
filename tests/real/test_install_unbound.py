"""mailcow's unbound does not become healthy, for each cause in the network: the cause is named, not the
container alone. Its test does what the real one does: pings, and questions to root servers."""

from collections.abc import Iterator

import pytest
from lab import outside
from lab.inside import running
from lab.outside import RESOLVER, World
from lab.skip import or_skip

from tests.real import install_server
from tests.real.install_server import Server

pytestmark = [pytest.mark.real, pytest.mark.long]

_HEALTHY_IF = """for one in 1.1.1.1 8.8.8.8 9.9.9.9; do
ping -c 1 -W 1 $$one > /dev/null || { echo "no pong from $$one"; exit 1; }
done
for one in 198.41.0.4 192.33.4.12; do
timeout 2 nslookup -type=ns org $$one > /dev/null && exit 0
done
echo "no root server answers"; exit 1"""
CAUSES = {
    "icmp": ("icmp type echo-request drop", "no pong from 1.1.1.1", "./wizard fix network.icmp"),
    "port 53": (
        f"ip daddr != {RESOLVER} th dport 53 drop",
        "no root server answers",
        "Let UDP and TCP port 53 out to any host",
    ),
}


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with or_skip(), outside.outside() as made:
        yield made


@pytest.fixture(scope="module")
def server(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A machine in the world, on which mailcow was installed once and is gone again."""
    place = tmp_path_factory.mktemp("install")
    network = f"/run/netns/{world.server.name}"
    with or_skip(), install_server.server(place, network, healthy_if=_HEALTHY_IF) as made:
        made.network = ("--resolver", RESOLVER)
        made.machine.write("/etc/resolv.conf", f"nameserver {RESOLVER}\n")
        made.reset()
        done = made.install()
        assert "mailcow is installed" in done.stdout, done.stdout[-3000:] + done.stderr
        yield made


@pytest.mark.parametrize(("rule", "test_says", "mended_by"), CAUSES.values(), ids=CAUSES)
def test_cause(world: World, server: Server, rule: str, test_says: str, mended_by: str) -> None:
    """It comes after the checks, and goes before the second run."""
    server.reset()
    server.faults(rate=60_000)
    with running(server.begin()) as begun:
        assert server.wait_for_stage("pull")
        secrets = server.secrets()
        with world.rule(rule):
            server.faults()
            assert begun.wait(200) == 1
    stands = server.standing()
    assert str(stands["error"]).startswith("mailcow's unbound is unhealthy (")
    assert mended_by in str(stands["remedies"]), stands
    assert test_says in server.log.read_text()
    assert "mailcow is installed" in server.install().stdout
    assert server.secrets() == secrets
