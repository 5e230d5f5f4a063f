"""Services of a real systemd in a port's way: each is stopped in its own manner, and comes back as it was."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from lab import machine
from lab.inside import wait_until
from lab.machine import Machine

from mailcow_wizard.fixes.port_units import read_again
from tests.real.mending import Mender, Snapshot, commands, edits, snapshot, words
from tests.real.ports import LISTENER_ON_MACHINE
from tests.real.units import INSTALL, LISTENER, OWN, SERVICE, listens, mending_on, running, states

pytestmark = pytest.mark.real

LAZY_SOCKET = "[Socket]\nListenStream=127.0.0.1:143\n[Install]\nWantedBy=sockets.target\n"
LAZY_SERVICE = """[Service]
ExecStart=/usr/bin/python3 -c "import socket, time; s = socket.socket(fileno=3); s.accept(); time.sleep(60)"
"""
CONNECT = "import socket; socket.create_connection(('127.0.0.1', 143))"


@pytest.fixture
def mender(booted: Machine) -> Iterator[Mender]:
    """Fixes on the machine."""
    with mending_on(booted) as found:
        yield found


@pytest.mark.long
def test_postfix_is_stopped_with_the_service_that_holds_the_switch(booted: Machine, mender: Mender) -> None:
    """Debian runs it as an instance, and systemctl returns before its port is free."""

    def look() -> Snapshot:
        return snapshot(booted, "postfix.service", "postfix@-.service")

    with running(booted, "postfix.service"):
        assert mender.offered("ports.smtp") == ["stop-service", "loopback-mta", "remove-package"]
        plan = mender.plan("ports.smtp", "stop-service")
        assert commands(plan) == ["systemctl disable --now postfix.service"]
        assert plan["settle"] > 5
        mender.there_and_back("ports.smtp", "stop-service", look)


def test_queued_mail_is_told_before_postfix_is_stopped(booted: Machine, mender: Mender) -> None:
    """What waits is counted; then keeping postfix comes first, and stopping it costs more."""
    with running(booted, "postfix.service"):
        assert mender.risk("ports.smtp", "stop-service") == "low"
        booted.run(["postconf", "-e", "defer_transports=smtp"], check=True)
        booted.run(["postfix", "reload"], check=True)
        for _ in range(2):
            booted.run(["sh", "-c", "echo hello | sendmail someone@example.com"], check=True)
        waiting = lambda: booted.run(["postqueue", "-j"]).stdout.count("\n") == 2  # noqa: E731
        assert wait_until(waiting, 60)
        assert mender.offered("ports.smtp")[:2] == ["loopback-mta", "stop-service"]
        assert mender.risk("ports.smtp", "stop-service") == "medium"
        said = words(mender.plan("ports.smtp", "stop-service"))
        assert "2 messages wait in the queue" in said
        assert "/var/spool/postfix" in said
        mender.undo(mender.apply("ports.smtp", "stop-service")["change"])
        assert waiting()
        booted.run(["postsuper", "-d", "ALL"])
        booted.run(["postconf", "-X", "defer_transports"], check=True)


def test_postfix_stays_for_the_machines_own_mail(booted: Machine, mender: Mender) -> None:
    """Its listeners off, its relay mailcow, its name not mailcow's; it takes mail from programs here."""
    booted.run(["postconf", "-e", "myhostname=mail.example.org"], check=True)
    booted.write("/srv/mailcow/mailcow.conf", "MAILCOW_HOSTNAME=mail.example.org\nIPV4_NETWORK=172.30.5\n")
    booted.run(["postconf", "-M", "submission/inet=submission inet n - y - - smtpd"], check=True)
    booted.run(["postconf", "-P", "submission/inet/syslog_name=postfix/submission"], check=True)

    def kept() -> None:
        said = booted.run(["postconf", "-h", "inet_interfaces", "relayhost", "myhostname"]).stdout.split()
        assert said == ["loopback-only", "[172.30.5.253]", "local.mail.example.org"]
        assert booted.run(["systemctl", "is-active", "postfix@-.service"]).stdout.strip() == "active"
        assert not booted.run(["ss", "-Hltn"]).stdout.strip()
        booted.run(["sh", "-c", "echo hello | sendmail someone@example.com"], check=True)
        assert wait_until(lambda: "someone@example.com" in booted.run(["postqueue", "-j"]).stdout, 60)
        booted.run(["postsuper", "-d", "ALL"])

    with running(booted, "postfix.service"):
        plan = mender.plan("ports.smtp", "loopback-mta")
        assert edits(plan) == ["/etc/postfix/main.cf", "/etc/postfix/master.cf"]
        assert commands(plan)[-2:] == ["postfix check", "systemctl restart postfix.service"]
        mender.there_and_back(
            "ports.submission", "loopback-mta", lambda: snapshot(booted, "postfix.service"), kept
        )
    booted.run(["postconf", "-MX", "submission/inet"], check=True)


