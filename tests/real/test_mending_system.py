"""Packages, the clock, its zone, the name and IPv6 of a booted Debian: mended, seen by the check, taken back,
and the machine is as it was."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from lab.inside import needs, running
from lab.machine import CHECKOUT_INSIDE, Machine
from lab.machine import booted as boot
from lab.netns import Namespace, link
from lab.skip import or_skip

from tests.real.mending import Mender, snapshot

pytestmark = pytest.mark.real

SERVER, NOBODY = "10.79.0.2", "10.79.0.3"
QUICK = "server {} iburst minpoll 0 maxpoll 0"
UNITS = ("chrony", "ntpd", "mailcow-wizard-test")
STATE = "/var/lib/mailcow-wizard"
# It may not set the time, so chronyd is told not to try, and systemd not to mind.
CHRONY_UNIT = """[Unit]
ConditionCapability=
[Service]
Type=simple
User=root
ExecStart=
ExecStart=/usr/sbin/chronyd -x -d
PIDFile=
"""
SECOND = "[Service]\nExecStart=sleep 1000\n[Install]\nWantedBy=multi-user.target\n"
# A repository of the machine's own: `jq` and `git` are scripts, `libfake` comes along, `old` is upgraded.
_PACKAGES = r"""set -e
build() { # name version depends
    mkdir -p "/tmp/$1/DEBIAN" "/tmp/$1/usr/bin" "/tmp/$1/etc"
    printf 'Package: %s\nVersion: %s\nArchitecture: all\nMaintainer: t <t@example.org>\nDescription: t\n' \
        "$1" "$2" > "/tmp/$1/DEBIAN/control"
    if [ -n "$3" ]; then echo "Depends: $3" >> "/tmp/$1/DEBIAN/control"; fi
    printf '#!/bin/sh\nexit 0\n' > "/tmp/$1/usr/bin/$1"; chmod 755 "/tmp/$1/usr/bin/$1"
    echo setting > "/tmp/$1/etc/$1.conf"; echo "/etc/$1.conf" > "/tmp/$1/DEBIAN/conffiles"
    dpkg-deb --root-owner-group --build "/tmp/$1" /srv/repository > /dev/null
}
mkdir -p /srv/repository
build libfake 1.0 ''
for name in git curl jq gawk iputils-ping ca-certificates; do build "$name" 1.0 libfake; done
ln -s iputils-ping /tmp/iputils-ping/usr/bin/ping
dpkg-deb --root-owner-group --build /tmp/iputils-ping /srv/repository > /dev/null
cd /srv/repository
for one in *.deb; do
    dpkg-deb -f "$one"
    echo "Filename: ./$one"; echo "Size: $(stat -c %s "$one")"
    echo "SHA256: $(sha256sum < "$one" | cut -d' ' -f1)"
    echo
