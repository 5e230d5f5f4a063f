"""Real chrony servers in network namespaces: right, 93 s ahead, unsynchronised, dropped, rejected, mixed.

No server touches the clock (`chronyd -x`); the one that is ahead sees a false clock (libfaketime). The
checks run as a process inside the namespace `here`, as the command line would. Each fault is seen,
mended, and seen to pass.
"""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from lab.inside import CHECKOUT, LabError, needs, wait_until
from lab.machine import Machine, booted
from lab.netns import Namespace, link

pytestmark = pytest.mark.real

MACHINE4, MACHINE_GATE = "10.78.0.1/24", "10.78.0.2/24"
HERE4, HERE6 = "10.77.0.1/16", "fd77::1/64"
GOOD = ("10.77.1.1", "10.77.1.2", "10.77.1.3")
GOOD6 = "fd77::101"
AHEAD, AHEAD_TOO, UNSYNCHRONISED, NOBODY = "10.77.2.1", "10.77.2.2", "10.77.3.1", "10.77.4.1"
FAKETIME = tuple(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))

PROBE = """
import json, os, sys
os.environ["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin"
from mailcow_wizard.checks.time import CHECKS
from tests.judged import look
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.real import RealHost
from mailcow_wizard.model import Settings
check = next(one for one in CHECKS if one.id == sys.argv[1])
judgement = look(check, Facts(RealHost(), Settings(ntp=tuple(sys.argv[2:]))))
print(json.dumps(judgement._asdict()))
"""


