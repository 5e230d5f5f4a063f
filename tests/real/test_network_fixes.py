"""Changes of the network, made and taken back by the command line on a server whose network is broken."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lab import outside
from lab.inside import CHECKOUT, wait_until
from lab.outside import World
from lab.skip import or_skip

CONF = "MAILCOW_HOSTNAME=mail.example.org\nIPV4_NETWORK=172.22.1\nENABLE_IPV6=true\n"
# What changes /etc is kept in a place of its own.
_APART = 'mount --make-rprivate / && mount --bind {etc} /etc/sysctl.d && exec "$@"'


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with or_skip(), outside.outside() as made:
        yield made


class Mailcow:
    """A directory of mailcow on the server, and the wizard there."""

    def __init__(self, world: World, root: Path) -> None:
        self.world = world
        self.directory, self.state, self.etc = root / "mailcow", root / "state", root / "sysctl.d"
        for one in (self.directory, self.etc):
            one.mkdir()
        self.conf = self.directory / "mailcow.conf"
        self.conf.write_text(CONF)
        self.conf.chmod(0o600)
        (self.directory / "docker-compose.yml").write_text("services: {}\n")

    def run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """The wizard, to its end."""
        places = ("--dir", str(self.directory), "--state-dir", str(self.state), "--json")
        apart = ("unshare", "--mount", "sh", "-c", _APART.format(etc=self.etc), "sh")
        wizard = (sys.executable, "-m", "mailcow_wizard", *words, *places)
        return self.world.server.run(
            [*apart, "env", f"PYTHONPATH={CHECKOUT}", *wizard], timeout=90, check=False
        )

    def fix(self, check: str, fix: str) -> Any:
        """The change, which has to help."""
        done = self.run("fix", check, fix, "--yes")
        said = json.loads(done.stdout)
        assert said["applied"], said
        assert said["result"]["status"] == "pass", said["result"]
        assert done.returncode == 0
        return said

    def undo(self) -> None:
        """Takes the newest change back."""
        done = self.run("undo", "--yes")
        assert json.loads(done.stdout)["state"] == "undone", done

    def offered(self, check: str) -> list[str]:
        """The ids of what can be done."""
        return [one["id"] for one in json.loads(self.run("fix", check).stdout)["fixes"]]


@pytest.fixture
def mailcow(world: World, tmp_path: Path) -> Mailcow:
    return Mailcow(world, tmp_path)


def test_the_largest_packet(world: World, mailcow: Mailcow) -> None:
    override = mailcow.directory / "docker-compose.override.yml"
    narrow = world.router.run(["ip", "-o", "route", "show", "default"]).stdout.split()[4]
    do, undo = (f"ip link set {narrow} mtu {one}" for one in (1400, 1500))
    with world.changed([do], [undo], where=world.router):
        mailcow.fix("network.mtu", "mtu-override")
        assert 'driver.mtu: "1400"\n' in override.read_text()
        mailcow.undo()
        assert not override.exists()
        mine = "# mine\nservices:\n  dovecot-mailcow:\n    mem_limit: 2g  # small machine\n"
        override.write_text(mine)
        mailcow.fix("network.mtu", "mtu-override")
        assert override.read_text().startswith(mine)
        mailcow.undo()
        assert override.read_text() == mine
        override.write_text("networks: {mailcow-network: {}}\n")
        assert mailcow.offered("network.mtu") == []
    world.server.run(["ip", "route", "flush", "cache"])


def test_mailcows_subnet(world: World, mailcow: Mailcow) -> None:
    up = ["ip link add wg0 type veth peer name wg0far", "ip link set wg0far up", "ip link set wg0 up"]
    up += ["ip route add 172.22.0.0/16 dev wg0"]
    with world.changed(up, ["ip link del wg0"]):
        mailcow.fix("network.subnet", "choose-subnet")
        network = next(
            line for line in mailcow.conf.read_text().splitlines() if line.startswith("IPV4_NETWORK=")
        )
        assert not network.endswith("=172.22.1")
        mailcow.undo()
        assert mailcow.conf.read_text() == CONF


def test_the_healthcheck_is_skipped_only_where_names_are_found(world: World, mailcow: Mailcow) -> None:
    ping = ("icmp type echo-request drop", "icmpv6 type echo-request drop")
    with world.rule(*ping, "udp dport 53 ip daddr != 192.88.99.153 drop"):
        assert mailcow.offered("network.icmp") == []
    with world.rule(*ping):
        said = mailcow.run("fix", "network.icmp", "skip-healthcheck", "--yes", "--subject", "v4")
        result = json.loads(said.stdout)
        assert result["result"]["status"] == "pass", result
        assert "SKIP_UNBOUND_HEALTHCHECK=y\n" in mailcow.conf.read_text()
        mailcow.undo()
        assert mailcow.conf.read_text() == CONF


def test_ipv6_in_mailcow_conf(world: World, mailcow: Mailcow) -> None:
    with world.rule("meta nfproto ipv6 drop"):
        mailcow.fix("network.ipv6", "set-ipv6")
        assert "ENABLE_IPV6=false\n" in mailcow.conf.read_text()
        mailcow.undo()
    assert mailcow.conf.read_text() == CONF


def test_routes_by_advertisement_are_kept(world: World, mailcow: Mailcow) -> None:
    """The kernel keeps the route when forwarding is turned on afterwards, and did not before."""
    name = world.server.run(["ip", "-o", "route", "show", "default"]).stdout.split()[4]
    wire = world.router.run(["ip", "-o", "-6", "route", "show", "2d00:113::/64"]).stdout.split()[2]
    accept = f"/proc/sys/net/ipv6/conf/{name}/accept_ra"
    forwarding = "/proc/sys/net/ipv6/conf/all/forwarding"

    def defaults() -> str:
        return world.server.run(["ip", "-6", "route", "show", "default"]).stdout

    def write(path: str, value: int) -> None:
        world.server.run(["sh", "-c", f"echo {value} > {path}"])

    undo = ["ip -6 route flush proto ra", "ip -6 route add default via 2d00:113::1"]
    with world.changed(["ip -6 route del default"], undo):
        try:
            write(accept, 1)
            program = str(CHECKOUT / "tests" / "lab" / "far_side.py")
            world.router.run(["python3", program, f"advertise {wire} 2d00:113::"])
            assert wait_until(lambda: "proto ra" in defaults(), 5.0)
            mailcow.fix("network.accept-ra", "accept-ra")
            assert world.server.run(["cat", accept]).stdout == "2\n"
            (file,) = mailcow.etc.iterdir()
            assert f"net/ipv6/conf/{name}/accept_ra = 2\n" in file.read_text()
            write(forwarding, 1)
            assert "proto ra" in defaults()
            write(forwarding, 0)
            mailcow.undo()
            assert world.server.run(["cat", accept]).stdout == "1\n"
            assert list(mailcow.etc.iterdir()) == []
        finally:
            write(forwarding, 0)
            write(accept, 1)
