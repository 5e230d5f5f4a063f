"""ufw, firewalld and iptables on a whole machine: foretold, tried, opened, taken back."""

import sys
from collections.abc import Iterator

import pytest
from lab import machine
from lab.gate import BOX, BRIDGE, MAILCOW, SERVER, Gate, gate, some_ports
from lab.inside import wait_until
from lab.machine import CHECKOUT_INSIDE, Machine
from lab.skip import or_skip

from tests.real.firewall_machine import (
    FIREWALLD,
    NFT_FILE,
    PACKAGES,
    PATIENT,
    PATIENT_S,
    STATE,
    UFW,
    does,
    look,
    reached,
    silence,
)
from tests.real.firewall_world import disagreements
from tests.real.mending import Mender, commands, edits, words

pytestmark = pytest.mark.real


def rules_of(debian: Machine, program: str) -> list[str]:
    """What iptables saves, but for remarks and counters."""
    saved = debian.run([f"{program}-save"], check=True).stdout.splitlines()
    return [one.partition(" [")[0] for one in saved if not one.startswith("#")]


PUBLISHED = 2525
"""A port of a container that is none of mailcow's."""


@pytest.fixture(scope="module")
def world() -> Iterator[Gate]:
    with or_skip(), gate(sorted({*some_ports(200, 11), PUBLISHED})) as made:
        yield made


@pytest.fixture(scope="module")
def debian(world: Gate) -> Iterator[Machine]:
    """A Debian 12 on the server's place in the world; no firewall is active, nor Docker."""
    with or_skip(), machine.booted(*PACKAGES, network=f"/run/netns/{world.server.name}") as made:
        up = lambda: made.run(["firewall-cmd", "--state"]).returncode == 0  # noqa: E731
        wait_until(up, 30, pause=0.2)
        silence(made)
        yield made


@pytest.fixture
def clean(world: Gate, debian: Machine) -> Iterator[None]:
    """Before and after: no rules of any program."""
    world.clear()
    yield
    for line in (
        "systemctl stop firewalld",
        "ufw --force reset",
        "firewall-cmd --permanent --load-zone-defaults=public",
    ):
        debian.run(line.split())
    debian.run(["sh", "-c", "rm -rf /etc/firewalld/zones/* /etc/ufw/*.rules.2* /etc/iptables"])
    debian.write(NFT_FILE, "flush ruleset\n")
    world.clear()


@pytest.fixture
def by_iptables(debian: Machine) -> Iterator[None]:
    """firewalld writes rules of iptables instead of nft's."""
    conf = "/etc/firewalld/firewalld.conf"
    debian.run(["sed", "-i", "s/^FirewallBackend=.*/FirewallBackend=iptables/", conf], check=True)
    yield
    debian.run(["systemctl", "stop", "firewalld"])
    debian.run(["sed", "-i", "s/^FirewallBackend=.*/FirewallBackend=nftables/", conf], check=True)


@pytest.fixture
def mender(debian: Machine) -> Mender:
    return Mender(debian, "python3", CHECKOUT_INSIDE, "/opt/mailcow-dockerized", STATE, ("env", PATIENT))


@pytest.mark.usefixtures("clean")
class TestPackets:
    @pytest.mark.long
    def test_ufw(self, world: Gate, debian: Machine) -> None:
        does(debian, UFW)
        assert disagreements(world) == []

    def test_firewalld(self, world: Gate, debian: Machine) -> None:
        does(debian, FIREWALLD)
        assert disagreements(world) == []

    @pytest.mark.long
    @pytest.mark.usefixtures("by_iptables")
    def test_firewalld_by_iptables(self, world: Gate, debian: Machine) -> None:
        does(debian, FIREWALLD)
        assert disagreements(world) == []
        assert look(debian, "backend")["found"].endswith(
            "firewalld writes the rules; no rules of Docker's yet"
        )

    @pytest.mark.long
    def test_both_at_once(self, world: Gate, debian: Machine) -> None:
        does(debian, (*FIREWALLD, *UFW))
        assert disagreements(world) == []
        assert "several programs write rules: ufw and firewalld" in look(debian, "backend")["found"]


