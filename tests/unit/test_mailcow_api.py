"""The program that adds to mailcow through its API, against a stand-in: there, twice, and back."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab import certificates, mailcow_web
from lab.inside import running
from lab.mail_server import free_ports

from mailcow_wizard.host.programs.paths import program

MAILBOX, DOMAIN = "me@example.org", "example.org"
# What docker would do: enters no container, and gives the password that the container has.
_DOCKER = """#!/bin/sh
[ "$1 $2 $3 $4 $5" = "exec -i the-database sh -c" ] || exit 9
printf '%s\\n' "$*" >> {place}/docker.log
MYSQL_PASSWORD=a MYSQL_USER=b MYSQL_DATABASE=c exec sh -c "$6"
"""


class Web:
    """The stand-in, and the program run against it."""

    def __init__(self, place: Path, port: int) -> None:
        self.place, self.port = place, port

    def run(self, *words: str, allowed: str = "127.0.0.1") -> "subprocess.CompletedProcess[str]":
        where = (f"127.0.0.1:{self.port}", "mail.example.org", "the-database", allowed)
        env = {**os.environ, "PATH": f"{self.place}/bin:{os.environ['PATH']}"}
        argv = [*program("mailcow_api"), *words, *where]
        return subprocess.run(argv, env=env, capture_output=True, text=True, timeout=60, check=False)

    def rows(self, query: str) -> list[tuple[object, ...]]:
        return mailcow_web.database(self.place).execute(query).fetchall()


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    (tmp_path / "bin").mkdir()
    ours = f"{sys.executable} -S -E {mailcow_web.__file__} {tmp_path}"
    for name, text in (
        ("docker", _DOCKER.format(place=tmp_path)),
        ("mariadb", f'#!/bin/sh\nexec {ours} sql "$@"\n'),
    ):
        (tmp_path / "bin" / name).write_text(text)
        (tmp_path / "bin" / name).chmod(0o755)
    certificate, key = certificates.self_signed(tmp_path, "web", "/CN=mail.example.org")
    port = free_ports(1)[0]
    argv = [*ours.split(), str(port), str(certificate), str(key)]
    with running(subprocess.Popen(argv, stdout=subprocess.PIPE)) as server:
        assert server.stdout is not None
        assert server.stdout.readline()
        yield Web(tmp_path, port)


def test_all_of_it_and_back(web: Web) -> None:
    """Domain, key, mailbox, then back, some of it twice. The API's key is gone, no secret was said."""
    file = web.place / "password"
    said = []
    mailbox = ("add-mailbox", MAILBOX, str(file))
    for words in (("add-domain", DOMAIN), ("add-dkim", DOMAIN), mailbox, mailbox):
        done = web.run(*words)
        assert done.returncode == 0, done.stdout + done.stderr
        said.append(done.stdout + done.stderr)
    password = file.read_text().strip()
    assert file.stat().st_mode & 0o777 == 0o600
    assert web.rows("SELECT username, password FROM mailbox") == [(MAILBOX, password)]
    assert len(password) > 20
    assert web.rows("SELECT domain, selector FROM dkim") == [(DOMAIN, "dkim")]
    assert "dkim._domainkey.example.org" in said[1]
    back = (("remove-mailbox", MAILBOX), ("remove-dkim", DOMAIN, MAILBOX), ("remove-domain", DOMAIN))
    for words in (*back, back[-1]):
        done = web.run(*words)
        assert done.returncode == 0, done.stdout + done.stderr
    for table in ("mailbox", "dkim", "domain", "api"):
        assert web.rows(f"SELECT COUNT(*) FROM {table}") == [(0,)]  # noqa: S608
    told = "".join(said) + (web.place / "docker.log").read_text()
    assert password not in told
    assert "MAILCOW-WIZARD" not in told


def test_what_holds_mail_stays(web: Web) -> None:
    file = str(web.place / "password")
    for words in (("add-domain", DOMAIN), ("add-mailbox", MAILBOX, file)):
        assert web.run(*words).returncode == 0
    with mailcow_web.database(web.place) as link:
        link.execute("UPDATE mailbox SET messages = 3")
    for words, why in (
        (("remove-mailbox", MAILBOX), "holds mail"),
        (("remove-dkim", DOMAIN, MAILBOX), "is still there"),
        (("remove-domain", DOMAIN), "has mailboxes"),
    ):
        done = web.run(*words)
        assert (done.returncode, why in done.stdout) == (1, True), done.stdout
    assert web.rows("SELECT username FROM mailbox") == [(MAILBOX,)]
    assert web.rows("SELECT domain FROM dkim") == [(DOMAIN,)]


def test_seen_from_another_address(web: Web) -> None:
    """mailcow sees us come from elsewhere than we thought: it says from where, and that is allowed."""
    assert web.run("add-domain", DOMAIN, allowed="192.0.2.1").returncode == 0
    assert web.rows("SELECT domain FROM domain") == [(DOMAIN,)]


def test_refused(web: Web) -> None:
    """What mailcow says is said; a mailbox that was not made leaves no key behind."""
    done = web.run("add-mailbox", MAILBOX, str(web.place / "password"))
    assert done.returncode == 1
    assert done.stdout.strip() == "domain_not_found example.org"
    assert web.rows("SELECT * FROM api") == []
    assert web.run("add-everything", "x").returncode == 64


def test_a_killed_run(web: Web) -> None:
    """Killed after the mailbox was made or before: the password in the file is the mailbox's."""
    file = web.place / "password"
    file.write_text("Written-2-before\n")
    with mailcow_web.database(web.place) as link:
        link.execute("INSERT INTO api VALUES ('MAILCOW-WIZARD-OLD', 1, '127.0.0.1', 'rw')")
    assert web.run("add-domain", DOMAIN).returncode == 0
    assert web.run("add-mailbox", MAILBOX, str(file)).returncode == 0
    assert web.rows("SELECT password FROM mailbox") == [("Written-2-before",)]
    assert web.rows("SELECT * FROM api") == []
