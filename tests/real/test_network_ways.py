"""IPv6 broken in every way, packets that are too large, routes over mailcow's network: real interfaces."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab import outside
from lab.inside import CHECKOUT
from lab.outside import SERVER_V6, World
from lab.skip import or_skip

from tests.real.network_looks import look


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with or_skip(), outside.outside() as made:
        yield made


ADDRESS = f"ip -6 addr add {SERVER_V6}/64 dev {{dev}} nodad"
FLUSH = "ip -6 addr flush dev {dev} scope global"
ROUTE = "ip -6 route add default via 2d00:113::1"


def device(world: World) -> str:
    """The server's interface."""
    return world.server.run(["ip", "-o", "route", "show", "default"]).stdout.split()[4]


@contextlib.contextmanager
def without(world: World, *do: str) -> Iterator[None]:
    """Commands on the server, and its IPv6 as it was before."""
    name = device(world)
    undo = (FLUSH, ADDRESS, "ip -6 route del default", ROUTE)
    with world.changed([one.format(dev=name) for one in do], [one.format(dev=name) for one in undo]):
        yield


BROKEN = [
    (
        "no address",
        ("ip -6 addr flush dev {dev} scope global", "ip -6 route replace default via fe80::1 dev {dev}"),
        "warn",
        "no address",
    ),
    ("no route", ("ip -6 route del default",), "warn", "no default route"),
    ("gateway is not there", ("ip -6 route replace default via 2d00:113::77",), "warn", "leads nowhere"),
    ("route to nowhere", ("ip -6 route replace unreachable default",), "warn", "no default route"),
]


@pytest.mark.parametrize(
    ("do", "status", "words"), [one[1:] for one in BROKEN], ids=[one[0] for one in BROKEN]
)
def test_ipv6_that_is_half_there(world: World, do: tuple[str, ...], status: str, words: str) -> None:
    with without(world, *do):
        seen = look(world, "ipv6", "outbound-25", "icmp", "recursion")
    assert seen.status("ipv6") == status
    assert words in seen.summary("ipv6")
    assert seen.status("outbound-25 v4") == "pass"
    assert seen.status("outbound-25 v6") in ("skipped", "fail", "warn")
    assert seen.seconds < 4.2


OVERLOOKED = {
    "half of all": (("route add 2000::/3 via 2d00:113::1",), ("route del 2000::/3",)),
    "another table": (
        ("route add default via 2d00:113::1 table 77", "rule add lookup 77"),
        ("rule del lookup 77", "route flush table 77"),
    ),
}


@pytest.mark.parametrize("name", OVERLOOKED)
def test_a_way_out_that_mailcow_overlooks(world: World, name: str) -> None:
    there, back = ([f"ip -6 {one}" for one in words] for words in OVERLOOKED[name])
    with world.changed(["ip -6 route del default", *there], [*back, ROUTE]):
        seen = look(world, "ipv6")
        shown = world.server.run(["ip", "-6", "route", "show", "default"]).stdout
    assert not shown
    assert seen.status("ipv6") == "warn"
    assert "no default route: mailcow will take it for missing" in seen.summary("ipv6")
    assert look(world, "ipv6").status("ipv6") == "pass"


def test_ipv6_that_is_switched_off(world: World) -> None:
    name = device(world)
    off = "/proc/sys/net/ipv6/conf/all/disable_ipv6"
    world.server.run(["sh", "-c", f"echo 1 > {off}"])
    try:
        seen = look(world, "ipv6", "icmp", "recursion", "outbound-25", "accept-ra")
    finally:
        world.server.run(["sh", "-c", f"echo 0 > {off}"])
        world.server.run(ADDRESS.format(dev=name).split(), check=False)
        world.server.run(ROUTE.split(), check=False)
    assert seen.status("ipv6") == "pass"
    assert "switched off" in seen.summary("ipv6")
    assert {seen.status(f"{one} v6") for one in ("icmp", "recursion", "outbound-25")} == {"skipped"}


def test_ipv6_that_does_not_pass_and_is_published(world: World, tmp_path: Path) -> None:
    with world.rule("meta nfproto ipv6 drop"):
        seen = look(world, "ipv6")
        assert seen.status("ipv6") == "warn"
        assert "IPv6 leads nowhere" in seen.summary("ipv6")
        (tmp_path / "mailcow.conf").write_text("ENABLE_IPV6=true\n")
        assert look(world, "ipv6", conf=tmp_path).status("ipv6") == "fail"
    with world.published("AAAA", SERVER_V6):
        assert look(world, "ipv6").status("ipv6") == "pass"
        with world.rule("meta nfproto ipv6 drop"):
            seen = look(world, "ipv6")
    assert seen.status("ipv6") == "fail"
    assert f"has an AAAA record ({SERVER_V6})" in seen.summary("ipv6")


MTUS = [(1280, True), (1280, False), (1400, False), (1492, True), (1492, False), (1500, True)]


