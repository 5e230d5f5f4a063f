"""A firewall that was switched off and that nobody confirmed comes back, whatever ends the wizard: all its
processes killed, or the machine's power cut."""

import base64
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab import machine
from lab.inside import wait_until
from lab.machine import CHECKOUT_INSIDE, Machine
from lab.skip import or_skip

from mailcow_wizard.host.one_file.far import PREFIX
from tests.real.firewall_machine import silence

pytestmark = pytest.mark.real

PACKAGES = ("docker.io", "iptables", "nftables", "ufw", "firewalld")
STATE = "/var/lib/mailcow-wizard"
SWITCH_OFF = (
    f"cd {CHECKOUT_INSIDE} && exec python3 -m mailcow_wizard fix firewall.local disable-firewall --yes "
    f"--address 192.88.99.10 --state-dir {STATE}"
)
UNITS = "/etc/systemd/system/mailcow-wizard-way-back."
# The machine's only address is loopback's: one that the world could come to is added.
ADDRESS = (
    "ip link add out type veth peer name far; ip link set far up; ip link set out up; "
    "ip addr add 192.88.99.10/24 dev out; ip route add default via 192.88.99.1"
)


@pytest.fixture
def debian() -> Iterator[Machine]:
    """ufw is active and lets nobody in."""
    with or_skip(), machine.booted(*PACKAGES, again=True) as made:
        silence(made)
        made.run(["sh", "-c", ADDRESS], check=True)
        made.run(["ufw", "--force", "enable"], check=True)
        yield made


def is_active(debian: Machine) -> bool:
    return "Status: active" in debian.run(["ufw", "status"]).stdout


def has_units(debian: Machine) -> bool:
    return debian.run(["sh", "-c", f"ls {UNITS}*"]).returncode == 0


def switched_off(debian: Machine) -> "subprocess.Popen[bytes]":
    """The wizard, which waits to be told that all is well."""
    process = debian.start(["sh", "-c", SWITCH_OFF])
    assert wait_until(lambda: not is_active(debian), 60)
    assert has_units(debian)
    return process


def switched_off_by_ssh(debian: Machine, one_file: Path) -> "subprocess.Popen[bytes]":
    """The same from another machine: of what runs here nothing stays, and /tmp is empty after a start."""
    place = f"/tmp/{PREFIX}0123456789"
    debian.run(["mkdir", "--mode", "700", place], check=True)
    shutil.copy(one_file, f"/proc/{debian.pid}/root{place}/mailcow-wizard.pyz")
    words = SWITCH_OFF.partition("mailcow_wizard ")[2].split()
    asked = {"words": words, "from": ("x", "x"), "desk": "", "keep": False, "environment": {}}
    packed = base64.urlsafe_b64encode(json.dumps(asked).encode()).decode()
    process = debian.start(["python3", "-I", f"{place}/mailcow-wizard.pyz", "--far", packed])
    assert wait_until(lambda: not is_active(debian), 60)
    assert has_units(debian)
    return process


def killed(debian: Machine, process: "subprocess.Popen[bytes]") -> None:
    """Every process of the wizard inside the machine, at once."""
    pids = debian.run(["pgrep", "-f", "python3 .*mailcow_wizard"]).stdout.split()
    assert len(pids) > 1
    debian.run(["kill", "-KILL", *pids])
    process.wait(30)


def changes(debian: Machine) -> str:
    return debian.wizard("undo", "--list", "--state-dir", STATE).stdout


def test_after_the_power_was_cut(debian: Machine) -> None:
    process = switched_off(debian)
    debian.power_cut()
    process.kill()
    process.wait(30)
    assert wait_until(lambda: is_active(debian), 60)
    assert wait_until(lambda: "undone" in changes(debian), 30), changes(debian)
    assert wait_until(lambda: not has_units(debian), 30)


def test_after_the_power_was_cut_and_the_code_is_gone(debian: Machine, one_file: Path) -> None:
    process = switched_off_by_ssh(debian, one_file)
    debian.power_cut()
    process.kill()
    process.wait(30)
    assert debian.run(["sh", "-c", "ls -d /tmp/mailcow-wizard*"]).returncode != 0
    assert wait_until(lambda: is_active(debian), 60)
    assert wait_until(lambda: "undone" in changes(debian), 30), changes(debian)
    assert wait_until(lambda: not has_units(debian), 30)
    assert wait_until(lambda: debian.run(["ls", f"{STATE}/way-back"]).returncode != 0, 30)


@pytest.mark.long
def test_after_every_process_of_the_wizard_was_killed(debian: Machine) -> None:
    process = switched_off(debian)
    killed(debian, process)
    assert "interrupted" in changes(debian)
    assert not is_active(debian)
    assert wait_until(lambda: is_active(debian), 120, pause=0.5)
    assert wait_until(lambda: "undone" in changes(debian), 30), changes(debian)
    assert wait_until(lambda: not has_units(debian), 30)


def test_at_the_next_start_where_there_is_no_systemd_to_do_it(debian: Machine) -> None:
    process = switched_off(debian)
    killed(debian, process)
    debian.run(["systemctl", "stop", "mailcow-wizard-way-back.timer"], check=True)
    said = debian.wizard("check", "time.timezone", "--state-dir", STATE).stderr
    assert "was interrupted before anybody confirmed it, and was taken back" in said
    assert is_active(debian)
    assert not has_units(debian)
