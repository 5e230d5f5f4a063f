"""DOCKER-USER with an engine of today, as systemd runs it: real containers behind IPv4 and IPv6, shut and let
through, over restarts of Docker and of the machine."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab import engine, machine
from lab.gate import MAILCOW, OUTSIDE, SERVER, Gate, gate
from lab.inside import wait_until
from lab.machine import CHECKOUT_INSIDE, Machine
from lab.skip import or_skip

from tests.real.firewall_machine import PACKAGES, PATIENT, STATE, look, silence
from tests.real.mending import Mender

pytestmark = pytest.mark.real

PUBLISHED = 2525
"""A port of a container that is none of mailcow's."""
MORE = 4711
UNIT = "mailcow-wizard-docker-user"
_ALL = (*MAILCOW, PUBLISHED)
_DROP = "-I DOCKER-USER -i eth0 -m conntrack --ctdir ORIGINAL -j DROP"
_QUICK_S, _PATIENT_S = 0.7, 5.0
_DOCKER = """[Unit]
After=network.target
[Service]
Type=notify
Environment=PATH=/opt/engine/usr/bin:/opt/engine/usr/sbin:/usr/sbin:/usr/bin:/sbin:/bin
ExecStart=/opt/engine/usr/sbin/dockerd
Delegate=yes
KillMode=process
[Install]
WantedBy=multi-user.target
"""
# The machine's network outlives its end here; a kernel that starts has no rules yet.
_FRESH = """[Unit]
DefaultDependencies=no
Before=network-pre.target ufw.service docker.service basic.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/nft flush ruleset
[Install]
WantedBy=sysinit.target
"""
_NETWORK = (
    *("docker", "network", "create", "--ipv6", "--subnet", "172.22.1.0/24"),
    *("--subnet", "fd4d:6169:6c63:6f77::/64", "-o", "com.docker.network.bridge.name=br-mailcow", "mailcow"),
)
_LISTEN = "for port in {ports}; do /bin/busybox nc -ll -p $port -e /bin/busybox echo . & done; wait"


@pytest.fixture(scope="module")
def world() -> Iterator[Gate]:
    with or_skip(), gate(_ALL, box=False, listening=False) as made:
        yield made


