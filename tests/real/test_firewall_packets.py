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
from tests.real.firewall_tracking import TRACKING
from tests.real.firewall_world import disagreements, foretold, put

pytestmark = pytest.mark.real

PORTS = 200
_ALL = {**known.NFT, **known.IPTABLES, **known.MIXED, **TRACKING}


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


def test_a_match_without_a_word_is_not_one_for_everything(world: Gate) -> None:
    """`-m socket` asks for a socket that is not bound to every address, as those of these ports are."""
    put(world, (("iptables-nft", "-A INPUT -p tcp -m socket -j ACCEPT"), ("iptables-nft", "-P INPUT DROP")))
    said = foretold(world)[0]
    assert {outcome for outcome, _place, _why in said.values()} == {"unknown"}
    # One that waits out its end is a socket, too: that of an earlier connection which had the same numbers.
    tried = [world.tried()[0] for _ in range(2)]
    assert {port for port in tried[0] if "silent" not in {one[port] for one in tried}} == set()


@pytest.mark.parametrize(
    "rule",
    [
        'fib saddr . iif oif "eth0" drop',
        'fib saddr oif != "lo" drop',
        'fib saddr . iif oif vmap { "eth0" : drop }',
        "tcp dport set 1; tcp dport 1 drop",
        "jump { drop; }",
    ],
)
def test_what_nft_asks_and_does_that_is_not_understood_is_unknown(world: Gate, rule: str) -> None:
    put(world, (("nft", f"table inet x {{ chain c {{ type filter hook input priority 0; {rule}; }}; }}"),))
    assert {outcome for outcome, _place, _why in foretold(world)[0].values()} == {"unknown"}
    assert set(world.tried()[0].values()) == {"silent"}


_FEW = "limit rate over 1/day burst 1 packets"


@pytest.mark.parametrize(
    "rules",
    [
        known.nft(
            "table inet x { chain c { type filter hook input priority 0; tcp dport 1-65535 "
            f"{_FEW} drop; }}; }}"
        ),
        known.nft(
            "table inet x { set s { type ipv4_addr; flags dynamic; size 99; }; chain c { type filter hook "
            f"input priority 0; tcp dport 1-65535 add @s {{ ip saddr {_FEW} }} drop; }}; }}"
        ),
        known.nft(
            "table inet x { chain c { type filter hook input priority 0; tcp dport 1-65535 ct count over 4 "
            "drop; }; }"
        ),
        (
            ("iptables-nft", "-A INPUT -p tcp -m limit --limit 3/hour -j ACCEPT"),
            ("iptables-nft", "-A INPUT -p tcp -j DROP"),
        ),
        (
            (
                "iptables-legacy",
                "-A INPUT -p tcp -m hashlimit --hashlimit-above 30/hour --hashlimit-name few "
                "--hashlimit-burst 4 -j DROP",
            ),
        ),
    ],
)
def test_so_few_that_everyday_mail_may_be_too_many_is_unknown(world: Gate, rules: known.RuleSet) -> None:
    put(world, rules)
    assert {outcome for outcome, _place, _why in foretold(world)[0].values()} == {"unknown"}
    assert "silent" in world.tried()[0].values()


def test_a_port_that_is_sent_to_somebody_else(world: Gate, tmp_path: Path) -> None:
    """Nobody is there: mailcow would hear nothing of it either."""
    nobody = max(set(range(60_000, 60_300)) - set(world.ports))
    put(world, (("iptables-nft", f"-t nat -A PREROUTING -p tcp --dport 80 -j REDIRECT --to-ports {nobody}"),))
    assert (world.tried()[0][80], world.tried()[3][80]) == ("refused", "open")
    argv = ["env", f"PYTHONPATH={CHECKOUT}", sys.executable, "-m", "mailcow_wizard", "check"]
    more = ["firewall.local", "--json", "--state-dir", str(tmp_path)]
    (found,) = json.loads(world.server.run([*argv, *more], check=False).stdout)["checks"]
    assert found["status"] == "fail"
    assert f"port 80 is sent on to port {nobody} of this machine, not to mailcow" in found["summary"]
    (remedy,) = [one for one in found["remedies"] if one.startswith("Take that rule out: ")]
    command = remedy.removeprefix("Take that rule out: ").partition(";")[0]
    assert world.server.run(command.split(), check=False).returncode == 0
    assert (world.tried()[0][80], world.tried()[3][80]) == ("open", "open")