@pytest.mark.long
def test_a_postfix_that_was_stopped_since_stays_stopped(booted: Machine, mender: Mender) -> None:
    """Taking back restores its files; whether it runs is its administrator's."""
    with running(booted, "postfix.service"):
        before = booted.run(["cat", "/etc/postfix/main.cf"]).stdout
        change = mender.apply("ports.smtp", "loopback-mta")["change"]
        booted.run(["systemctl", "disable", "--now", "postfix.service"], check=True)
        mender.undo(change)
        assert booted.run(["cat", "/etc/postfix/main.cf"]).stdout == before
        assert states(booted, "postfix.service", "postfix@-.service") == ["inactive", "inactive"]


def test_what_failed_meanwhile_is_started_when_its_files_are_read_again(booted: Machine) -> None:
    """And what was stopped is not; a failure to start is one."""
    path = f"{OWN}/lasting.service"

    def again() -> list[int]:
        return [booted.run(argv).returncode for argv in read_again("try-restart", "lasting.service")]

    def first() -> str:
        return booted.run(["systemctl", "show", "-P", "MainPID", "lasting.service"]).stdout

    with running(booted, "lasting.service", (path, f"[Service]\nExecStart=/bin/sleep 600\n{INSTALL}")):
        was = first()
        assert (again(), states(booted, "lasting.service")) == ([0, 0], ["active"])
        assert first() != was
        booted.run(["systemctl", "stop", "lasting.service"], check=True)
        assert (again(), states(booted, "lasting.service")) == ([0, 0], ["inactive"])
        booted.run(["sed", "-i", "/Exec/aExecStartPre=/bin/false", path], check=True)
        booted.run(["systemctl", "daemon-reload"], check=True)
        booted.run(["systemctl", "start", "lasting.service"])
        assert (again()[0], states(booted, "lasting.service")) == (1, ["failed"])
        booted.run(["sed", "-i", "/false/d", path], check=True)
        booted.run(["systemctl", "daemon-reload"], check=True)
        assert (again(), states(booted, "lasting.service")) == ([0, 0], ["active"])


def test_a_postfix_that_is_only_stopped_would_come_back(booted: Machine, mender: Mender) -> None:
    """The port is free until the next boot; it is kept from starting, and may start again when that is taken
    back."""
    with running(booted, "postfix.service"):
        assert _found(booted)["status"] == "fail"
        booted.run(["systemctl", "stop", "postfix.service"], check=True)
        assert wait_until(lambda: ":25" not in booted.run(["ss", "-Hltn"]).stdout, 60)
        # Its instance ends a moment after its port is free.
        assert wait_until(lambda: bool(_found(booted)["status"] == "warn"), 20)
        said = _found(booted)
        assert said["summary"] == (
            "port 25 is free, but postfix.service starts with the machine, and would take it"
        )
        assert commands(mender.plan("ports.smtp", "stop-service")) == [
            "systemctl disable --now postfix.service"
        ]
        mender.there_and_back(
            *("ports.smtp", "stop-service"),
            lambda: snapshot(booted, "postfix.service", "postfix@-.service"),
        )
        booted.run(["systemctl", "disable", "postfix.service"], check=True)
        assert _found(booted)["status"] == "pass"


def test_so_would_one_that_was_stopped_by_its_own_command(booted: Machine, mender: Mender) -> None:
    """Debian's unit of the whole, which has no program of its own, counts as active then."""
    with running(booted, "postfix.service"):
        booted.run(["postfix", "stop"], check=True)
        assert wait_until(lambda: ":25" not in booted.run(["ss", "-Hltn"]).stdout, 60)
        assert wait_until(lambda: states(booted, "postfix@-.service") == ["failed"], 60)
        assert states(booted, "postfix.service") == ["active"]
        assert _found(booted)["status"] == "warn"
        mender.apply("ports.smtp", "stop-service")


