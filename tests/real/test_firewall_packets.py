"""What is foretold of a packet against real packets: 200 ports for every rule set, IPv4 and IPv6."""

import json
import shlex
import sys
from collections.abc import Iterator

import pytest
from lab.gate import BRIDGE, SERVER, SOURCES, Gate, gate, some_ports
from lab.inside import CHECKOUT
from lab.skip import or_skip

from tests.real import firewall_rules as known
from tests.real.firewall_rules import RuleSet

PORTS = 200
_FORETELL = str(CHECKOUT / "tests" / "lab" / "foretell.py")
_ALL = {**known.NFT, **known.IPTABLES, **known.MIXED}


@pytest.fixture(scope="module")
def world() -> Iterator[Gate]:
    with or_skip(), gate(some_ports(PORTS, 7)) as made:
        yield made


def put(world: Gate, rules: RuleSet) -> None:
    """Puts a rule set in force, in place of the one before."""
    world.clear()
    for program, text in rules:
        if program == "nft":
            ran = world.server.run(["nft", "-f", "-"], text=text, check=False)
        else:
            ran = world.server.run([program, *shlex.split(text)], check=False)
        assert ran.returncode == 0, (program, text, ran.stderr)


def foretold(world: Gate) -> list[dict[int, list[str]]]:
    """The outcome for each port, what decided, and why nobody knows; for every source."""
    ports = ",".join(map(str, world.ports))
    asked = [f"{source} {SERVER[family]} {ports}" for family, source in SOURCES]
    own = ",".join((*SERVER.values(), *BRIDGE.values()))
    ways = "172[.]22|fd4d=br-mailcow"
    argv = [sys.executable, _FORETELL, ways, own, *asked]
    said = json.loads(world.server.run(["env", f"PYTHONPATH={CHECKOUT}", *argv]).stdout)
    assert not said["unread"]
    return [{int(port): how for port, how in one.items()} for one in said["answers"]]


def disagreements(world: Gate) -> list[str]:
    """Where a packet was let through and should not have been, or the other way round."""
    found = []
    for (_, source), said, tried in zip(SOURCES, foretold(world), world.tried(), strict=True):
        for port, how in tried.items():
            outcome, place, why = said[port]
            if (outcome == "through") != (how == "open") or outcome == "unknown":
                found.append(f"{source} to {port}: foretold {outcome} by {place} {why}, was {how}")
    return found


@pytest.mark.parametrize("name", _ALL)
def test_rules(world: Gate, name: str) -> None:
    put(world, _ALL[name])
    assert disagreements(world) == []