def test_of_old_and_new_iptables_the_last_one_translates_and_nothing_tells_which(tmp_path: Path) -> None:
    with or_skip(), gate(some_ports(20, 7)) as fresh:
        fresh.introduce()
        nobody = max(set(range(60_000, 60_300)) - set(fresh.ports))
        add = ["-t", "nat", "-A", "PREROUTING", "-p", "tcp", "--dport", "25", "-j"]
        fresh.server.run(["iptables-nft", *add, "DNAT", "--to-destination", "172.22.1.253"])
        assert fresh.tried()[0][25] == "open"
        fresh.server.run(["iptables-legacy", *add, "REDIRECT", "--to-ports", str(nobody)])
        assert fresh.tried()[0][25] == "refused"
        argv = ["env", f"PYTHONPATH={CHECKOUT}", sys.executable, "-m", "mailcow_wizard", "check"]
        more = ["firewall.local", "--json", "--state-dir", str(tmp_path)]
        (found,) = json.loads(fresh.server.run([*argv, *more], check=False).stdout)["checks"]
        assert found["status"] == "unknown"
        assert "whether iptables-legacy or nftables has its turn first is not known" in found["summary"]


def test_docker_adds_to_a_table_that_iptables_does_not_show_any_more(world: Gate, tmp_path: Path) -> None:
    nobody = max(set(range(60_000, 60_300)) - set(world.ports))
    put(
        world,
        (
            ("iptables-nft", "-t nat -N DOCKER"),
            ("iptables-nft", "-t nat -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER"),
            ("nft", f"insert rule ip nat PREROUTING tcp dport 80 redirect to :{nobody}"),
        ),
    )
    assert "incompatible" in world.server.run(["iptables-nft-save"], check=False).stdout
    argv = ["env", f"PYTHONPATH={CHECKOUT}", sys.executable, "-m", "mailcow_wizard", "check"]
    more = ["firewall.local", "--json", "--state-dir", str(tmp_path)]
    (found,) = json.loads(world.server.run([*argv, *more], check=False).stdout)["checks"]
    assert f"port 80 is sent on to port {nobody} of this machine, not to mailcow" in found["summary"]
    # As Docker does then.
    add = "-t nat -A DOCKER -p tcp --dport 80 -j DNAT --to-destination 172.22.1.253"
    world.server.run(["iptables-nft", *add.split()])
    assert world.tried()[0][80] == "refused"


_STRANGE = "ct status snat tcp dport 1 drop"
_CHANGE = "insert rule ip filter DOCKER-USER iifname eth0 ct status dnat tcp dport 587 drop"


def _without_nft(world: Gate, tmp_path: Path) -> "dict[str, str]":
    """The finding on the same machine where nobody has installed the command nft."""
    nft = world.server.run(["sh", "-c", "command -v nft"]).stdout.strip()
    script = f'mount --bind /dev/null {nft}; exec "$@"'
    argv = [sys.executable, "-m", "mailcow_wizard", "check", "firewall.local", "--json"]
    hidden = ["unshare", "-m", "sh", "-ec", script, "sh", "env", f"PYTHONPATH={CHECKOUT}", *argv]
    said = world.server.run([*hidden, "--state-dir", str(tmp_path)], check=False).stdout
    (found,) = json.loads(said)["checks"]
    return {name: str(found[name]) for name in ("status", "summary")}


def test_without_the_command_nft(world: Gate, tmp_path: Path) -> None:
    """iptables shows its own tables; the kernel says which others there are."""
    put(world, ())
    assert _without_nft(world, tmp_path)["status"] == "pass"
    put(world, (("iptables-nft", "-A INPUT -p tcp --dport 25 -j ACCEPT"), *_shutting("arp")))
    assert _without_nft(world, tmp_path)["status"] == "pass"
    put(world, (("iptables-nft", "-A INPUT -p tcp --dport 25 -j ACCEPT"), *_shutting("inet")))
    assert _without_nft(world, tmp_path) == {
        "status": "unknown",
        "summary": "nftables has rules in inet other that only the command nft shows, and it is missing: "
        "install the package nftables",
    }
    put(world, (("iptables-legacy", "-A INPUT -p tcp --dport 25 -j ACCEPT"), *_shutting("ip")))
    assert "ip other that only" in _without_nft(world, tmp_path)["summary"]
    put(world, (("iptables-nft", "-A INPUT -p tcp --dport 25 -j DROP"),))
    assert _without_nft(world, tmp_path)["summary"].startswith("port 25 is dropped by “-A INPUT -p tcp")


def _shutting(family: str) -> tuple[tuple[str, str], ...]:
    rule = "tcp dport 25 drop" if family != "arp" else "arp operation reply accept"
    chain = f"chain c {{ type filter hook input priority 0; {rule}; }}"
    return (("nft", f"table {family} other {{ {chain}; }}"),)