def test_a_socket_that_is_only_stopped_would_come_back(booted: Machine, mender: Mender) -> None:
    files = ((f"{OWN}/lazy.socket", LAZY_SOCKET), (f"{OWN}/lazy.service", LAZY_SERVICE))
    with running(booted, "lazy.socket", *files):
        booted.run(["systemctl", "stop", "lazy.socket"], check=True)
        said = _found(booted, "ports.imap")
        assert (said["status"], said["summary"]) == (
            "warn",
            "port 143 is free, but lazy.socket starts with the machine, and would take it",
        )
        look = lambda: snapshot(booted, "lazy.socket", "lazy.service")  # noqa: E731
        mender.there_and_back("ports.imap", "stop-service", look)


def _found(booted: Machine, check: str = "ports.smtp") -> dict[str, Any]:
    """What is said of a port."""
    argv = ["python3", "-m", "mailcow_wizard", "check", check, "--json", "--dir", "/srv/mailcow"]
    said = booted.run(argv, env={"PYTHONPATH": machine.CHECKOUT_INSIDE}, timeout=60).stdout
    found: dict[str, Any] = json.loads(said)["checks"][0]
    return found


def test_a_relay_that_is_set_stays(booted: Machine, mender: Mender) -> None:
    """Whoever sends mail through a provider goes on doing so."""
    booted.run(["postconf", "-e", "relayhost=[smtp.example.net]:587"], check=True)
    with running(booted, "postfix.service"):
        plan = mender.plan("ports.smtp", "loopback-mta")
        assert "through [smtp.example.net]:587 as before" in plan["consequence"]
        assert all("172.22.1.253" not in str(step) for step in plan["steps"])
    booted.run(["postconf", "-e", "relayhost="], check=True)


@pytest.mark.parametrize("connected", [False, True])
def test_socket_and_its_service(connected: bool, booted: Machine, mender: Mender) -> None:
    """The socket first, or it starts the service again; both come back as they were."""
    files = (
        ("/etc/systemd/system/lazy.socket", LAZY_SOCKET),
        ("/etc/systemd/system/lazy.service", LAZY_SERVICE),
    )

    def is_active() -> bool:
        return booted.run(["systemctl", "is-active", "lazy.service"]).stdout.strip() == "active"

    with running(booted, "lazy.socket", *files):
        if connected:
            booted.run(["python3", "-c", CONNECT], check=True)
            assert wait_until(is_active, 60)
        plan = mender.plan("ports.imap", "stop-service")
        assert commands(plan) == ["systemctl disable --now lazy.socket", "systemctl stop lazy.service"]
        mender.there_and_back(
            "ports.imap", "stop-service", lambda: snapshot(booted, "lazy.socket", "lazy.service")
        )
        assert is_active() is connected


UNITS = {
    "its own": (OWN, SERVICE + INSTALL, True, "disable --now"),
    "its own, not enabled": (OWN, SERVICE + INSTALL, False, "disable --now"),
    "of a package, without a switch": ("/usr/lib/systemd/system", SERVICE, False, "mask --now"),
    "linked from elsewhere": ("/opt/greedy", SERVICE + INSTALL, True, "disable --now"),
}


@pytest.mark.parametrize("name", UNITS)
def test_kinds_of_units(name: str, booted: Machine, mender: Mender) -> None:
    """Enabled, static, linked, disabled: each is kept off by what keeps it off, and comes back the same."""
    directory, text, enabled, command = UNITS[name]
    path = f"{directory}/greedy.service"
    unit = path if "linked" in name else "greedy.service"
    with running(booted, unit, (path, text), enabled=enabled):
        assert listens(booted, 4190)
        plan = mender.plan("ports.sieve", "stop-service")
        assert commands(plan) == [f"systemctl {command} greedy.service"]
        mender.there_and_back("ports.sieve", "stop-service", lambda: snapshot(booted, "greedy.service"))


