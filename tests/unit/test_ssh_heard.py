"""What the far side of --ssh says before anything is run there: a real process in ssh's place says it."""

import base64
import contextlib
import json
import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.reach.ssh import Connection, Destination

# The words for the far side's shell stand last; those that clean up are written down.
_SSH = """#!/bin/sh
for last; do :; done
case $last in
*umask*) {says} ;;
*) echo "$last" >>"{said}" ;;
esac
"""
_TAKES = 'n=$(cat | wc -c); echo "mailcow-wizard-far: $n"'


def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str) -> str:
    """Where the file lies there, or why it does not."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "ssh").write_text(_SSH.format(says=says, said=tmp_path / "said"))
    (folder / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    with contextlib.closing(Connection(Destination("server"))) as connection:
        try:
            place = connection.copy(lambda: b"x" * 10, lambda part: None)
        except HostError as error:
            Path(f"{connection._own}/c").touch()
            return str(error)
        return f"{place.python} {place.directory}"


def told(python: str) -> str:
    """What our script says of itself there."""
    return f"echo 'mailcow-wizard-far: 0 none {python} /tmp/mailcow-wizard-ssh-0123456789'; {_TAKES}"


@pytest.mark.parametrize(
    "python", ["/usr/bin/python3", "/home/linuxbrew/.linuxbrew/opt/python@3.12/bin/python3"]
)
def test_where_its_python_lies(python: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = copied(tmp_path, monkeypatch, told(python))
    assert found == f"{python} /tmp/mailcow-wizard-ssh-0123456789"


@pytest.mark.parametrize("python", ["/opt/my python/bin/python3", "/opt/$(reboot)/python3"])
def test_a_path_that_is_no_word_of_a_shell(
    python: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither waited for for ever, nor run; and what was made there goes."""
    found = copied(tmp_path, monkeypatch, told(python))
    assert found == f"its Python has a path that no shell can be given: {python}"
    assert "rm -rf /tmp/mailcow-wizard-ssh-0123456789" in (tmp_path / "said").read_text()


@pytest.mark.parametrize(
    ("says", "why"),
    [
        (
            "echo 'This account is currently not available.'; exit 1",
            "nothing can be run there: This account is currently not available.",
        ),
        ("exit 127", "nothing can be run there: it says nothing"),
        ("exit 73", "the file could not be written there, neither in /tmp nor in /var/tmp"),
        ("exit 255", "there is no connection to the server"),
    ],
)
def test_what_cannot_be_done_is_not_blamed_on_the_disk(
    says: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert copied(tmp_path, monkeypatch, says) == why


@pytest.mark.skipif(not shutil.which("ssh"), reason="there is no ssh here")
@pytest.mark.parametrize("name", ["a b", "a%hb", "long" * 30, "plain"])
def test_its_sockets_have_a_place(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever TMPDIR leads: ssh itself reads the path, and so does the kernel."""
    place = tmp_path / name
    place.mkdir()
    monkeypatch.setenv("TMPDIR", str(place))
    monkeypatch.setattr("tempfile.tempdir", None)
    with contextlib.closing(Connection(Destination("server.invalid"))) as connection:
        option = connection._start[-1]
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(connection.desk)
    said = subprocess.run(["ssh", "-G", "-o", option, "server"], capture_output=True, text=True, check=False)
    path = option.partition("=")[2]
    assert f"controlpath {path}\n" in said.stdout, said.stderr
    assert not Path(path).parent.exists()


def test_mailboxes_and_files_that_variables_name_go_along_and_passwords_do_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILCOW_WIZARD_MAILBOX", "me@example.org")
    monkeypatch.setenv("MAILCOW_WIZARD_MAILBOX_PASSWORD_FILE", "/root/password")
    monkeypatch.setenv("MAILCOW_WIZARD_MAILBOX_PASSWORD", "hunter2")
    monkeypatch.setenv("MAILCOW_WIZARD_TSIG", "")
    monkeypatch.setenv("MAILCOW_WIZARD_PLAIN_DISPLAY", "1")
    folder = tmp_path / "bin"
    folder.mkdir()
    says = "echo 'mailcow-wizard-far: 0 none /usr/bin/python3 /tmp/there'; " + _TAKES
    (folder / "ssh").write_text(_SSH.format(says=says, said=tmp_path / "said"))
    (folder / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    with contextlib.closing(Connection(Destination("server"))) as connection:
        connection.copy(lambda: b"x" * 10, lambda part: None)
        connection.run(("verify",), ("here", "here"), "", False)
    line = next(one for one in (tmp_path / "said").read_text().splitlines() if "--far" in one)
    asked = json.loads(base64.urlsafe_b64decode(line.split()[-1]))
    ours = {name: value for name, value in asked["environment"].items() if name.startswith("MAILCOW_WIZARD")}
    assert ours == {
        "MAILCOW_WIZARD_MAILBOX": "me@example.org",
        "MAILCOW_WIZARD_MAILBOX_PASSWORD_FILE": "/root/password",
        "MAILCOW_WIZARD_PLAIN_DISPLAY": "1",
    }
    assert "hunter2" not in json.dumps(asked)
