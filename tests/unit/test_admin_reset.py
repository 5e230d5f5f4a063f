"""mailcow's script for the administrator's password: run on a terminal, its password kept from all output."""

import os
import stat
import subprocess
from pathlib import Path

import pytest

from mailcow_wizard.facts.store import Facts
from mailcow_wizard.fixes.mail import PASSWORD_FILE, offers
from mailcow_wizard.host.files.new_password import shown_once
from mailcow_wizard.host.programs.admin_reset import SCRIPT
from mailcow_wizard.host.programs.paths import program
from mailcow_wizard.model import Command, Judgement, Settings
from tests.checks.mail_machine import DIRECTORY, MailMachine, container

# As mailcow's: it asks, `docker exec -it` needs a terminal, and the end is printed on several lines.
WORKS = """\
read -r -p "Are you sure you want to reset the mailcow administrator account? [y/N] " response
[[ $response =~ ^[yY]$ ]] || { echo "Operation canceled."; exit 0; }
[ -t 0 ] || { echo "the input device is not a TTY"; exit 1; }
printf '\\nReset credentials:\\n---\\nUsername: admin\\nPassword: %s\\nTFA: none\\n' "Ge_heim-4711"
"""


def reset(place: Path, script: str) -> "tuple[subprocess.CompletedProcess[str], Path]":
    (place / "helper-scripts").mkdir()
    (place / SCRIPT).write_text(script)
    file = place / "password"
    argv = [*program("admin_reset"), str(place), str(file)]
    done = subprocess.run(
        argv, capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL
    )
    return done, file


def test_the_password_is_in_the_file_alone(tmp_path: Path) -> None:
    done, file = reset(tmp_path, WORKS)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Ge_heim" not in done.stdout + done.stderr
    assert str(file) in done.stdout
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not Path(f"{file}.part").exists()
    assert shown_once(str(file)) == "Ge_heim-4711"
    assert not file.exists()
    assert shown_once(str(file)) == ""


def test_an_older_file_is_replaced(tmp_path: Path) -> None:
    """Also one that somebody made a link of."""
    precious = tmp_path / "precious"
    precious.write_text("x")
    (tmp_path / "password").symlink_to(precious)
    done, file = reset(tmp_path, WORKS)
    assert done.returncode == 0
    assert precious.read_text() == "x"
    assert not file.is_symlink()


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo 'MySQL (mysql-mailcow) is not up and running, exiting...'; exit 1", "is not up and running"),
        ("echo ERROR 1045: Access denied for geheim; echo 'Password: geheim'", "Access denied for …"),
        ("echo nothing", "it named no password"),
        ("exit 3", "it named no password"),
    ],
)
def test_a_script_that_fails(tmp_path: Path, script: str, words: str) -> None:
    done, file = reset(tmp_path, script)
    assert done.returncode == 1
    assert words in done.stdout
    assert "geheim" not in done.stdout + done.stderr
    assert not file.exists()


FAIL = Judgement("fail", "admin still has the password")


def machine(*running: str, script: bool = True) -> Facts:
    boxes = tuple(container(one) for one in running)
    files = {f"{DIRECTORY}/{SCRIPT}": "x"} if script else {}
    return Facts(MailMachine(boxes, files=files), Settings(directory=DIRECTORY))


def test_when_it_is_offered() -> None:
    both = ("mysql-mailcow", "dovecot-mailcow")
    (offer,) = offers("mail.admin-password", FAIL, machine(*both))
    plan = offer.plan()
    assert (plan.fix, plan.reversible, plan.needs_root) == ("reset-admin", False, True)
    command = plan.steps[0]
    assert isinstance(command, Command)
    assert command.argv[-2:] == (DIRECTORY, PASSWORD_FILE)
    assert os.path.isfile(command.argv[1])
    assert not offers("mail.admin-password", Judgement("unknown", "x"), machine(*both))
    assert not offers("mail.relay", FAIL, machine(*both))
    assert not offers("mail.admin-password", FAIL, machine(*both, script=False))
    assert not offers("mail.admin-password", FAIL, machine("mysql-mailcow"))
