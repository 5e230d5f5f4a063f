"""A firewall switched off over a real SSH session: kept where it answers, taken back where it was cut."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab import machine
from lab.gate import MAILCOW, SERVER, Gate, gate
from lab.inside import end, wait_until
from lab.machine import CHECKOUT_INSIDE, Machine
from lab.skip import or_skip

from tests.real.firewall_machine import silence

pytestmark = pytest.mark.real

STATE = "/var/lib/mailcow-wizard"
FIX = f"fix firewall.local disable-firewall --state-dir {STATE}"
COMMAND = f"cd {CHECKOUT_INSIDE} && python3 -m mailcow_wizard {FIX}"
CUT = "table inet cut { chain out { type filter hook output priority 0; tcp dport 22 drop; }; }"


@pytest.fixture(scope="module")
def world() -> Iterator[Gate]:
    with or_skip(), gate(MAILCOW, box=False) as made:
        yield made


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("ssh") / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(place)], check=True)
    return place


@pytest.fixture
def debian(world: Gate, key: Path) -> Iterator[Machine]:
    """ufw lets nobody in but to SSH."""
    packages = ("docker.io", "iptables", "nftables", "ufw", "firewalld")
    with or_skip(), machine.booted(*packages, network=f"/run/netns/{world.server.name}") as made:
        silence(made)
        world.clear()
        made.write("/root/.ssh/authorized_keys", key.with_suffix(".pub").read_text())
        for line in ("ufw allow 22", "ufw --force enable", "systemctl start ssh"):
            made.run(line.split(), check=True)
        yield made
        world.outside.run(["nft", "flush", "ruleset"])
    world.clear()


class Session:
    """The wizard in an SSH session from outside."""

    def __init__(self, world: Gate, key: Path) -> None:
        options = (
            *("StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR"),
            *("BatchMode=yes", f"IdentityFile={key}"),
        )
        ssh = ["ssh", "-tt", *(word for one in options for word in ("-o", one)), f"root@{SERVER[4]}", COMMAND]
        self._log = key.with_suffix(".log")
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                ["ip", "netns", "exec", world.outside.name, *ssh],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
            )

    @property
    def said(self) -> str:
        return self._log.read_text(errors="replace")

    def answer(self, question: str, word: str) -> None:
        """Waits for the question."""
        self.asked(question)
        assert self.process.stdin
        self.process.stdin.write(f"{word}\n".encode())
        self.process.stdin.flush()

    def asked(self, question: str) -> None:
        assert wait_until(lambda: question in self.said, 60), self.said


@pytest.fixture
def session(world: Gate, key: Path, debian: Machine) -> Iterator[Session]:
    made = Session(world, key)
    yield made
    end(made.process)


def open_ports(world: Gate) -> set[int]:
    return {port for port, how in world.tried(2.0)[0].items() if how == "open"}


def is_active(debian: Machine) -> bool:
    return "Status: active" in debian.run(["ufw", "status"]).stdout


def test_answered(world: Gate, debian: Machine, session: Session) -> None:
    assert open_ports(world) == set()
    session.answer("Do this?", "y")
    session.answer("Keep it?", "y")
    assert session.process.wait(60) == 0, session.said
    assert "SSH session of 192.88.99.1 on port 22 (yours)" in session.said
    assert not is_active(debian)
    assert open_ports(world) == set(MAILCOW)


@pytest.mark.long
@pytest.mark.parametrize("how", ["line", "client"])
def test_cut(how: str, world: Gate, debian: Machine, session: Session) -> None:
    session.answer("Do this?", "y")
    session.asked("Keep it?")
    begun = time.monotonic()
    assert not is_active(debian)
    assert open_ports(world) == set(MAILCOW)
    if how == "line":
        world.outside.run(["nft", "-f", "-"], text=CUT)
    else:
        session.process.kill()
    assert wait_until(lambda: is_active(debian), 90, pause=0.5), session.said
    assert time.monotonic() - begun > 50
    assert open_ports(world) == set()
    listed = debian.wizard("undo", "--list", "--state-dir", STATE)
    assert "Switch ufw off" in listed.stdout
