"""The Ansible role, by real ansible over real ssh, against two machines at once."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest
from lab import machine
from lab.inside import CHECKOUT
from lab.machine import CHECKOUT_INSIDE, Machine
from lab.netns import Namespace, link
from lab.skip import or_skip

ROLES = CHECKOUT / "mailcow_wizard/ansible/roles"
ADDRESSES = {"busy": "10.77.1.2", "quiet": "10.77.2.2"}
DESK = {"busy": "10.77.1.1", "quiet": "10.77.2.1"}
# The machines' own Python runs the wizard of this checkout.
COMMAND = f"[env, PYTHONPATH={CHECKOUT_INSIDE}, LANG=C.UTF-8, /usr/bin/python3, -m, mailcow_wizard]"
PLAYBOOK = f"""- hosts: all
  gather_facts: false
  roles:
    - role: mailcow_wizard
      mailcow_wizard_command: {COMMAND}
      mailcow_wizard_hostname: mail.example.org
      mailcow_wizard_selectors: [ports]
      mailcow_wizard_fixes: [{{check: ports.smtp, fix: stop-service}}]
"""


class Fleet(NamedTuple):
    """The machine that runs Ansible, what it needs to reach the others, and those."""

    desk: Namespace
    place: Path
    machines: dict[str, Machine]

    def play(self, *words: str, playbook: str = PLAYBOOK) -> "subprocess.CompletedProcess[str]":
        """Runs the playbook against both."""
        (self.place / "site.yml").write_text(playbook)
        environment = {
            "ANSIBLE_ROLES_PATH": str(ROLES),
            "ANSIBLE_HOST_KEY_CHECKING": "0",
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_LOCAL_TEMP": str(self.place / "tmp"),
            "ANSIBLE_SSH_CONTROL_PATH_DIR": str(self.place / "cp"),
            "LANG": "C.UTF-8",
        }
        argv = ["env", *(f"{name}={value}" for name, value in environment.items())]
        argv += [
            "ansible-playbook",
            "-i",
            str(self.place / "inventory"),
            str(self.place / "site.yml"),
            *words,
        ]
        return self.desk.run(argv, check=False, timeout=240)


def recap(done: "subprocess.CompletedProcess[str]") -> dict[str, dict[str, int]]:
    """What Ansible counted for each machine that was played."""
    lines = re.findall(r"^(busy|quiet) +: (.*)$", done.stdout, re.MULTILINE)
    assert lines, done.stdout + done.stderr
    return {name: {key: int(n) for key, n in re.findall(r"(\w+)=(\d+)", counts)} for name, counts in lines}


def about(done: "subprocess.CompletedProcess[str]", name: str) -> Sequence[str]:
    """The lines that name a machine."""
    return [line for line in done.stdout.splitlines() if f"[{name}]" in line]


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Two machines with sshd; on one of them Postfix listens on port 25."""
    if os.geteuid() != 0 or not shutil.which("ansible-playbook"):
        pytest.skip("needs root and ansible-playbook")
    place = tmp_path_factory.mktemp("ansible")
    key = place / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    with or_skip(), ExitStack() as stack:
        desk = stack.enter_context(Namespace.create())
        machines: dict[str, Machine] = {}
        for name, address in ADDRESSES.items():
            network = stack.enter_context(Namespace.create())
            link(desk, network, f"{DESK[name]}/24", f"{address}/24")
            made = stack.enter_context(machine.booted(network=f"/run/netns/{network.name}"))
            made.write("/root/.ssh/authorized_keys", key.with_suffix(".pub").read_text())
            assert made.run(["systemctl", "start", "ssh"]).returncode == 0
            machines[name] = made
        assert machines["busy"].run(["systemctl", "start", "postfix@-.service"]).returncode == 0
        (place / "inventory").write_text(
            "".join(
                f"{name} ansible_host={address} ansible_user=root ansible_ssh_private_key_file={key} "
                "ansible_python_interpreter=/usr/bin/python3\n"
                for name, address in ADDRESSES.items()
            )
        )
        yield Fleet(desk, place, machines)


@pytest.mark.real
def test_two_machines_at_once(fleet: Fleet) -> None:
    looked = fleet.play("--check", "--diff")
    counted = recap(looked)
    # Only looked at, port 25 is still held: what would change is told, and that the server is not ready.
    assert (counted["busy"]["changed"], counted["busy"]["failed"]) == (1, 1), looked.stdout
    assert (counted["quiet"]["changed"], counted["quiet"]["failed"]) == (0, 0), looked.stdout
    failed = [line for line in about(looked, "busy") if line.startswith("failed:")]
    assert len(failed) == 1
    assert "fail ports.smtp" in failed[0]
    assert "is listening on port 25" in looked.stdout
    assert re.search(r"^\$ systemctl disable --now \S+\.service$", looked.stdout, re.MULTILINE), looked.stdout
    assert "master" in fleet.machines["busy"].run(["ss", "-Hltnp", "sport", "=", ":25"]).stdout

    mended = fleet.play()
    counted = recap(mended)
    assert (counted["busy"]["changed"], counted["busy"]["failed"]) == (1, 0), mended.stdout
    assert (counted["quiet"]["changed"], counted["quiet"]["failed"]) == (0, 0), mended.stdout
    assert fleet.machines["busy"].run(["ss", "-Hltn", "sport", "=", ":25"]).stdout == ""

    again = fleet.play()
    assert all((one["changed"], one["failed"]) == (0, 0) for one in recap(again).values()), again.stdout


@pytest.mark.real
def test_the_one_file_and_its_answers_are_brought(fleet: Fleet, one_file: Path) -> None:
    """The name that the answers give is what is checked, by the program that was copied."""
    answers = fleet.place / "answers.toml"
    answers.write_text('[server]\nhostname = "mail.answered.example"\n')
    playbook = f"""- hosts: quiet
  gather_facts: false
  roles:
    - role: mailcow_wizard
      mailcow_wizard_file: {one_file}
      mailcow_wizard_answers: {answers}
      mailcow_wizard_selectors: [ports]
"""
    done = fleet.play(playbook=playbook)
    (copied,) = recap(done).values()
    assert (copied["changed"], copied["failed"]) == (2, 0), done.stdout
    (again,) = recap(fleet.play(playbook=playbook)).values()
    assert (again["changed"], again["failed"]) == (0, 0)
    quiet = fleet.machines["quiet"]
    assert quiet.run(["stat", "-c", "%a %U", "/etc/mailcow-wizard.toml"]).stdout == "600 root\n"
    answers.write_text('[server]\nhostname = "mail..example"\n')
    refused = fleet.play(playbook=playbook)
    (counted,) = recap(refused).values()
    assert counted["failed"] == 1
    assert "answers" in refused.stdout
    assert "mail..example" in refused.stdout


@pytest.mark.real
def test_what_cannot_be_done_says_why(fleet: Fleet) -> None:
    done = fleet.play(playbook=PLAYBOOK.replace("[ports]", "[harbours]"))
    assert all(one["failed"] == 1 for one in recap(done).values())
    assert "harbours" in done.stdout
    done = fleet.play(playbook=PLAYBOOK.replace("/usr/bin/python3", "/usr/bin/python9"))
    assert all(one["failed"] == 1 for one in recap(done).values())
    assert "Traceback" not in done.stdout