@pytest.mark.usefixtures("clean")
class TestOpening:
    def opened(self, world: Gate, mender: Mender, before: set[int]) -> str:
        """Shut as expected, opened, all reached; the change's number."""
        reached(world, before)
        change = str(mender.apply("firewall.local", "open-ports")["change"])
        reached(world, set(MAILCOW))
        return change

    def test_ufw(self, world: Gate, debian: Machine, mender: Mender) -> None:
        does(debian, UFW)
        found = look(debian)
        assert (found["status"], found["severity"]) == ("warn", "advice"), found
        assert "port 25 is dropped by “-A ufw-user-input -p tcp -m tcp --dport 25 -j DROP”" in found["found"]
        assert "containers will be reached past it" in found["found"]
        change = self.opened(world, mender, {80, 143, 4190})
        does(debian, ["ufw reload"])
        reached(world, set(MAILCOW))
        mender.undo(change)
        reached(world, {80, 143, 4190})

    @pytest.mark.long
    def test_firewalld(self, world: Gate, debian: Machine, mender: Mender) -> None:
        does(debian, FIREWALLD[:3])
        does(debian, ["firewall-cmd --permanent --zone=public --add-port=110/tcp"])
        change = self.opened(world, mender, {443, 25, 4190})
        does(debian, ["firewall-cmd --reload"])
        reached(world, set(MAILCOW) - {443, 25, 4190})
        mender.undo(change)
        does(debian, ["firewall-cmd --reload"])
        reached(world, {110})

    @pytest.mark.long
    @pytest.mark.usefixtures("by_iptables")
    def test_firewalld_by_iptables(self, world: Gate, debian: Machine, mender: Mender) -> None:
        does(debian, FIREWALLD[:3])
        change = self.opened(world, mender, {443, 25, 4190})
        does(debian, ["firewall-cmd --reload"])
        reached(world, set(MAILCOW) - {443, 25, 4190})  # those were for now only
        mender.undo(change)
        does(debian, ["firewall-cmd --reload"])
        reached(world, set())

    @pytest.mark.parametrize("kind", ["nft", pytest.param("legacy", marks=pytest.mark.long)])
    def test_iptables(self, world: Gate, debian: Machine, mender: Mender, kind: str) -> None:
        for program in (f"iptables-{kind}", f"ip6tables-{kind}"):
            does(debian, [f"{program} -P INPUT DROP", f"{program} -A INPUT -p tcp --dport 80 -j ACCEPT"])
            does(debian, [f"{program} -A INPUT -p tcp --dport 25 -j DROP"])
            does(debian, [f"{program} -A INPUT -p ipv6-icmp -j ACCEPT"] if "6" in program else [])
            saved = debian.run([f"{program}-save"]).stdout
            debian.write(f"/etc/iptables/rules.v{6 if '6' in program else 4}", saved)
        plan = mender.plan("firewall.local", "open-ports")
        assert edits(plan) == ["/etc/iptables/rules.v4", "/etc/iptables/rules.v6"]
        before = [rules_of(debian, one) for one in (f"iptables-{kind}", f"ip6tables-{kind}")]
        change = self.opened(world, mender, {80})
        world.clear()
        for number, program in ((4, f"iptables-{kind}"), (6, f"ip6tables-{kind}")):
            does(debian, [f"{program}-restore /etc/iptables/rules.v{number}"])
        reached(world, set(MAILCOW))
        mender.undo(change)
        reached(world, {80})
        assert [rules_of(debian, one) for one in (f"iptables-{kind}", f"ip6tables-{kind}")] == before

    def test_iptables_that_nothing_keeps(self, debian: Machine, mender: Mender) -> None:
        does(debian, ["iptables -A INPUT -p tcp --dport 25 -j DROP"])
        plan = mender.plan("firewall.local", "open-ports")
        assert "After a restart of the machine this is gone" in words(plan)
        assert commands(plan)[0].startswith("iptables -I INPUT 1 -p tcp -m multiport --dports 25")


SESSION = "import socket, sys, time; s = socket.create_connection((sys.argv[1], 22)); time.sleep(300)"


@pytest.fixture
def session(world: Gate, debian: Machine) -> Iterator[None]:
    """Somebody outside is connected to the machine's sshd, which waits for a name as long as it takes."""
    debian.write("/etc/ssh/sshd_config.d/lab.conf", "LoginGraceTime 0\n")
    does(debian, ["systemctl start ssh"])
    process = world.outside.start([sys.executable, "-c", SESSION, SERVER[4]])
    listed = ("ss", "-Htnp", "state", "established", "sport", "=", ":22")
    assert wait_until(lambda: "sshd" in debian.run(listed).stdout, 20)
    yield
    process.kill()
    does(debian, ["systemctl stop ssh"])


