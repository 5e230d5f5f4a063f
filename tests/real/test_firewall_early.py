"""What decides about packets besides all rules, against real packets: programs and filters at the interface,
routes and rules for them, and rules for bridges."""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from lab.gate import MAILCOW, Gate, gate
from lab.inside import CHECKOUT, wait_until
from lab.netns import Namespace
from lab.skip import or_skip

from tests.real.firewall_world import put

pytestmark = pytest.mark.real

_XDP = str(CHECKOUT / "tests" / "lab" / "xdp.py")
_NAT = "type nat hook prerouting priority dstnat;\ntcp dport 25 dnat to 172.22.1.253"
_TO_BOX = f"table ip nat {{\nchain c {{\n{_NAT}\n}}\n}}\n"


@pytest.fixture(scope="module")
def world() -> Iterator[Gate]:
    with or_skip(), Namespace.create() as aside, gate(MAILCOW) as made:
        made.introduce()
        made.server.run(
            ["ip", "link", "add", "eth1", "type", "veth", "peer", "name", "eth0", "netns", aside.name]
        )
        for place, name, address in ((made.server, "eth1", "10.9.9.1"), (aside, "eth0", "10.9.9.2")):
            place.run(["ip", "link", "set", name, "up"])
            place.run(["ip", "addr", "add", f"{address}/24", "dev", name])
        yield made


def found(world: Gate, tmp_path: Path) -> dict[str, Any]:
    argv = ["env", f"PYTHONPATH={CHECKOUT}", sys.executable, "-m", "mailcow_wizard", "check"]
    more = ["firewall.local", "--json", "--state-dir", str(tmp_path)]
    (one,) = json.loads(world.server.run([*argv, *more], check=False).stdout)["checks"]
    return dict(one)


def arrives(world: Gate, family: int = 4) -> bool:
    """Whether port 25 answers."""
    return world.tried()[0 if family == 4 else 3][25] == "open"


@contextmanager
def changed(world: Gate, do: Sequence[str], undo: Sequence[str]) -> Iterator[None]:
    try:
        for line in do:
            world.server.run(line.split())
        yield
    finally:
        for line in undo:
            world.server.run(line.split())


@pytest.fixture(autouse=True)
def _before_and_after(world: Gate, tmp_path: Path) -> Iterator[None]:
    world.clear()
    yield
    world.clear()
    assert arrives(world)
    assert found(world, tmp_path)["status"] == "pass"


@pytest.mark.parametrize(("does", "comes"), [("drop", False), ("pass", True)])
def test_a_program_at_the_interface(world: Gate, tmp_path: Path, does: str, comes: bool) -> None:
    """What it does nobody can read."""
    process = world.server.start([sys.executable, _XDP, "eth0", does])
    try:
        shown = ["ip", "link", "show", "dev", "eth0"]
        if not wait_until(lambda: "xdp" in world.server.run(shown).stdout, 10):
            pytest.skip("this kernel binds no program to an interface")
        assert arrives(world) is comes
        one = found(world, tmp_path)
        assert (one["status"], "a program at eth0 (XDP) sees them first" in one["summary"]) == (
            "unknown",
            True,
        )
    finally:
        process.kill()
        process.wait()


_STEALS = "protocol ip u32 match ip dport 25 0xffff action mirred egress redirect dev eth1"
_SHAPES = "protocol ip u32 match ip dport 26 0xffff action mirred egress mirror dev eth1"


@pytest.mark.parametrize(
    ("does", "comes", "status"),
    [(_STEALS, False, "unknown"), ("bpf da bytecode 1,6#0#0#2", False, "unknown"), (_SHAPES, True, "pass")],
)
def test_a_filter_at_the_interface(world: Gate, tmp_path: Path, does: str, comes: bool, status: str) -> None:
    words = [one.replace("#", " ") for one in does.split()]
    with changed(world, ["tc qdisc add dev eth0 clsact"], ["tc qdisc del dev eth0 clsact"]):
        if world.server.run(
            ["tc", "filter", "add", "dev", "eth0", "ingress", *words], check=False
        ).returncode:
            pytest.skip("this kernel has no such filter")
        assert arrives(world) is comes
        one = found(world, tmp_path)
    assert one["status"] == status, one["summary"]
    assert status == "pass" or "a filter at eth0 (tc) sees them first" in one["summary"]


