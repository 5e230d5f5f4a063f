"""What is foretold of a packet against real packets: 200 ports for every rule set, IPv4 and IPv6."""

from collections.abc import Iterator

import pytest
from lab.gate import Gate, gate, some_ports
from lab.skip import or_skip

from tests.real import firewall_rules as known
from tests.real.firewall_world import disagreements, put

pytestmark = pytest.mark.real

PORTS = 200
_ALL = {**known.NFT, **known.IPTABLES, **known.MIXED}


@pytest.fixture(scope="module")
def world() -> Iterator[Gate]:
    with or_skip(), gate(some_ports(PORTS, 7)) as made:
        yield made


@pytest.mark.parametrize("name", _ALL)
def test_rules(world: Gate, name: str) -> None:
    put(world, _ALL[name])
    assert disagreements(world) == []