@pytest.mark.usefixtures("clean", "session")
class TestDisabling:
    BEFORE = ("ufw allow 22", "ufw allow 80/tcp", "ufw --force enable")

    def mender(self, debian: Machine, *settings: str) -> Mender:
        before = ("env", PATIENT, *settings)
        return Mender(debian, "python3", CHECKOUT_INSIDE, "/opt/mailcow-dockerized", STATE, before)

    def off_and_on_again(self, world: Gate, debian: Machine, hasty: Mender) -> None:
        """firewalld: back where nobody confirms, off where somebody does, back when that is undone."""
        ended = hasty.ask("apply", "firewall.local", "disable-firewall")
        assert (ended["state"], ended["error"]) == ("undone", "nobody confirmed within 1 seconds")
        reached(world, set())
        keeping = self.mender(debian, "MEND_KEEP=1")
        made = str(keeping.apply("firewall.local", "disable-firewall")["change"])
        reached(world, set(MAILCOW))
        keeping.undo(made)
        reached(world, set())
        does(debian, ["systemctl disable --now firewalld"])

    def test_taken_back_unless_confirmed(self, world: Gate, debian: Machine) -> None:
        does(debian, self.BEFORE)
        hasty = self.mender(debian, "MEND_CONFIRM=2")
        plan = hasty.plan("firewall.local", "disable-firewall")
        assert "SSH session of 192.88.99.1 on port 22" in words(plan)
        assert (commands(plan), plan["confirm"], plan["risk"]) == (["ufw disable"], 60, "high")
        ended = hasty.ask("apply", "firewall.local", "disable-firewall")
        assert (ended["state"], ended["error"]) == ("undone", "nobody confirmed within 2 seconds")
        assert "confirm -1 2" in ended["log"]
        assert "Status: active" in debian.run(["ufw", "status"]).stdout
        reached(world, {80})

    @pytest.mark.long
    def test_kept(self, world: Gate, debian: Machine) -> None:
        does(debian, self.BEFORE)
        keeping = self.mender(debian, "MEND_KEEP=1")
        change = str(keeping.apply("firewall.local", "disable-firewall")["change"])
        reached(world, set(MAILCOW))
        keeping.undo(change)
        reached(world, {80})

    @pytest.mark.long
    def test_firewalld(self, world: Gate, debian: Machine) -> None:
        does(debian, ["systemctl enable --now firewalld", "firewall-cmd --state"])
        reached(world, set())
        hasty = self.mender(debian, "MEND_CONFIRM=1")
        self.off_and_on_again(world, debian, hasty)

    @pytest.mark.long
    @pytest.mark.usefixtures("by_iptables")
    def test_firewalld_whose_rules_are_among_others(self, world: Gate, debian: Machine) -> None:
        does(debian, ["systemctl start firewalld", "firewall-cmd --state"])
        reached(world, set())
        hasty = self.mender(debian, "MEND_CONFIRM=1")
        plan = hasty.plan("firewall.local", "disable-firewall")
        assert "What is left lets the SSH session" in plan["interrupts"]
        assert "restart fail2ban" in plan["consequence"]
        does(debian, ["iptables -I INPUT -p tcp --dport 22 -j DROP"])  # which somebody else wrote
        plan = hasty.plan("firewall.local", "disable-firewall")
        assert "It is not proved that the SSH session" in plan.get("refused", ""), plan
        does(debian, ["iptables -D INPUT -p tcp --dport 22 -j DROP"])
        self.off_and_on_again(world, debian, hasty)

    def test_what_ufw_leaves_when_it_is_off_filters_nothing(self, world: Gate, debian: Machine) -> None:
        does(debian, self.BEFORE)
        assert look(debian, "backend")["status"] == "warn"
        does(debian, ["ufw --force disable"])
        assert "-j ufw-before-input" in debian.run(["iptables", "-S", "INPUT"]).stdout
        reached(world, set(MAILCOW))
        finding = look(debian, "backend")
        assert (finding["status"], "ufw" in finding["summary"]) == ("pass", False), finding

    def test_not_where_the_session_would_not_come_in_again(self, debian: Machine) -> None:
        does(debian, self.BEFORE)
        does(debian, ["iptables -A INPUT -p tcp --dport 22 -j DROP"])
        refused = self.mender(debian).plan("firewall.local", "disable-firewall")["refused"]
        assert "It is not proved that the SSH session of 192.88.99.1 on port 22 would stay" in refused
        assert "-A INPUT -p tcp -m tcp --dport 22 -j DROP" in refused