def test_sockets_of_two_units_at_one_port(booted: Machine, mender: Mender) -> None:
    """systemd holds both: each is named by its own family."""
    sockets = {"v6": "[::]:4190\nBindIPv6Only=ipv6-only", "v4": "0.0.0.0:4190"}
    files = [
        (f"{OWN}/{name}.{kind}", text)
        for name, place in sockets.items()
        for kind, text in (("socket", f"[Socket]\nListenStream={place}\n"), ("service", LAZY_SERVICE))
    ]
    with running(booted, "v6.socket", *files, enabled=False):
        booted.run(["systemctl", "start", "v4.socket"], check=True)
        try:
            argv = ["python3", "-m", "mailcow_wizard", "check", "ports.sieve", "--json"]
            (found,) = json.loads(booted.run([*argv, "--dir", "/srv/mailcow"]).stdout)["checks"]
            assert "port 4190 (process 1, unit v4.socket)" in found["summary"], found["summary"]
            assert "port 4190 of IPv6 (process 1, unit v6.socket)" in found["summary"], found["summary"]
        finally:
            booted.run(["systemctl", "stop", "v4.socket"], check=True)


def test_commands_with_an_escaped_name_can_be_pasted(booted: Machine, mender: Mender) -> None:
    r"""A shell takes \x2d apart, unless it is quoted."""
    unit = r"odd\x2dmail.service"
    with running(booted, unit, (f"{OWN}/{unit}", f"{SERVICE}{INSTALL}")):
        assert listens(booted, 4190)
        argv = ["python3", "-m", "mailcow_wizard", "check", "ports.sieve", "--json", "--dir", "/srv/mailcow"]
        (found,) = json.loads(booted.run(argv).stdout)["checks"]
        looks = next(one["what"] for one in found["evidence"] if "status" in one["what"])
        assert booted.run(["sh", "-c", looks]).returncode == 0, looks
        stops = found["remedies"][0].partition("again: ")[2]
        assert booted.run(["sh", "-c", stops]).returncode == 0, stops
        assert states(booted, unit) == ["inactive"]
        assert wait_until(lambda: ":4190" not in booted.run(["ss", "-Hltn"]).stdout, 10)


def test_masked_unit_that_still_runs(booted: Machine, mender: Mender) -> None:
    """It only has to be stopped; to bring it back the mask is lifted for a moment."""
    with running(
        booted, "greedy.service", ("/usr/lib/systemd/system/greedy.service", SERVICE), enabled=False
    ):
        booted.run(["systemctl", "mask", "greedy.service"], check=True)
        assert listens(booted, 4190)
        assert commands(mender.plan("ports.sieve", "stop-service")) == ["systemctl stop greedy.service"]
        mender.there_and_back("ports.sieve", "stop-service", lambda: snapshot(booted, "greedy.service"))


def test_wants_that_an_administrator_added_come_back(booted: Machine, mender: Mender) -> None:
    """Disabling takes away every link to the unit; enabling makes those of its file only."""
    file = ("/etc/systemd/system/greedy.service", SERVICE + INSTALL)
    with running(booted, "greedy.service", file):
        booted.run(["systemctl", "add-wants", "rescue.target", "greedy.service"], check=True)
        assert listens(booted, 4190)
        mender.there_and_back("ports.sieve", "stop-service", lambda: snapshot(booted, "greedy.service"))


@pytest.mark.long
def test_what_a_unit_enables_besides_stays_as_it_is(booted: Machine, mender: Mender) -> None:
    """Enabling enables `Also=` too, where somebody had switched that off."""
    files = (
        (f"{OWN}/other.service", "[Service]\nExecStart=/bin/sleep 600\n" + INSTALL),
        (f"{OWN}/greedy.service", SERVICE + INSTALL + "Also=other.service\n"),
    )
    with running(booted, "greedy.service", *files):
        booted.run(["systemctl", "disable", "other.service"], check=True)
        assert listens(booted, 4190)
        mender.there_and_back(
            "ports.sieve", "stop-service", lambda: snapshot(booted, "greedy.service", "other.service")
        )


def test_static_unit_of_the_administrator(booted: Machine, mender: Mender) -> None:
    """A file in /etc cannot be masked: it is stopped, and what starts it again is named."""
    file = ("/etc/systemd/system/greedy.service", SERVICE)
    with running(booted, "greedy.service", file, enabled=False):
        assert listens(booted, 4190)
        plan = mender.plan("ports.sieve", "stop-service")
        assert commands(plan) == ["systemctl stop greedy.service"]
        assert "/etc/systemd/system/greedy.service" in words(plan)
        mender.there_and_back("ports.sieve", "stop-service", lambda: snapshot(booted, "greedy.service"))