@pytest.fixture(scope="module")
def debian(world: Gate, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A machine that boots again after a power cut, with a running container that publishes every port."""
    with or_skip():
        lent = {str(engine.unpacked(engine.SUITES[1])): "/opt/engine"}
        picture = engine.picture(tmp_path_factory.mktemp("image"))
        lent[str(picture.parent)] = "/srv/image"
        network = f"/run/netns/{world.server.name}"
        with machine.booted(*PACKAGES, network=network, lent=lent, again=True) as made:
            silence(made)
            made.write("/etc/systemd/system/docker.service", _DOCKER)
            made.write("/etc/systemd/system/fresh.service", _FRESH)
            made.run(["ln", "-s", "/opt/engine/usr/bin/docker", "/usr/local/bin/docker"], check=True)
            made.run(["systemctl", "daemon-reload"], check=True)
            made.run(["systemctl", "enable", "fresh.service"], check=True)
            made.run(["systemctl", "enable", "--now", "docker.service"], check=True)
            _run(made)
            yield made


def _run(debian: Machine) -> None:
    debian.run(["docker", "import", "/srv/image/image.tar", engine.IMAGE], check=True)
    debian.run(_NETWORK, check=True)
    ports = [word for port in _ALL for word in ("-p", f"{port}:{port}")]
    begin = ["docker", "run", "-d", "--name", "mail", "--network", "mailcow", "--restart", "always"]
    begin += ["--stop-timeout", "1", "--label", "com.docker.compose.service=postfix-mailcow", *ports]
    script = _LISTEN.format(ports=" ".join(map(str, _ALL)))
    debian.run([*begin, engine.IMAGE, "/bin/busybox", "sh", "-c", script], check=True)


@pytest.fixture
def clean(world: Gate, debian: Machine) -> Iterator[None]:
    """Before and after: what Docker makes, and nothing else."""
    for program in ("iptables", "ip6tables"):
        debian.run([program, "-F", "DOCKER-USER"])
    reached(world, set(_ALL))
    yield
    debian.run(["ufw", "--force", "reset"])
    for program in ("iptables", "ip6tables"):
        debian.run([program, "-F", "DOCKER-USER"])


@pytest.fixture
def mender(debian: Machine) -> Mender:
    return Mender(debian, "python3", CHECKOUT_INSIDE, "/opt/mailcow-dockerized", STATE, ("env", PATIENT))


def reached(world: Gate, wanted: set[int], wanted6: set[int] | None = None) -> None:
    """These ports of the container are reached, over IPv4 and IPv6; tried again with patience."""
    goal = {4: wanted, 6: wanted if wanted6 is None else wanted6}
    found: dict[int, set[int]] = {}

    def as_wanted(seconds: float) -> bool:
        tried = world.tried(seconds)
        for family, row in ((4, tried[0]), (6, tried[len(OUTSIDE[4])])):
            found[family] = {port for port in _ALL if row[port] == "open"}
        return found == goal

    if not as_wanted(_QUICK_S):
        wait_until(lambda: as_wanted(_PATIENT_S), 30)
    assert found == goal


def knocked(world: Gate) -> list[str]:
    """What becomes of a connection to the container that was published later, over IPv4 and IPv6."""
    ways = [f"{OUTSIDE[family][0]}>{SERVER[family]}" for family in (4, 6)]
    script = str(Path(__file__).parents[1] / "lab" / "knocking.py")
    said = world.outside.run([sys.executable, script, "try", "2", *ways, str(MORE)]).stdout
    return [one[str(MORE)] for one in json.loads(said)]


def user_rules(debian: Machine, program: str) -> str:
    return debian.run([program, "-S", "DOCKER-USER"]).stdout


def restart(debian: Machine) -> None:
    """Docker, and with it the container."""
    debian.run(["systemctl", "restart", "docker"], timeout=240, check=True)


def both(debian: Machine, rule: str) -> None:
    for program in ("iptables", "ip6tables"):
        debian.run([program, *rule.split()], check=True)


@pytest.mark.usefixtures("clean")
class TestDockerUser:
    def test_it_is_an_engine_of_today(self, debian: Machine) -> None:
        version = debian.run(["docker", "version", "-f", "{{.Server.Version}}"]).stdout
        assert int(version.partition(".")[0]) >= 27, version
        assert "-N DOCKER-USER" in user_rules(debian, "ip6tables")

    def test_let_through(self, world: Gate, debian: Machine, mender: Mender) -> None:
        both(debian, _DROP)
        reached(world, set())
        found = look(debian, "local")
        assert found["status"] == "fail", found
        before = [user_rules(debian, program) for program in ("iptables", "ip6tables")]
        change = str(mender.apply("firewall.local", "docker-user-rules")["change"])
        reached(world, set(MAILCOW))
        restart(debian)
        reached(world, set(MAILCOW))
        mender.undo(change)
        assert [user_rules(debian, program) for program in ("iptables", "ip6tables")] == before
        reached(world, set())

    def test_somebody_empties_the_table_nat(self, world: Gate, debian: Machine) -> None:
        """Docker's proxy goes on taking connections, so that ports say nothing of it."""
        debian.run(["iptables", "-t", "nat", "-F"], check=True)
        try:
            reached(world, set(_ALL))
            found = look(debian, "backend")
            assert (found["status"], found["severity"]) == ("fail", "breaks"), found
            assert "(port 25, 465 and 587, over IPv4); its proxy takes them" in found["summary"], found
        finally:
            restart(debian)
        reached(world, set(_ALL))
        assert look(debian, "backend")["status"] == "pass"

    @pytest.mark.parametrize(
        ("setting", "open4", "open6", "status", "words"),
        [
            ("net.ipv4.ip_forward", (), _ALL, "fail", "to containers (net.ipv4.ip_forward is 0)"),
            ("net.ipv4.conf.eth0.forwarding", (), _ALL, "fail", "(net.ipv4.conf.eth0.forwarding is 0)"),
            ("net.ipv4.conf.br-mailcow.forwarding", (), _ALL, "fail", "conf.br-mailcow.forwarding is 0)"),
            ("net.ipv6.conf.all.forwarding", _ALL, (), "warn", "over IPv6 the kernel does not pass packets"),
        ],
    )
    def test_the_kernel_passes_nothing_on(
        self,
        world: Gate,
        debian: Machine,
        setting: str,
        open4: tuple[int, ...],
        open6: tuple[int, ...],
        status: str,
        words: str,
    ) -> None:
        """As a list of settings for hardening has it that is loaded after Docker's start."""
        debian.run(["sysctl", "-w", f"{setting}=0"], check=True)
        try:
            reached(world, set(open4), set(open6))
            found = look(debian, "local")
            assert found["status"] == status, found
            assert words in found["summary"], found
            assert look(debian, "backend")["status"] == ("fail" if status == "fail" else "pass")
        finally:
            debian.run(["sysctl", "-w", f"{setting}=1"], check=True)
        reached(world, set(_ALL))
        assert look(debian, "local")["status"] == "pass"

    def test_only_ipv6_is_shut(self, world: Gate, debian: Machine, mender: Mender) -> None:
        debian.run(
            [
                "ip6tables",
                "-I",
                "DOCKER-USER",
                "-i",
                "eth0",
                "-m",
                "conntrack",
                "--ctdir",
                "ORIGINAL",
                "-j",
                "DROP",
            ],
            check=True,
        )
        reached(world, set(_ALL), set())
        found = look(debian, "local")
        assert (found["status"], "over IPv6" in found["summary"]) == ("warn", True), found
        change = str(mender.apply("firewall.local", "docker-user-rules")["change"])
        reached(world, set(_ALL), set(MAILCOW))
        mender.undo(change)
        reached(world, set(_ALL), set())

    def test_shut(self, world: Gate, debian: Machine, mender: Mender) -> None:
        for line in ("ufw allow 22", "ufw --force enable"):
            debian.run(line.split(), check=True)
        restart(debian)
        reached(world, set(_ALL))
        assert "do not concern what containers publish" in look(debian, "backend")["found"]
        # What is published already stays: a container more is what shall be shut.
        change = str(mender.apply("firewall.backend", "docker-user-rules")["change"])
        reached(world, set(_ALL))
        more = ["docker", "run", "-d", "--name", "more", "--network", "mailcow", "-p", f"{MORE}:25"]
        listen = ["nc", "-ll", "-p", "25", "-e", "/bin/busybox", "echo", "."]
        debian.run([*more, engine.IMAGE, "/bin/busybox", *listen], check=True)
        try:
            assert knocked(world) == ["silent", "silent"]
            self.moved(world, debian, mender)
            assert knocked(world) == ["silent", "silent"]
            mender.undo(change)
            assert wait_until(lambda: knocked(world) == ["open", "open"], 30)
        finally:
            debian.run(["docker", "rm", "-f", "more"])

    def moved(self, world: Gate, debian: Machine, mender: Mender) -> None:
        """One of mailcow's own ports becomes another one: the same unit lets it pass, and goes back."""
        conf = "/opt/mailcow-dockerized/mailcow.conf"
        debian.write(conf, f"HTTP_PORT={MORE}\n")
        before = [user_rules(debian, program) for program in ("iptables", "ip6tables")]
        try:
            assert [one["id"] for one in look(debian, "local")["fixes"]] == ["docker-user-rules"]
            change = str(mender.apply("firewall.local", "docker-user-rules")["change"])
            assert wait_until(lambda: knocked(world) == ["open", "open"], 30)
            assert "-j DROP" in user_rules(debian, "iptables")
            mender.undo(change)
            assert [user_rules(debian, program) for program in ("iptables", "ip6tables")] == before
        finally:
            debian.run(["rm", "-f", conf])

    def test_over_a_start_of_the_machine(self, world: Gate, debian: Machine, mender: Mender) -> None:
        """Rules that the administrator keeps are loaded before Docker starts; ours come after it."""
        both(debian, _DROP)
        kept = "[Unit]\nBefore=docker.service\nAfter=fresh.service\n[Service]\nType=oneshot\n"
        for program in ("iptables", "ip6tables"):
            kept += f"ExecStart=/usr/sbin/{program} -N DOCKER-USER\n"
            kept += f"ExecStart=/usr/sbin/{program} {_DROP}\n"
        debian.write("/etc/systemd/system/kept.service", f"{kept}[Install]\nWantedBy=multi-user.target\n")
        debian.run(["systemctl", "enable", "kept.service"], check=True)
        change = str(mender.apply("firewall.local", "docker-user-rules")["change"])
        reached(world, set(MAILCOW))
        debian.power_cut()
        active = ["systemctl", "is-active", UNIT]
        assert wait_until(lambda: debian.run(active).stdout.strip() == "active", 60, 0.2)
        reached(world, set(MAILCOW))
        assert look(debian, "local")["status"] == "pass"
        debian.run(["systemctl", "disable", "kept.service"], check=True)
        mender.undo(change)
        reached(world, set())

    @pytest.mark.long
    def test_firewalld_that_takes_docker_s_rules_along(
        self, world: Gate, debian: Machine, mender: Mender
    ) -> None:
        """By iptables both write into the same tables: each start and reload of firewalld empties them."""
        conf = "/etc/firewalld/firewalld.conf"
        debian.run(["sed", "-i", "s/^FirewallBackend=.*/FirewallBackend=iptables/", conf], check=True)
        try:
            debian.run(["systemctl", "start", "firewalld"], check=True)
            # systemd calls it started before its rules are there.
            assert wait_until(lambda: debian.run(["firewall-cmd", "--state"]).returncode == 0, 30)
            found = look(debian, "backend")
            assert found["status"] == "fail", str(found)
            assert found["summary"].startswith("containers run and Docker's firewall rules are gone"), found
            restart(debian)
            reached(world, set(_ALL))
            found = look(debian, "backend")
            assert (found["status"], "rules are gone" in found["found"]) == ("warn", False), found
            plan = mender.plan("firewall.backend", "docker-user-rules")
            assert "firewall-cmd --reload takes these rules along" in plan["consequence"]
            change = str(mender.apply("firewall.backend", "docker-user-rules")["change"])
            debian.run(["firewall-cmd", "--reload"], check=True)
            there = lambda: "ctorigdstport" in user_rules(debian, "iptables")  # noqa: E731
            assert wait_until(lambda: not there(), 30)
            restart(debian)
            assert wait_until(there, 60)
            assert look(debian, "backend")["status"] == "pass"
            mender.undo(change)
        finally:
            debian.run(["systemctl", "stop", "firewalld"])
            debian.run(["sed", "-i", "s/^FirewallBackend=.*/FirewallBackend=nftables/", conf], check=True)
            restart(debian)