def publish(debian: Machine) -> None:
    """What Docker does for containers."""
    for port in (*MAILCOW, PUBLISHED):
        to = f"{BOX[4]}:{25 if port == PUBLISHED else port}"
        match = f"-d {SERVER[4]} -p tcp --dport {port}"
        does(debian, [f"iptables -t nat -A DOCKER {match} -j DNAT --to-destination {to}"])
    for way in ("-i", "-o"):
        debian.run(["iptables", "-D", "FORWARD", way, "br-mailcow", "-j", "ACCEPT"])
        does(debian, [f"iptables -A FORWARD {way} br-mailcow -j ACCEPT"])


def containers(world: Gate, wanted: set[int]) -> None:
    """These ports of containers are reached over IPv4, no others; tried again as above."""
    found = set[int]()
    for seconds in (0.5, PATIENT_S):
        tried = world.tried(seconds)[0]
        found = {port for port in (*MAILCOW, PUBLISHED) if tried[port] == "open"}
        if found == wanted:
            return
    assert found == wanted


@pytest.fixture
def docker(debian: Machine) -> Iterator[None]:
    does(debian, ["systemctl start docker"])
    publish(debian)
    yield
    debian.run(["systemctl", "stop", "docker.service", "docker.socket", "containerd.service"])


@pytest.mark.usefixtures("clean", "docker")
class TestContainers:
    def test_let_through(self, world: Gate, debian: Machine, mender: Mender) -> None:
        does(debian, ["iptables -I DOCKER-USER -i eth0 -j DROP"])
        does(debian, ["iptables -I DOCKER-USER -m conntrack --ctstate ESTABLISHED,RELATED -j RETURN"])
        before = debian.run(["iptables", "-S", "DOCKER-USER"]).stdout
        containers(world, set())
        assert "all 10 ports are dropped by “-A DOCKER-USER -i eth0 -j DROP”" in look(debian)["found"]
        change = str(mender.apply("firewall.local", "docker-user-rules")["change"])
        containers(world, set(MAILCOW))
        does(debian, ["iptables -F DOCKER-USER", "iptables -A DOCKER-USER -i eth0 -j DROP"])
        does(debian, ["systemctl restart docker"])  # as after a restart of the machine
        publish(debian)
        rules = ("iptables", "-S", "DOCKER-USER")
        assert wait_until(lambda: "ctorigdstport 443" in debian.run(rules).stdout, 30)
        containers(world, set(MAILCOW))
        mender.undo(change)
        after = debian.run(["iptables", "-S", "DOCKER-USER"]).stdout.splitlines()
        assert set(after) <= set(before.splitlines())
        containers(world, set())
        assert debian.run(["systemctl", "cat", "mailcow-wizard-docker-user"]).returncode != 0

    def test_the_way_out_is_made_with_the_network(self, debian: Machine) -> None:
        """Docker's own policy, where Docker switched forwarding on, drops what comes from a network that it
        has not made yet."""
        does(debian, ["iptables -D FORWARD -i br-mailcow -j ACCEPT", "iptables -P FORWARD DROP"])
        assert "is dropped by “-P FORWARD DROP”" in look(debian, "backend")["found"]
        does(debian, [f"ip addr del {BRIDGE[4]}/24 dev br-mailcow"])
        try:
            found = look(debian, "backend")
            assert found["status"] == "pass", found["found"]
        finally:
            does(debian, [f"ip addr add {BRIDGE[4]}/24 dev br-mailcow", "iptables -P FORWARD ACCEPT"])

    @pytest.mark.long
    def test_shut(self, world: Gate, debian: Machine, mender: Mender) -> None:
        does(debian, ["ufw allow 22", "ufw --force enable"])
        containers(world, {*MAILCOW, PUBLISHED})
        assert "do not concern what containers publish" in look(debian, "backend")["found"]
        change = str(mender.apply("firewall.backend", "docker-user-rules")["change"])
        containers(world, set(MAILCOW))
        mender.undo(change)
        containers(world, {*MAILCOW, PUBLISHED})