done > Packages
rm -rf /tmp/*
echo 'deb [trusted=yes] file:/srv/repository ./' > /etc/apt/sources.list
rm -rf /etc/apt/sources.list.d/* /var/lib/apt/lists/*
"""

_HOLDS = """import fcntl, sys, time
lock = open(sys.argv[1], "w")
fcntl.lockf(lock, fcntl.LOCK_EX)
print("held", flush=True)
time.sleep(5)
"""


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A machine with chrony that can run here, a time server beside it, and packages to install."""
    with or_skip(), ExitStack() as stack:
        needs("chronyd")
        here, there = (stack.enter_context(Namespace.create()) for _ in range(2))
        link(here, there, "10.79.0.1/24", f"{SERVER}/24")
        own = tmp_path_factory.mktemp("chrony")
        conf = f"local stratum 2\nallow all\nbindaddress {SERVER}\ncmdport 0\nuser root\n"
        (own / "conf").write_text(f"{conf}pidfile {own}/pid\nbindcmdaddress {own}/sock\n")
        there.start(["chronyd", "-x", "-d", "-f", str(own / "conf")])
        made = stack.enter_context(boot(network=f"/run/netns/{here.name}"))
        made.write("/etc/systemd/system/chrony.service.d/lab.conf", CHRONY_UNIT)
        made.write("/etc/chrony/chrony.conf", f"{QUICK.format(SERVER)}\nsourcedir /etc/chrony/sources.d\n")
        done = made.run(["sh", "-c", _PACKAGES], timeout=60)
        assert done.returncode == 0, done.stderr
        made.run(["systemctl", "daemon-reload"], check=True)
        yield made


def mender(machine: Machine, **settings: Any) -> Mender:
    """Fixes on the machine, with these settings."""
    told = ("env", f"MEND_SETTINGS={json.dumps(settings)}")
    return Mender(machine, "python3", CHECKOUT_INSIDE, "/opt/mailcow-dockerized", STATE, told)


def files(machine: Machine) -> str:
    """Every file of the machine's programs, with mode, owner and size."""
    find = ["find", "/usr", "/opt", "-xdev", "-name", "__pycache__", "-prune", "-o", "!", "-type", "d"]
    shown = machine.run([*find, "-printf", "%p %m %U %G %s %l\n"], check=True)
    return "\n".join(sorted(shown.stdout.splitlines()))


def sysctls(machine: Machine) -> str:
    return machine.run(
        ["sysctl", "-a", "--pattern", r"^(vm|fs\.inotify|net\.ipv6\.conf)\..*(ory|max|ipv6)"]
    ).stdout


def whole(machine: Machine) -> tuple[object, ...]:
    """Files, units, listeners, programs, settings of the kernel, packages, the name."""
    packages = machine.run(["dpkg-query", "-W"], check=True).stdout
    name = machine.run(["hostname"], check=True).stdout
    return (*snapshot(machine, *UNITS), files(machine), sysctls(machine), packages, name)


def cured(machine: Machine, check: str, fix: str, status: str = "pass", **settings: Any) -> dict[str, Any]:
    """Applies a fix, whose check has to see it; what was said. The caller takes it back."""
    mend = mender(machine, **settings)
    assert fix in mend.offered(check)
    made: dict[str, Any] = mend.ask("apply", check, fix)
    assert (made.get("state"), made.get("status")) == ("applied", status), made
    return made


def test_missing_tools_come_by_apt(machine: Machine) -> None:
    """The lists are missing first; then they are there, and all that comes along is known."""
    before = whole(machine)
    mend = mender(machine)
    plan = mend.plan("system.tools", "install-tools")
    assert plan["steps"][0]["command"] == ["apt-get", "update"]
    assert "named ones only" in plan["consequence"]
    made = cured(machine, "system.tools", "install-tools")
    mend.undo(made["change"])
    assert "libfake" in machine.run(["dpkg-query", "-W"]).stdout
    machine.run(["dpkg", "--purge", "libfake"], check=True)
    assert whole(machine) == before

    plan = mend.plan("system.tools", "install-tools")
    assert len(plan["steps"]) == 1
    assert "libfake" in plan["consequence"]
    made = cured(machine, "system.tools", "install-tools")
    assert whole(machine) != before
    mend.undo(made["change"])
    assert whole(machine) == before


def test_it_waits_while_another_apt_has_the_lists(machine: Machine) -> None:
    """As apt-daily.service does soon after a boot."""
    mend = mender(machine)
    lists = "/var/lib/apt/lists"
    machine.run(["sh", "-c", f"rm -rf {lists}/*; touch {lists}/lock"], check=True)
    with running(machine.start(["python3", "-c", _HOLDS, f"{lists}/lock"])) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        made = mend.ask("apply", "system.tools", "install-tools")
        assert made["state"] == "applied", made
    with running(machine.start(["python3", "-c", _HOLDS, "/var/lib/dpkg/lock-frontend"])) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        assert mend.ask("undo", made["change"])["state"] == "undone"
    machine.run(["dpkg", "--purge", "libfake"], check=True)


def test_what_others_need_by_now_is_not_removed(machine: Machine) -> None:
    mend = mender(machine)
    machine.run(["apt-get", "update"], check=True)
    made = mend.apply("system.tools", "install-tools")
    build = (
        "mkdir -p /tmp/own/DEBIAN; printf 'Package: own\\nVersion: 1\\nArchitecture: all\\nMaintainer: t\\n"
    )
    build += (
        "Description: t\\nDepends: jq\\n' > /tmp/own/DEBIAN/control; dpkg-deb --build /tmp/own /tmp/own.deb"
    )
    machine.run(["sh", "-c", f"{build}; dpkg -i /tmp/own.deb"], check=True)
    refused = mend.ask("undo", made["change"])
    assert refused["state"] == "failed"
    assert "jq" in machine.run(["dpkg-query", "-W", "own", "jq"], check=True).stdout
    machine.run(["dpkg", "--purge", "own"], check=True)
    mend.undo(made["change"])
    assert not machine.run(["dpkg-query", "-W", "jq"]).stdout


def test_the_service_is_started_and_stopped_again(machine: Machine) -> None:
    before = whole(machine)
    made = cured(machine, "time.service", "enable-ntp")
    assert made["summary"] == "chrony runs and is synchronised"
    enabled = machine.run(["systemctl", "is-enabled", "chrony"]).stdout.strip()
    assert enabled == "enabled"
    mender(machine).undo(made["change"])
    assert whole(machine) == before


def test_a_masked_service(machine: Machine) -> None:
    machine.run(["systemctl", "mask", "chrony"], check=True)
    try:
        before = whole(machine)
        made = cured(machine, "time.service", "enable-ntp")
        assert machine.run(["systemctl", "is-active", "chrony"]).stdout.strip() == "active"
        mender(machine).undo(made["change"])
        assert whole(machine) == before
    finally:
        machine.run(["systemctl", "unmask", "chrony"], check=True)


def test_a_second_service_is_stopped(machine: Machine) -> None:
    machine.write("/etc/systemd/system/ntpd.service", SECOND)
    machine.run(["systemctl", "daemon-reload"], check=True)
    machine.run(["systemctl", "enable", "--now", "ntpd"], check=True)
    machine.run(["systemctl", "enable", "--now", "chrony"], check=True)
    try:
        before = whole(machine)
        made = cured(machine, "time.service", "stop-second-ntp")
        assert made["summary"] == "chrony runs and is synchronised"
        mender(machine).undo(made["change"])
        assert whole(machine) == before
    finally:
        machine.run(["systemctl", "disable", "--now", "ntpd", "chrony"])
        machine.run(["rm", "/etc/systemd/system/ntpd.service"])
        machine.run(["systemctl", "daemon-reload"])


def test_a_server_that_answers_is_added(machine: Machine) -> None:
    conf = f"{QUICK.format(NOBODY)}\nsourcedir /etc/chrony/sources.d\n"
    machine.write("/etc/chrony/chrony.conf", conf)
    machine.run(["systemctl", "enable", "--now", "chrony"], check=True)
    try:
        before = whole(machine)
        made = cured(machine, "time.service", "set-ntp-servers", ntp=[SERVER])
        assert made["summary"] == "chrony runs and is synchronised"
        mender(machine).undo(made["change"])
        assert SERVER not in machine.run(["chronyc", "-n", "sources"]).stdout
        assert whole(machine) == before
    finally:
        machine.run(["systemctl", "disable", "--now", "chrony"])
        machine.write("/etc/chrony/chrony.conf", conf.replace(NOBODY, SERVER))


@pytest.mark.parametrize(
    "prepare",
    [
        "echo Asia/Tokyo > /etc/timezone",
        "echo Asia/Tokyo > /etc/timezone; rm /etc/localtime; cp /usr/share/zoneinfo/UTC /etc/localtime",
        "echo Asia/Tokyo > /etc/timezone; ln -sfn ../usr/share/zoneinfo/Mars /etc/localtime",
        "echo Asia/Tokyo > /etc/timezone; rm /etc/localtime",
    ],
    ids=["link", "copy", "broken", "missing"],
)
def test_the_timezone(machine: Machine, prepare: str) -> None:
    keep = "cp -a /etc/localtime /root/localtime; cp -a /etc/timezone /root/timezone"
    machine.run(["sh", "-c", keep], check=True)
    machine.write("/opt/mailcow-dockerized/mailcow.conf", "TZ=Europe/Berlin\n")
    machine.run(["sh", "-c", prepare], check=True)
    try:
        before = whole(machine)
        made = cured(machine, "time.timezone", "set-timezone")
        assert "Europe/Berlin" in made["summary"]
        assert machine.run(["date", "+%Z"]).stdout.strip() in ("CET", "CEST")
        mender(machine).undo(made["change"])
        assert whole(machine) == before
    finally:
        machine.run(["rm", "-r", "/opt/mailcow-dockerized"], check=True)
        machine.run(["sh", "-c", "rm -f /etc/localtime; mv /root/localtime /root/timezone /etc"], check=True)


def test_ipv6_is_switched_on_and_off_again(machine: Machine) -> None:
    machine.write("/etc/sysctl.d/99-no-ipv6.conf", "net.ipv6.conf.all.disable_ipv6 = 1\n")
    machine.run(["ip", "link", "add", "eth0.7", "type", "veth"], check=True)
    machine.run(["sysctl", "-w", "net.ipv6.conf.all.disable_ipv6=1"], check=True)
    machine.run(["sysctl", "-w", "net/ipv6/conf/eth0.7/disable_ipv6=0"], check=True)
    try:
        before = whole(machine)
        made = cured(machine, "kernel.ipv6", "sysctl")
        edited = machine.run(["cat", "/etc/sysctl.d/99-no-ipv6.conf"]).stdout
        assert edited == "net.ipv6.conf.all.disable_ipv6 = 0\n"
        machine.run(["sysctl", "-w", "net.ipv6.conf.all.disable_ipv6=1"], check=True)
        machine.run(["sysctl", "--system"])
        assert machine.run(["sysctl", "-n", "net.ipv6.conf.all.disable_ipv6"]).stdout == "0\n"
        mender(machine).undo(made["change"])
        assert whole(machine) == before
    finally:
        machine.run(["ip", "link", "del", "eth0.7"])
        machine.run(["rm", "/etc/sysctl.d/99-no-ipv6.conf"])
        machine.run(["sysctl", "-w", "net.ipv6.conf.all.disable_ipv6=0"])


def test_settings_of_the_whole_kernel_are_not_offered_in_here(machine: Machine) -> None:
    """The lab's machine is a container: /proc/sys is read-only but for the network."""
    assert mender(machine).offered("kernel.overcommit") == []
    assert mender(machine).offered("system.swap") == []


def test_the_name(machine: Machine) -> None:
    before = whole(machine)
    script = (
        "from mailcow_wizard.engine import mending\nfrom mailcow_wizard.engine.session import Session\n"
        "from mailcow_wizard.fixes.hostname import set_hostname\n"
        "from mailcow_wizard.host.real import RealHost\n"
        "from mailcow_wizard.host.files.state import StateDirectory\n"
        "from mailcow_wizard.model import Settings\n"
        f"session = Session(RealHost(), Settings(hostname='post.example.net'), StateDirectory('{STATE}'))\n"
        "made = mending.apply(session, set_hostname(session.new_facts()).plan(), print)\n"
        "assert made.state == 'applied', made\nprint(made.change)"
    )
    done = machine.run(["python3", "-c", script], env={"PYTHONPATH": CHECKOUT_INSIDE}, timeout=60)
    assert done.returncode == 0, done.stderr
    assert machine.run(["hostname", "-f"]).stdout.strip() == "post.example.net"
    assert machine.run(["hostname"]).stdout.strip() == "post"
    assert machine.run(["cat", "/etc/hostname"]).stdout == "post\n"
    mender(machine).undo(done.stdout.split()[-1])
    assert whole(machine) == before
