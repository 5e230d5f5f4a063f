"""The ports of a Debian with systemd: packages, units, sockets, users without rights."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest
from lab import machine
from lab.inside import running, wait_until
from lab.machine import Machine

from tests.real.ports import LISTENER_ON_MACHINE, Wizard, listening, words

pytestmark = pytest.mark.real


@pytest.fixture
def inside(booted: Machine) -> Iterator[Wizard]:
    """The wizard on the machine; every port is free before and after."""
    wizard = on_machine(booted)
    wizard.assert_free()
    yield wizard
    assert wait_until(lambda: not booted.run(["ss", "-Hltn"]).stdout.strip(), 60)
    wizard.assert_free()


def on_machine(booted: Machine) -> Wizard:
    """The wizard, run by the machine's own Python."""

    def run(*arguments: str, before: Sequence[str] = ()) -> "subprocess.CompletedProcess[str]":
        return booted.run([*before, "python3", "-m", "mailcow_wizard", *arguments])

    booted.run(["mkdir", "-p", "/srv/mailcow"], check=True)
    return Wizard(run, "/srv/mailcow")


@contextmanager
def active(booted: Machine, *units: str) -> Iterator[None]:
    """Units started, and stopped again."""
    booted.run(["systemctl", "start", *units], check=True)
    try:
        yield
    finally:
        booted.run(["systemctl", "stop", *units], check=True)


def test_postfix(booted: Machine, inside: Wizard) -> None:
    """Debian's postfix runs in an instance of a template, which is what holds the port."""
    with active(booted, "postfix.service"):
        finding = inside.port()
        assert finding["status"] == "fail", words(finding)
        assert "master is listening on port 25" in finding["summary"]
        for said in ("unit postfix@-.service", "package postfix", "user root", "/usr/lib/postfix"):
            assert said in finding["found"], words(finding)


def test_nginx(booted: Machine, inside: Wizard) -> None:
    """One master, four workers, one name."""
    booted.run(
        ["sed", "-i", "s/^worker_processes.*/worker_processes 4;/", "/etc/nginx/nginx.conf"], check=True
    )
    with active(booted, "nginx.service"):
        finding = inside.port("http")
        assert finding["status"] == "fail", words(finding)
        assert finding["summary"].count("nginx is listening") == 1
        assert "and 4 more" in finding["summary"]
        assert "unit nginx.service" in finding["found"]
        assert "package nginx" in finding["found"]


def test_sshd_on_a_port_of_ours(booted: Machine, inside: Wizard) -> None:
    """An administrator hid sshd behind 587; it keeps 22, which is none of ours."""
    booted.write("/etc/ssh/sshd_config.d/ports.conf", "Port 22\nPort 587\n")
    with active(booted, "ssh.service"):
        findings = inside.check()
        assert {key for key, one in findings.items() if one["status"] == "fail"} == {"ports.submission"}
        finding = findings["ports.submission"]
        assert "sshd is listening on port 587" in finding["summary"], words(finding)
        assert "unit ssh.service" in finding["found"]
        assert "package openssh-server" in finding["found"]


def test_udp_is_no_conflict(booted: Machine, inside: Wizard) -> None:
    """A UDP socket on the number of a TCP port is in nobody's way."""
    bound = "s = socket.socket(2, 2); s.bind(('0.0.0.0', 25)); print('ready', flush=True)"
    with running(booted.start(["python3", "-c", f"import socket, time; {bound}; time.sleep(60)"])) as process:
        assert process.stdout
        assert process.stdout.readline() == b"ready\n"
        inside.assert_free()


def test_chrony_is_no_conflict(booted: Machine, inside: Wizard) -> None:
    """The time service that mailcow wants holds none of its ports; -x keeps it off the clock."""
    booted.write("/etc/default/chrony", 'DAEMON_OPTS="-x -F 0"\n')
    with active(booted, "chrony.service"):
        inside.assert_free()


def test_socket_unit_before_its_service(booted: Machine, inside: Wizard) -> None:
    """systemd itself listens for ssh.socket: the unit to stop is the .socket."""
    booted.write("/etc/systemd/system/ssh.socket.d/port.conf", "[Socket]\nListenStream=\nListenStream=465\n")
    booted.run(["systemctl", "daemon-reload"], check=True)
    with active(booted, "ssh.socket"):
        finding = inside.port("smtps")
        assert finding["status"] == "fail", words(finding)
        assert "unit ssh.socket" in finding["found"]
        assert "package systemd" not in finding["found"]
        assert "configuration of ssh.socket" in finding["remedies"][0]  # nobody is locked out


SOCKET_UNIT = "[Socket]\nListenStream=127.0.0.1:143\n"
SERVICE_UNIT = """[Service]
ExecStart=/usr/bin/python3 -c "import socket, time; s = socket.socket(fileno=3); s.accept(); time.sleep(60)"
"""


