"""Answers as they are written: what is read of them again is what was known; nothing secret is in them."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from fake_host import FakeHost

from mailcow_wizard.answers.collecting import Collected, collect
from mailcow_wizard.answers.reading import read
from mailcow_wizard.answers.writing import save, secrets_text, text
from mailcow_wizard.engine.acknowledging import Acknowledgements, Entry
from mailcow_wizard.engine.given import NEW, Allowed, Choices, FirstMailbox, Given
from mailcow_wizard.engine.journal import Journal
from mailcow_wizard.engine.session import Answers, Session
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.files.state import StateDirectory
from mailcow_wizard.model import Acknowledgement, Command, Plan, Settings

DIRECTORY = "/opt/mailcow-dockerized"
CONF = """\
MAILCOW_HOSTNAME=mail.example.org
DBPASS=hunter2hunter2
DBROOT=hunter2hunter2root
REDISPASS=hunter2hunter2redis
API_KEY=secret-key
API_ALLOW_FROM=127.0.0.1
HTTP_PORT=8080
HTTP_BIND=127.0.0.1
HTTPS_PORT=8443
HTTPS_BIND=127.0.0.1
HTTP_REDIRECT=n
SMTP_PORT=25
SQL_PORT=127.0.0.1:13306
DOVEADM_PORT=127.0.0.1:19992
TZ=Europe/Berlin
DOCKER_COMPOSE_VERSION=native
SKIP_CLAMD=y
ADDITIONAL_SAN=imap.*, smtp.*
DOVECOT_MASTER_USER=backup
OWN_KEY=own
IPV4_NETWORK=172.30.5
ENABLE_IPV6=true
"""
ZONES = {"/usr/share/zoneinfo/Europe/Berlin": "TZif2", "/usr/share/zoneinfo": ""}
SAID = Settings(
    directory=DIRECTORY,
    domains=("example.org", "example.com"),
    addresses=("192.0.2.1",),
    resolver="192.0.2.53",
    ntp=("ntp.example.org",),
    dns_provider="hetzner",
)
CHOSEN = Choices(
    "/srv/a b",
    "nightly",
    1400,
    (Allowed("network.icmp", "skip-healthcheck", "v4"),),
    NEW,
    FirstMailbox("me@example.org", "/root/password"),
)


class Machine(FakeHost):
    """A machine without a network."""

    def source_address(self, destination: str) -> str:
        raise HostError("no route")


def session(place: Path, conf: str | None = CONF, settings: Settings = SAID) -> Session:
    """A machine with this mailcow.conf."""
    files = dict(ZONES)
    if conf is not None:
        files[f"{DIRECTORY}/mailcow.conf"] = conf
    return Session(Machine(files), settings, StateDirectory(str(place / "state")))


def written(place: Path, some: Collected) -> tuple[str, Given]:
    """What is written, and what is read of it."""
    path = save(StateDirectory(str(place / "state")), some)
    return Path(path).read_text(), read(path, FakeHost(ZONES))


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    here = session(tmp_path)
    known = Acknowledgements(here.state)
    reason = 'it "is" so, \\ \x1b[1m'
    known.put(
        Entry("network.icmp", "v4", Acknowledgement(reason, "anna", "2026-11-27T10:00:00Z", "2999-12-31"))
    )
    known.put(Entry("system.memory", None, Acknowledgement("x", "", "2026-11-27T10:00:00Z", None)))
    known.put(Entry("system.swap", None, Acknowledgement("x", "anna", "2026-11-27T10:00:00Z", "2020-01-01")))
    said, found = written(tmp_path, collect(here, CHOSEN))
    assert found.answers == Answers("mail.example.org", ("example.org", "example.com"))
    assert (found.directory, found.addresses) == (DIRECTORY, ("192.0.2.1",))
    assert (found.resolver, found.ntp, found.dns_provider) == ("192.0.2.53", ("ntp.example.org",), "hetzner")
    assert found.choices == CHOSEN
    assert found.secrets == {"API_KEY": "secret-key"}
    accepted = {one.key: one.acknowledgement for one in found.accepted}
    assert list(accepted) == [("network.icmp", "v4"), ("system.memory", None)]
    assert accepted["network.icmp", "v4"].until == "2999-12-31"
    assert 'is" so' in accepted["network.icmp", "v4"].reason
    assert accepted["system.memory", None].until is not None
    values = dict(one.split("=", 1) for one in found.conf)
    assert values["TZ"] == "Europe/Berlin"
    assert (values["HTTP_PORT"], values["HTTPS_BIND"]) == ("8080", "127.0.0.1")
    assert values["DOVEADM_PORT"] == "127.0.0.1:19992"
    assert "SQL_PORT" not in values  # mailcow's own value
    assert "# \\x1b" not in said
    assert said.isascii() or "…" in said


def test_it_says_where_each_answer_came_from(tmp_path: Path) -> None:
    said = text(collect(session(tmp_path), CHOSEN), "")
    for line in (
        'hostname = "mail.example.org"  # from mailcow.conf',
        'resolver = "192.0.2.53"  # said by option, on a screen or in answers',
        "mtu = 1400  # said by option, on a screen or in answers",
        "HTTP_PORT = 8080  # from mailcow.conf",
        'branch = "nightly"  # chosen for the install',
        "# Allowed before.",
    ):
        assert f"\n{line}\n" in said
    assert all(len(line) <= 140 for line in said.splitlines())


def test_what_the_rules_forbid_is_put_right_or_left_out(tmp_path: Path) -> None:
    """Else the file would be refused where it is used."""
    said, found = written(tmp_path, collect(session(tmp_path), Choices()))
    values = dict(one.split("=", 1) for one in found.conf)
    assert values["ADDITIONAL_SAN"] == "imap.*,smtp.*"
    assert "DOVECOT_MASTER_USER" not in values
    assert "OWN_KEY" not in values
    words = " ".join(line.removeprefix("# ") for line in said.splitlines())
    assert "Not as it is here: DOVECOT_MASTER_USER and DOVECOT_MASTER_PASS go together" in words


def changed(here: Session, check: str, fix: str, *argv: str) -> str:
    """A change that was made here; its id."""
    step = Command(argv or ("true",))
    plan = Plan(check, None, fix, "A change", (step,), "low", True, True, "")
    journal = Journal(here.state)
    change = journal.add(plan, {}, "2026-11-27T10:00:00Z", here.settings._asdict())
    journal.write(change, journal.standing(change)._replace(state="applied"))
    return change


def test_what_was_made_here_is_made_again(tmp_path: Path) -> None:
    """But not what an install does by itself, and not what was taken back."""
    here = session(tmp_path)
    mended = changed(here, "ports.smtp", "stop-service")
    own = changed(here, "system.tools", "install-tools")
    changed(here, "docker.engine", "install-docker")
    changed(here, "firewall.local", "disable-firewall")
    changed(here, "mail.admin-password", "reset-admin")
    changed(
        here, "mail.round-trip", "first-mailbox", "python", "add-mailbox", "me@example.org", "/root/pw", "x"
    )
    back = changed(here, "time.timezone", "set-timezone")
    journal = Journal(here.state)
    journal.write(back, journal.standing(back)._replace(state="undone"))
    said, found = written(tmp_path, collect(here, Choices(), (own,)))
    assert found.choices == Choices(
        fixes=(Allowed("ports.smtp", "stop-service"),),
        admin=NEW,
        mailbox=FirstMailbox("me@example.org", "/root/pw"),
    )
    assert f"# Made here, change {mended} of 2026-11-27." in said


def test_no_secret_is_in_it(tmp_path: Path) -> None:
    some = collect(session(tmp_path), Choices())
    said, _ = written(tmp_path, some)
    assert "hunter2" not in said
    assert "secret-key" not in said
    assert "hunter2" not in secrets_text(some)
    for name in ("answers.toml", "secrets.toml"):
        assert (tmp_path / "state/answers" / name).stat().st_mode & 0o777 == 0o600


def test_without_mailcow_conf(tmp_path: Path) -> None:
    """What was answered, and what is found on the machine."""
    planned = SAID._replace(conf=("HTTP_PORT=8090", "TZ=Europe/Berlin"), saved_hostname="mx.example.org")
    said, found = written(tmp_path, collect(session(tmp_path, None, planned), Choices()))
    assert {"HTTP_PORT=8090", "TZ=Europe/Berlin"} <= set(found.conf)
    assert not found.secrets
    assert 'timezone = "Europe/Berlin"  # said by option' in said


def test_nothing_known(tmp_path: Path) -> None:
    """Every key stands there as an example, behind a #."""
    said, found = written(tmp_path, collect(session(tmp_path, None, Settings()), Choices()))
    assert found.answers == Answers()
    assert "\n# mtu = 1400\n" in said
    uncommented = "\n".join(
        line[2:]
        if line.startswith("# ")
        and ((" = " in line and "  " not in line) or re.fullmatch(r"# \[+\w+\]+", line))
        else line
        for line in said.splitlines()
    )
    assert "check = " in uncommented
    import tomli

    tomli.loads(uncommented)


@pytest.mark.parametrize("more", [(), ("--hostname", "mx.example.net", "--domain", "example.net")])
def test_the_command_writes_what_it_reads(tmp_path: Path, more: tuple[str, ...]) -> None:
    words = ("answers", "--demo", "--state-dir", str(tmp_path / "state"))
    argv = [sys.executable, "-m", "mailcow_wizard", *words]
    first = subprocess.run([*argv, *more], capture_output=True, text=True, timeout=60)
    assert (first.returncode, "[REMOVED]" in first.stdout) == (0, False)
    (tmp_path / "a.toml").write_text(first.stdout)
    again = subprocess.run(
        [*argv, "--answers", str(tmp_path / "a.toml"), *more], capture_output=True, text=True, timeout=60
    )
    assert (again.returncode, again.stderr) == (0, "")
    assert again.stdout == first.stdout
    assert not (tmp_path / "state").exists()


def test_no_path_is_broken_in_a_remark(tmp_path: Path) -> None:
    said = text(collect(session(tmp_path), CHOSEN), "")
    remarks = [line for line in said.splitlines() if line.startswith("#")]
    assert [line for line in remarks if line.endswith("-")] == []
    assert any("/root/mailcow-admin-password" in line for line in remarks)
