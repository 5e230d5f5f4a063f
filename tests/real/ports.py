"""The wizard run somewhere to look at the ports, and the listeners that it should see."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lab import machine
from lab.inside import CHECKOUT, Inside, Text, running

from mailcow_wizard.requirements import PORTS, Port

LISTENER = (sys.executable, "-I", "-S", str(CHECKOUT / "tests/lab/listener.py"))
LISTENER_ON_MACHINE = ("/usr/bin/python3", "-I", "-S", f"{machine.CHECKOUT_INSIDE}/tests/lab/listener.py")
REFUSE_NETLINK = str(CHECKOUT / "tests/lab/refuse_netlink.py")
WIZARD = (sys.executable, "-m", "mailcow_wizard")
IDS = {port.id for port in PORTS}
EXIT_OF = {"pass": 0, "fail": 1, "warn": 2, "unknown": 3}

Finding = dict[str, Any]

# What Docker does for a published port: one socket for IPv4, one for IPv6 alone; it prints what was refused.
BIND_AS_DOCKER = """
import socket, sys
address, port = sys.argv[1], int(sys.argv[2])
wanted = [(socket.AF_INET, address or "0.0.0.0")] + ([] if address else [(socket.AF_INET6, "::")])
for family, where in wanted:
    one = socket.socket(family)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    try:
        one.bind((where, port))
        one.listen()
    except OSError:
        print(where)
"""


class Wizard:
    """Runs the wizard somewhere and reads what it says of the ports."""

    def __init__(self, run: Callable[..., "subprocess.CompletedProcess[str]"], directory: str) -> None:
        """`run` takes the words after `mailcow-wizard`; `directory` is mailcow's."""
        self.run = run
        self.directory = directory

    def check(self, **options: Any) -> dict[str, Finding]:
        """All findings by id; the document, the count and the exit code are always looked at."""
        done = self.run("check", "ports", "--json", "--dir", self.directory, **options)
        assert done.returncode in EXIT_OF.values(), done.stderr
        findings = json.loads(done.stdout)["checks"]
        assert {one["id"] for one in findings} == IDS
        assert len(findings) == len(IDS)
        worst = next(word for word in ("fail", "warn", "unknown", "pass") if _has(findings, word))
        assert done.returncode == EXIT_OF[worst], done.stderr
        return {one["id"]: one for one in findings}

    def port(self, name: str = "smtp", **options: Any) -> Finding:
        """One port's finding."""
        return self.check(**options)[f"ports.{name}"]

    def by_port(self, **options: Any) -> list[tuple[Port, Finding]]:
        """All ports with their findings."""
        findings = self.check(**options)
        return [(port, findings[port.id]) for port in PORTS]

    def plain(self) -> str:
        """The output for screen readers."""
        return str(self.run("check", "ports", "--plain", "--dir", self.directory).stdout)

    def assert_free(self) -> None:
        """Nothing is left of what a test started."""
        findings = self.check()
        assert {one["status"] for one in findings.values()} == {"pass"}, words(*findings.values())


def _has(findings: Sequence[Finding], status: str) -> bool:
    return any(one["status"] == status for one in findings)


def words(*findings: Finding) -> str:
    """Everything that findings say, for a person."""
    return "\n".join(json.dumps(one, ensure_ascii=False) for one in findings)


def configure(mailcow: Path, **values: str) -> None:
    """Writes a mailcow.conf of these values."""
    (mailcow / "mailcow.conf").write_text("".join(f"{key}={value}\n" for key, value in values.items()))


@contextmanager
def listening(place: Inside, *argv: Text, program: Sequence[str] = LISTENER) -> Iterator[int]:
    """The listener with these words, in a place; the pid of the process that was started."""
    with running(place.start([*program, *argv])) as process:
        assert process.stdout
        assert process.stdout.readline() == b"ready\n"
        yield process.pid


def refused(network: Inside, address: str, port: int) -> list[str]:
    """The addresses that the kernel itself refuses to Docker."""
    done = network.run([sys.executable, "-I", "-S", "-c", BIND_AS_DOCKER, address, str(port)], check=True)
    return done.stdout.split()
