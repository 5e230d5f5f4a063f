"""What is foretold of a packet against real packets: 200 ports for every rule set, IPv4 and IPv6."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab.gate import Gate, gate, some_ports
from lab.inside import CHECKOUT
from lab.skip import or_skip

from tests.real import firewall_rules as known
from tests.real.firewall_world import disagreements, put

pytestmark = pytest.mark.real

PORTS = 200
_ALL = {**known.NFT, **known.IPTABLES, **known.MIXED}


@pytest.fixture(scope="module")
def world() -> Iterator[Gate]:
    with or_skip(), gate(some_ports(PORTS, 7)) as made:
        made.introduce()
        yield made


@pytest.mark.parametrize("name", _ALL)
def test_rules(world: Gate, name: str) -> None:
    put(world, _ALL[name])
    assert disagreements(world) == []


@pytest.mark.parametrize("name", ["allow list", "deny list", "chains", "marks", "as Docker does", "odd"])
def test_tables_of_iptables_that_only_nft_shows(world: Gate, name: str) -> None:
    """A rule of nft among its own, and iptables shows the whole table no more."""
    rules = _ALL[f"iptables-nft {name}"]
    families = {"ip": "iptables-nft", "ip6": "ip6tables-nft"}
    families = {one: program for one, program in families.items() if program in dict(rules)}
    put(world, (*rules, *(("nft", f"insert rule {one} filter INPUT {_STRANGE}") for one in families)))
    for program in families.values():
        assert "incompatible" in world.server.run([f"{program}-save"], check=False).stdout
    assert disagreements(world) == []


def test_a_table_of_iptables_that_nft_has_changed(world: Gate, tmp_path: Path) -> None:
    """iptables does not show it any more: it is read as nft shows it, Docker's chains in it included."""
    put(world, (*_ALL["iptables-nft as Docker does"], ("nft", _CHANGE)))
    argv = ["env", f"PYTHONPATH={CHECKOUT}", sys.executable, "-m", "mailcow_wizard", "check"]
    more = ["firewall.backend", "--json", "--state-dir", str(tmp_path)]
    (found,) = json.loads(world.server.run([*argv, *more], check=False).stdout)["checks"]
    assert found["status"] not in ("pass", "crashed"), found
    assert "incompatible" in world.server.run(["iptables-nft-save"], check=False).stdout


_STRANGE = "ct status snat tcp dport 1 drop"
_CHANGE = "insert rule ip filter DOCKER-USER iifname eth0 ct status dnat tcp dport 587 drop"