def test_transient_unit_cannot_come_back(booted: Machine, mender: Mender) -> None:
    """systemd-run leaves no file behind: stopping it is said to be final."""
    booted.run(
        ["systemd-run", "--quiet", "--unit=greedy", *LISTENER_ON_MACHINE, "0.0.0.0", "4190"], check=True
    )
    assert listens(booted, 4190)
    assert [one["reversible"] for one in mender.ask("list", "ports.sieve")] == [False]
    plan = mender.plan("ports.sieve", "stop-service")
    assert plan["reversible"] is False
    assert "cannot start it again" in words(plan)
    mender.apply("ports.sieve", "stop-service")


@pytest.mark.long
def test_two_services_are_stopped_by_one_plan(booted: Machine, mender: Mender) -> None:
    """One on loopback, one on another address: both hold the port, both go, both come back."""
    names = ("one.service", "two.service")
    booted.run(["ip", "address", "add", "192.0.2.10/32", "dev", "lo"], check=True)
    for name, address in zip(names, ("127.0.0.1", "192.0.2.10"), strict=True):
        booted.write(
            f"/etc/systemd/system/{name}", f"[Service]\nExecStart={LISTENER} {address} 995\n{INSTALL}"
        )
    booted.run(["systemctl", "daemon-reload"], check=True)
    booted.run(["systemctl", "enable", "--now", *names], check=True)
    try:
        assert wait_until(lambda: booted.run(["ss", "-Hltn"]).stdout.count(":995") == 2, 60)
        mender.there_and_back("ports.pop3s", "stop-service", lambda: snapshot(booted, *names))
    finally:
        booted.run(["systemctl", "disable", "--now", *names], check=True)
        booted.run(["ip", "address", "del", "192.0.2.10/32", "dev", "lo"], check=True)


def test_ways_into_the_machine_are_never_stopped(booted: Machine, mender: Mender) -> None:
    """sshd on 587: mailcow can go elsewhere, the service stays."""
    booted.write("/etc/ssh/sshd_config.d/ports.conf", "Port 22\nPort 587\n")
    with running(booted, "ssh.service", enabled=False):
        assert mender.offered("ports.submission") == []
        booted.write("/srv/mailcow/mailcow.conf", "MAILCOW_HOSTNAME=mail.example.org\n")
        assert mender.offered("ports.submission") == ["move-port"]
        mender.there_and_back("ports.submission", "move-port", lambda: snapshot(booted, "ssh.service"))


def test_a_program_somebody_started_is_left_to_them(booted: Machine, mender: Mender) -> None:
    """No unit, no script: nothing is killed."""
    process = booted.start([*LISTENER_ON_MACHINE, "0.0.0.0", "4190"])
    try:
        assert listens(booted, 4190)
        assert mender.offered("ports.sieve") == []
    finally:
        booted.run(["sh", "-c", "kill $(ss -Hltnp sport = :4190 | grep -o 'pid=[0-9]*' | cut -d= -f2)"])
        process.wait(5)


def test_port_and_address_of_mailcow(booted: Machine, mender: Mender) -> None:
    """Elsewhere: a port that nobody has, an address where nobody listens; the public one first."""
    booted.write("/srv/mailcow/mailcow.conf", "MAILCOW_HOSTNAME=mail.example.org\n#IMAP_PORT=143\n")
    booted.run(["ip", "link", "add", "eth9", "type", "veth", "peer", "name", "wire9"], check=True)
    booted.run(["ip", "link", "set", "wire9", "up"], check=True)
    for address in ("10.1.2.3/24", "198.51.100.7/24"):
        booted.run(["ip", "address", "add", address, "dev", "eth9"], check=True)
    booted.run(["ip", "link", "set", "eth9", "up"], check=True)
    files = (
        ("/etc/systemd/system/lazy.socket", LAZY_SOCKET),
        ("/etc/systemd/system/lazy.service", LAZY_SERVICE),
    )
    try:
        with running(booted, "lazy.socket", *files):
            assert mender.offered("ports.imap") == ["stop-service", "bind-address", "move-port"]
            for fix, value in (("bind-address", "198.51.100.7:143"), ("move-port", "10143")):
                after = next(one["after"] for one in mender.plan("ports.imap", fix)["steps"] if "edit" in one)
                assert f"\nIMAP_PORT={value}\n" in after
                mender.there_and_back("ports.imap", fix, lambda: snapshot(booted, "lazy.socket"))
    finally:
        booted.run(["ip", "link", "del", "eth9"], check=True)