def test_socket_unit_with_its_service(booted: Machine, inside: Wizard) -> None:
    """After the first connection both hold the socket; stopping the service alone would not free it."""
    booted.write("/etc/systemd/system/lazy.socket", SOCKET_UNIT)
    booted.write("/etc/systemd/system/lazy.service", SERVICE_UNIT)
    booted.run(["systemctl", "daemon-reload"], check=True)
    with active(booted, "lazy.socket"):
        connect = "import socket; socket.create_connection(('127.0.0.1', 143))"
        booted.run(["python3", "-c", connect], check=True)
        assert wait_until(
            lambda: booted.run(["systemctl", "is-active", "lazy.service"]).stdout == "active\n", 5
        )
        finding = inside.port("imap")
        assert finding["status"] == "fail", words(finding)
        assert "lazy.socket" in finding["found"]
        assert "python3" in finding["found"]
        booted.run(["systemctl", "stop", "lazy.socket", "lazy.service"], check=True)


def test_service_of_a_program_without_package(booted: Machine, inside: Wizard) -> None:
    """The unit is named, and no package is made up for a script."""
    booted.run(
        ["systemd-run", "--quiet", "--unit=greedy@one", *LISTENER_ON_MACHINE, "0.0.0.0", "4190"], check=True
    )
    try:
        assert wait_until(lambda: ":4190" in booted.run(["ss", "-Hltn"]).stdout, 60)
        finding = inside.port("sieve")
        assert "unit greedy@one.service" in finding["found"], words(finding)
        assert "package" not in finding["found"]
    finally:
        booted.run(["systemctl", "stop", "greedy@one.service"])


NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--")


def test_without_root(booted: Machine, inside: Wizard) -> None:
    """The port is reported, its process is said to be visible to root only."""
    with listening(booted, "0.0.0.0", "25", program=LISTENER_ON_MACHINE):
        finding = inside.port(before=NOBODY)
        assert finding["status"] == "fail", words(finding)
        assert "unknown process" in finding["summary"]
        assert "root" in finding["found"]


def test_unit_without_root(booted: Machine, inside: Wizard) -> None:
    """The kernel tells everybody the socket's cgroup: the unit is named even where the process is not."""
    with active(booted, "postfix.service"):
        finding = inside.port(before=NOBODY)
        assert finding["status"] == "fail", words(finding)
        assert "postfix@-.service" in finding["found"]


def test_own_process_without_root(booted: Machine, inside: Wizard) -> None:
    """Our own processes can be seen by us."""
    with listening(booted, "0.0.0.0", "4190", program=(*NOBODY, *LISTENER_ON_MACHINE)):
        finding = inside.port("sieve", before=NOBODY)
        assert "user nobody" in finding["found"], words(finding)
        assert "listener.py" in finding["found"]


def test_mailcow_conf_for_root_only(booted: Machine, inside: Wizard) -> None:
    """mailcow.conf holds passwords: where only root may read it, nobody can say which ports it names."""
    booted.write("/srv/mailcow/mailcow.conf", "SMTP_PORT=25\n")
    try:
        booted.run(["chmod", "600", "/srv/mailcow/mailcow.conf"], check=True)
        findings = inside.check(before=NOBODY)
        assert {one["status"] for one in findings.values()} == {"unknown"}, words(*findings.values())
        assert "needs root" in findings["ports.smtp"]["summary"]
    finally:
        booted.run(["rm", "/srv/mailcow/mailcow.conf"], check=True)


def test_service_sandbox_without_netlink(booted: Machine, inside: Wizard) -> None:
    """Run by systemd with RestrictAddressFamilies, the verdict is the same."""
    sandbox = (
        "systemd-run",
        "--quiet",
        "--pipe",
        "--wait",
        "-pRestrictAddressFamilies=AF_UNIX AF_INET AF_INET6",
    )
    path = (
        f"-EPYTHONPATH={machine.CHECKOUT_INSIDE}",
        "-EPYTHONDONTWRITEBYTECODE=1",
        "--",
    )
    with active(booted, "postfix.service"):
        finding = inside.port(before=(*sandbox, *path))
        assert finding["status"] == "fail", words(finding)
        assert "unit postfix@-.service" in finding["found"]


def test_exim(booted_with_exim: Machine) -> None:
    """Debian's exim listens on loopback, which is enough to keep Docker off; started by a SysV script."""
    wizard = on_machine(booted_with_exim)
    finding = wizard.port()
    assert finding["status"] == "fail", words(finding)
    assert "exim4 is listening on 127.0.0.1:25 and [::1]:25" in finding["summary"]
    assert "unit exim4.service" in finding["found"]
    assert "package exim4-daemon-light" in finding["found"]
    booted_with_exim.run(["systemctl", "stop", "exim4.service"], check=True)
    finding = wizard.port()
    assert (finding["status"], finding["summary"]) == (
        "warn",
        "port 25 is free, but exim4.service starts with the machine, and would take it",
    )
    booted_with_exim.run(["systemctl", "disable", "exim4.service"], check=True)
    wizard.assert_free()