_ASIDE = (
    "ip rule add not fwmark 51820 lookup 51820 pref 100",
    "ip route add default via 10.9.9.2 dev eth1 table 51820",
)
_BACK = ("ip rule del pref 100", "ip route flush table 51820", "sysctl -qw net.ipv4.conf.eth0.rp_filter=0")


@pytest.mark.parametrize(
    ("strict", "status", "words"),
    [
        (0, "unknown", "packets come in by eth0, and answers leave by eth1"),
        (1, "fail", "are dropped before all rules: the way back to the world leads elsewhere"),
        (2, "unknown", "packets come in by eth0, and answers leave by eth1"),
    ],
)
def test_answers_that_leave_by_another_interface(
    world: Gate, tmp_path: Path, strict: int, status: str, words: str
) -> None:
    """As a tunnel for all that leaves has it (wg-quick)."""
    with changed(world, (*_ASIDE, f"sysctl -qw net.ipv4.conf.eth0.rp_filter={strict}"), _BACK):
        assert not arrives(world)
        one = found(world, tmp_path)
    assert (one["status"], words in one["summary"]) == (status, True), one["summary"]


@pytest.mark.parametrize("kind", ["blackhole", "unreachable", "prohibit"])
@pytest.mark.parametrize(("family", "address"), [(4, "192.88.99.10"), (6, "2d00:113::10")])
def test_answers_that_a_rule_for_routes_stops(
    world: Gate, tmp_path: Path, kind: str, family: int, address: str
) -> None:
    rule = f"ip -{family} rule"
    with changed(world, [f"{rule} add from {address} {kind} pref 100"], [f"{rule} del pref 100"]):
        assert not arrives(world, family)
        one = found(world, tmp_path)
    assert one["status"] == ("fail" if family == 4 else "warn")
    assert f"answers from {address} are stopped by a route, or a rule for routes" in one["summary"]


@pytest.mark.parametrize("kind", ["blackhole", "unreachable", "prohibit"])
@pytest.mark.parametrize("family", [4, 6])
def test_what_comes_in_is_stopped_by_a_rule_for_routes(
    world: Gate, tmp_path: Path, kind: str, family: int
) -> None:
    """One that is asked before this machine's own addresses are, as those who move that rule have it."""
    rule = f"ip -{family} rule"
    moved = (f"{rule} add lookup local pref 200", f"{rule} del pref 0")
    back = (f"{rule} add lookup local pref 0", f"{rule} del pref 200")
    with changed(world, (*moved, f"{rule} add iif eth0 {kind} pref 100"), (f"{rule} del pref 100", *back)):
        assert not arrives(world, family)
        one = found(world, tmp_path)
    assert one["status"] == ("fail" if family == 4 else "warn")
    assert "packets that come in by eth0 are stopped by a route, or a rule for routes" in one["summary"]


@pytest.mark.parametrize(
    ("hook", "port", "status"),
    [("output", 25, "unknown"), ("input", 25, "unknown"), ("output", 26, "pass"), ("forward", 25, "pass")],
)
def test_rules_for_bridges(world: Gate, tmp_path: Path, hook: str, port: int, status: str) -> None:
    """A packet to a container leaves over Docker's bridge, and its answer comes in by it."""
    side = "sport" if hook == "input" else "dport"
    rule = f"chain c {{\ntype filter hook {hook} priority 0;\ntcp {side} {port} drop\n}}"
    put(world, (("nft", f"{_TO_BOX}table bridge x {{\n{rule}\n}}\n"),))
    assert arrives(world) is (status == "pass")
    one = found(world, tmp_path)
    assert one["status"] == status, one["summary"]
    assert status == "pass" or "what rules for bridges do with it is not known" in one["summary"]