class Lab:
    """The machine that asks, and the one where all time servers run."""

    def __init__(self, here: Namespace, there: Namespace, directory: Path) -> None:
        self.here, self.there, self._directory = here, there, directory

    def serve(self, name: str, addresses: str, *, synchronised: bool = True, ahead: int = 0) -> None:
        """A chronyd at these addresses (one IPv4, perhaps one IPv6)."""
        binds = "".join(f"bindaddress {address}\n" for address in addresses.split())
        config = f"allow all\n{binds}cmdport 0\n" + ("local stratum 2\n" if synchronised else "")
        preload = {
            "LD_PRELOAD": str(FAKETIME[0]),
            "FAKETIME": f"+{ahead}s",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        self._chronyd(self.there, name, config, preload if ahead else {})

    def follow(self, name: str, *lines: str) -> None:
        """A chronyd on the machine that asks, with these lines of configuration."""
        self._chronyd(self.here, name, "".join(f"{line}\n" for line in lines), {})

    def _chronyd(self, where: Namespace, name: str, config: str, env: dict[str, str]) -> None:
        own = self._directory / name
        own.mkdir(mode=0o750)
        paths = f"pidfile {own}/pid\ndriftfile {own}/drift\nbindcmdaddress {own}/chronyd.sock\n"
        (own / "conf").write_text(f"{config}{paths}user root\n")
        process = where.start(["chronyd", "-x", "-d", "-f", str(own / "conf")], env)
        deadline = time.monotonic() + 5
        while not (own / "pid").exists():
            assert process.poll() is None, f"chronyd {name} ended"
            assert time.monotonic() < deadline, f"chronyd {name} does not start"
            time.sleep(0.02)

    def look(self, check: str, *servers: str) -> Any:
        command = [sys.executable, "-c", PROBE, check, *servers]
        shown = self.here.run(["env", f"PYTHONPATH={CHECKOUT}", *command])
        return json.loads(shown.stdout)

    def offset(self, *servers: str) -> Any:
        return self.look("time.offset", *servers)

    def rules(self, text: str) -> None:
        """Firewall rules of the machine that asks, instead of all others."""
        self.here.run(["nft", "-f", "-"], text=f"flush ruleset\n{text}")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with ExitStack() as stack:
        try:
            needs("ip", "nft", "chronyd", "chronyc")
            if not FAKETIME:
                raise LabError("not installed: libfaketime")
            here, there = (stack.enter_context(Namespace.create()) for _ in range(2))
        except LabError as reason:
            pytest.skip(str(reason))
        link(here, there, HERE4, f"{GOOD[0]}/16", HERE6, f"{GOOD6}/64")
        for address in (*GOOD[1:], AHEAD, AHEAD_TOO, UNSYNCHRONISED, NOBODY):
            there.run(["ip", "addr", "add", f"{address}/32", "dev", "lo"])
        made = Lab(here, there, tmp_path_factory.mktemp("chrony"))
        made.serve("good1", f"{GOOD[0]} {GOOD6}")
        made.serve("good2", GOOD[1])
        made.serve("good3", GOOD[2])
        made.serve("ahead", AHEAD, ahead=93)
        made.serve("ahead-too", AHEAD_TOO, ahead=93)
        made.serve("unsynchronised", UNSYNCHRONISED, synchronised=False)
        yield made


def test_right(lab: Lab) -> None:
    seen = lab.offset(*GOOD)
    assert seen["status"] == "pass"
    assert seen["certainty"] == "proved"
    assert seen["summary"].startswith("the clock is within ")
    assert seen["summary"].endswith("ms of 3 time servers")


def test_over_ipv6(lab: Lab) -> None:
    seen = lab.offset(GOOD6)
    assert seen["status"] == "pass"
    assert seen["certainty"] == "inferred"
    assert GOOD6 in seen["summary"]


def test_the_clock_is_93_seconds_behind(lab: Lab) -> None:
    seen = lab.offset(AHEAD, AHEAD_TOO)
    assert (seen["status"], seen["summary"]) == ("fail", "the clock is 93.0 s behind 2 time servers")
    assert lab.offset(*GOOD)["status"] == "pass"


def test_unsynchronised(lab: Lab) -> None:
    seen = lab.offset(UNSYNCHRONISED)
    assert seen["status"] == "unknown"
    assert "not synchronised itself (it says so: leap bits 3)" in seen["summary"]
    seen = lab.offset(UNSYNCHRONISED, *GOOD)
    assert seen["status"] == "pass"
    assert "not synchronised itself" in seen["evidence"][0][1]


def test_nobody_there(lab: Lab) -> None:
    seen = lab.offset(NOBODY, "10.99.0.1")
    assert seen["status"] == "unknown"
    assert seen["summary"] == "no time server answered: refused, no route"


@pytest.mark.parametrize("hook", ["input", "output"])
def test_dropped_by_a_firewall(lab: Lab, hook: str) -> None:
    """Answers dropped look like silence from outside; questions dropped on this side are refused to us."""
    side = "sport" if hook == "input" else "dport"
    try:
        lab.rules(
            f"table inet t {{ chain c {{ type filter hook {hook} priority 0; udp {side} 123 drop; }}; }}"
        )
        seen = lab.offset(*GOOD)
    finally:
        lab.rules("")
    assert seen["status"] == "unknown"
    reason = "no answer within " if hook == "input" else "blocked by this machine's firewall (EPERM)"
    assert reason in seen["summary"]
    assert seen["summary"].endswith("(3 servers)")
    assert ("provider's firewall" if hook == "input" else "nft list ruleset") in seen["remedies"][0]
    assert lab.offset(*GOOD)["status"] == "pass"


def test_dropped_by_a_router_on_the_way(lab: Lab) -> None:
    drop = "table inet t { chain c { type filter hook input priority 0; udp dport 123 drop; }; }"
    try:
        lab.there.run(["nft", "-f", "-"], text=f"flush ruleset\n{drop}")
        seen = lab.offset(*GOOD)
    finally:
        lab.there.run(["nft", "flush", "ruleset"])
    assert seen["status"] == "unknown"
    assert seen["summary"].startswith("no time server answered: no answer within ")
    assert lab.offset(*GOOD)["status"] == "pass"


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        ("reject", ("refused", "EPERM")),
        ("reject with icmpx admin-prohibited", ("no route", "EPERM")),
    ],
)
def test_rejected_by_this_machines_firewall(lab: Lab, verdict: str, words: tuple[str, ...]) -> None:
    chain = f"chain c {{ type filter hook output priority 0; udp dport 123 {verdict}; }};"
    try:
        lab.rules(f"table inet t {{ {chain} }}")
        started = time.monotonic()
        seen = lab.offset(*GOOD)
        took = time.monotonic() - started
    finally:
        lab.rules("")
    assert seen["status"] == "unknown"
    assert any(word in seen["summary"] for word in words)
    assert took < 2, "a rejection is known at once"
    assert lab.offset(*GOOD)["status"] == "pass"


def test_one_liar_among_honest_servers(lab: Lab) -> None:
    seen = lab.offset(AHEAD, *GOOD)
    assert seen["status"] == "pass"
    assert seen["summary"].endswith("of 3 time servers; 1 other says something else")
    assert any("93.0 s behind" in value for _, value in seen["evidence"])


def test_two_against_two(lab: Lab) -> None:
    seen = lab.offset(AHEAD, AHEAD_TOO, *GOOD[:2])
    assert seen["status"] == "unknown"
    assert "disagree" in seen["summary"]
    assert lab.offset(AHEAD, AHEAD_TOO, *GOOD)["status"] == "pass"


def tracking(lab: Lab, name: str) -> str:
    """What `chronyc tracking` says about a chronyd of ours."""
    return lab.here.run(
        ["chronyc", "-h", str(lab._directory / name / "chronyd.sock"), "-n", "-c", "tracking"]
    ).stdout