@pytest.mark.parametrize(("size", "told"), MTUS)
def test_packets_that_are_too_large(world: World, size: int, told: bool) -> None:
    """The narrow place is between the provider and the outside; its reports come back, or are held back."""
    reports = ("icmp type destination-unreachable drop", "icmpv6 type packet-too-big drop")
    narrow = world.router.run(["ip", "-o", "route", "show", "default"]).stdout.split()[4]
    with contextlib.ExitStack() as stack:
        if not told:
            stack.enter_context(world.rule(*reports, hook="output"))
        do, undo = (f"ip link set {narrow} mtu {one}" for one in (size, 1500))
        stack.enter_context(world.changed([do], [undo], where=world.router))
        seen = look(world, "mtu")
    world.server.run(["ip", "route", "flush", "cache"])
    summary = seen.summary("mtu")
    if size == 1500:
        assert seen.status("mtu") == "pass"
        return
    assert seen.status("mtu") == "warn"
    assert f"at most {size} bytes pass" in summary
    assert ("192.88.99.1 reports it" in summary or "2d00:113::1 reports it" in summary) == told
    assert ("nobody reports it" in summary) != told
    assert f'"{size}"' in " ".join(seen.checks["mtu"]["remedies"])
    assert seen.seconds < 4.2


def test_an_interface_that_is_smaller_and_an_override(world: World, tmp_path: Path) -> None:
    name = device(world)
    with world.changed([f"ip link set {name} mtu 1450"], [f"ip link set {name} mtu 1500"]):
        seen = look(world, "mtu", conf=tmp_path)
        assert "at most 1450 bytes pass" in seen.summary("mtu")
        assert "this machine's own interface" in seen.summary("mtu")
        override = tmp_path / "docker-compose.override.yml"
        option = "com.docker.network.driver.mtu"
        text = "networks:\n  mailcow-network:\n    driver_opts:\n      {}: {}\n"
        override.write_text(text.format(option, 1450))
        assert look(world, "mtu", conf=tmp_path).status("mtu") == "pass"
        override.write_text(text.format(option, "'1500'"))
        assert "set to 1500" in look(world, "mtu", conf=tmp_path).summary("mtu")
        override.write_text(text.format(f"# {option}", 1400))
        assert "containers send 1500" in look(world, "mtu", conf=tmp_path).summary("mtu")


ROUTES = [
    ("the same", ["ip route add 172.22.1.0/24 dev wg0"], "fail", "a route over wg0 (a VPN)"),
    ("a part", ["ip route add 172.22.1.128/25 dev wg0"], "fail", "a route over wg0 (a VPN)"),
    ("wider", ["ip route add 172.16.0.0/12 dev wg0"], "warn", "lies within 172.16.0.0/12"),
    ("another table", ["ip route add 172.22.1.0/24 dev wg0 table 51820"], "fail", "table 51820"),
    ("everything", ["ip route add 0.0.0.0/1 dev wg0", "ip route add 128.0.0.0/1 dev wg0"], "pass", "is free"),
    ("beside", ["ip route add 172.22.2.0/24 dev wg0"], "pass", "is free"),
    ("an address", ["ip addr add 172.22.1.7/32 dev wg0"], "fail", "172.22.1.7, an address of this machine"),
]


@pytest.mark.parametrize(
    ("do", "status", "words"), [one[1:] for one in ROUTES], ids=[one[0] for one in ROUTES]
)
def test_routes_over_the_network_of_the_containers(
    world: World, do: list[str], status: str, words: str, tmp_path: Path
) -> None:
    up = ["ip link add wg0 type veth peer name wg0far", "ip link set wg0far up", "ip link set wg0 up", *do]
    with world.changed(up, ["ip link del wg0"]):
        seen = look(world, "subnet", conf=tmp_path)
        assert seen.status("subnet") == status
        assert words in seen.summary("subnet")
        if status == "fail":
            free = seen.checks["subnet"]["remedies"][0].partition("IPV4_NETWORK=")[2].split()[0]
            (tmp_path / "mailcow.conf").write_text(f"IPV4_NETWORK={free}\n")
            assert look(world, "subnet", conf=tmp_path).status("subnet") == "pass"


def test_a_default_route_by_advertisement(world: World) -> None:
    """What we predict is what the kernel does once forwarding is on."""
    name = device(world)
    wire = world.router.run(["ip", "-o", "-6", "route", "show", "2d00:113::/64"]).stdout.split()[2]
    settings = f"/proc/sys/net/ipv6/conf/{name}"

    def advertise() -> None:
        program = str(CHECKOUT / "tests" / "lab" / "far_side.py")
        world.router.run(["python3", program, f"advertise {wire} 2d00:113::"])
        deadline = time.monotonic() + 3
        while time.monotonic() < deadline and "proto ra" not in defaults():
            time.sleep(0.05)

    def defaults() -> str:
        return world.server.run(["ip", "-6", "route", "show", "default"]).stdout

    def forward(value: int) -> None:
        world.server.run(["sh", "-c", f"echo {value} > /proc/sys/net/ipv6/conf/all/forwarding"])

    with without(world, "ip -6 route del default"):
        try:
            for accept, status in ((1, "warn"), (2, "pass")):
                world.server.run(["sh", "-c", f"echo {accept} > {settings}/accept_ra"])
                advertise()
                assert "proto ra" in defaults()
                seen = look(world, "accept-ra")
                assert seen.status("accept-ra") == status, seen.summary("accept-ra")
                forward(1)
                assert ("proto ra" in defaults()) == (status == "pass")
                after = look(world, "accept-ra")
                assert after.status("accept-ra") == ("pass" if status == "pass" else "fail")
                forward(0)
                world.server.run(["ip", "-6", "route", "flush", "proto", "ra"], check=False)
        finally:
            forward(0)
            world.server.run(["sh", "-c", f"echo 1 > {settings}/accept_ra"])
    assert "has gone" not in seen.summary("accept-ra")