def test_what_chronyc_says_about_a_real_chronyd(lab: Lab) -> None:
    from mailcow_wizard.facts.time_tracking import read_tracking

    sources = [f"server {address} iburst minpoll 0 maxpoll 0" for address in GOOD]
    lab.follow("lost", f"server {NOBODY} iburst", "cmdport 0", "port 0")
    assert read_tracking(tracking(lab, "lost")) == (False, "it has not agreed with a time server yet")
    lab.follow("alone", "local stratum 10", "cmdport 0", "port 0")
    synchronised, reason = read_tracking(tracking(lab, "alone"))
    assert synchronised is False
    assert "own clock" in reason
    lab.follow("well", *sources, "cmdport 0", "port 0")
    deadline = time.monotonic() + 20
    while read_tracking(tracking(lab, "well")) != (True, "") and time.monotonic() < deadline:
        time.sleep(0.2)
    assert read_tracking(tracking(lab, "well")) == (True, "")


def test_a_real_chronyd_is_found_by_its_process(lab: Lab) -> None:
    """On a machine without systemd; where it runs, the units are asked instead."""
    from mailcow_wizard.host.processes.proc import running

    found = running(("chronyd",))
    assert len(found) >= 6
    assert all(process.name == "chronyd" and process.exe.endswith("/chronyd") for process in found)


# --- a whole Debian with systemd --------------------------------------------------------------------------

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


def inside(machine: Machine, check: str, *servers: str) -> Any:
    shown = machine.run(["python3", "-c", PROBE, check, *servers])
    assert shown.returncode == 0, shown.stderr
    return json.loads(shown.stdout)


def mend(machine: Machine, remedy: str) -> None:
    """Types the first command of a remedy, as a person would."""
    shown = machine.run(["sh", "-c", remedy.split("`")[1]])
    assert shown.returncode == 0, shown.stderr


def configure(machine: Machine, *lines: str) -> None:
    machine.write("/etc/chrony/chrony.conf", "".join(f"{line}\n" for line in lines))
    machine.run(["systemctl", "restart", "chrony"], check=True)


@pytest.mark.slow
def test_a_booted_debian(lab: Lab) -> None:
    """chrony found disabled, started by the remedy, lost, synchronised, doubled, mended; the timezone too."""
    with ExitStack() as stack:
        outside = stack.enter_context(Namespace.create())
        link(outside, lab.there, MACHINE4, MACHINE_GATE)
        outside.run(["ip", "route", "add", "default", "via", MACHINE_GATE.partition("/")[0]])
        try:
            machine = stack.enter_context(booted(network=f"/run/netns/{outside.name}"))
        except LabError as reason:
            pytest.skip(str(reason))
        machine.write("/etc/systemd/system/chrony.service.d/lab.conf", CHRONY_UNIT)
        machine.write("/etc/chrony/chrony.conf", "pool 2.debian.pool.ntp.org iburst\n")
        machine.run(["systemctl", "daemon-reload"], check=True)

        seen = inside(machine, "time.service")
        assert seen["summary"] == "nothing keeps the clock right: chrony is disabled and does not run"
        mend(machine, seen["remedies"][0])
        seen = inside(machine, "time.service")
        assert seen["summary"].startswith("chrony runs but is not synchronised, ")

        configure(machine, "no such directive")
        assert wait_until(lambda: "chrony has failed" in inside(machine, "time.service")["summary"], 60, 0.2)

        configure(machine, *(f"server {address} iburst minpoll 0 maxpoll 0" for address in GOOD))
        assert wait_until(lambda: inside(machine, "time.service")["status"] == "pass", 60, 0.5)
        seen = inside(machine, "time.offset")
        assert (seen["status"], seen["certainty"]) == ("pass", "proved")
        pool = [value for _, value in seen["evidence"]][3:]
        assert len(pool) == 4
        assert all(value.startswith("name does not resolve") for value in pool)

        # One that chrony.service names no conflict with, else systemd stops one of them itself.
        machine.write("/etc/systemd/system/ntpd.service", "[Service]\nExecStart=sleep 1000\n[Install]\n")
        machine.run(["systemctl", "daemon-reload"], check=True)
        machine.run(["systemctl", "start", "ntpd"], check=True)
        seen = inside(machine, "time.service")
        assert seen["summary"] == "chrony and ntpd run at the same time and pull at one clock"
        mend(machine, seen["remedies"][0])
        assert inside(machine, "time.service")["status"] == "pass"

        machine.write("/etc/timezone", "Europe/Berlin\n")
        seen = inside(machine, "time.timezone")
        assert (seen["status"], len(seen["remedies"])) == ("warn", 2)
        mend(machine, seen["remedies"][0])
        seen = inside(machine, "time.timezone")
        assert (seen["status"], seen["summary"]) == ("pass", "the timezone is Europe/Berlin")

        machine.write("/etc/adjtime", "0.0 0 0.0\n0\nLOCAL\n")
        assert inside(machine, "time.rtc")["summary"] == "the hardware clock is kept in local time"
        machine.write("/etc/adjtime", "0.0 0 0.0\n0\nUTC\n")
        assert inside(machine, "time.rtc")["status"] == "pass"
