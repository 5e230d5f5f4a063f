"""What a DNS provider asks for reaches the process that installs, and is nowhere else for others to read."""

import json
from collections.abc import Iterator

import pytest
from lab import machine
from lab.inside import wait_until
from lab.machine import Machine
from lab.skip import or_skip

pytestmark = pytest.mark.real

TOKEN = "hunter2hunter2"
# The worker itself, whose first stage tells what a provider's program would find, and ends it.
_WORKER = """
import json, os
from mailcow_wizard.facts.mail import trips
from mailcow_wizard.host.processes import doing
from mailcow_wizard.host.programs.paths import program
from mailcow_wizard.install import preconditions, worker
from mailcow_wizard.install.job import Failed
def run(job):
    argv = (*program("dns_provider"), "--provider", "acme")
    said = {"given": doing._handed_on(argv), "tsig": job.session.settings.tsig, "pid": os.getpid()}
    said["far"] = trips._far_end(job.facts())
    said["password"] = os.environ.get(trips.FAR_PASSWORD)
    with open("/root/said.new", "w") as file:
        json.dump(said, file)
    os.rename("/root/said.new", "/root/said")
    job.wait(60)
    raise Failed("seen")
preconditions.run = run
main = worker.main
"""
_BEGIN = """
import sys
from mailcow_wizard.engine.session import Session
from mailcow_wizard.host.processes import detached
from mailcow_wizard.host.real import RealHost
from mailcow_wizard.host.files.state import StateDirectory
from mailcow_wizard.install import following
from mailcow_wizard.install.standing import Choices
from mailcow_wizard.model import Settings
start = detached.start_apart
detached.start_apart = lambda module, *more: start("worker_that_tells", *more)
settings = Settings(hostname="mail.example.org", offline=True, dns_provider=sys.argv[1])
session = Session(RealHost(), settings, StateDirectory("/root/state"))
following.start(session, Choices(), lambda heard: None)
"""


@pytest.fixture(scope="module")
def debian() -> Iterator[Machine]:
    with or_skip(), machine.booted() as made:
        place = made.run(["python3", "-c", "import sys; print(sys.path[-1])"]).stdout.strip()
        made.write(f"{place}/worker_that_tells.py", _WORKER)
        yield made


@pytest.mark.parametrize("provider", ["acme", ""])
def test_they_reach_it(provider: str, debian: Machine) -> None:
    debian.run(["rm", "-rf", "/root/said", "/root/state"])
    secret = "PASSWORD" if provider else "PASSWORD_FILE"
    far = {"MAILBOX": "me@example.net", "IMAP": "imap.example.com:1993", secret: TOKEN if provider else "pw"}
    variables = {"LEXICON_ACME_AUTH_TOKEN": TOKEN, "MAILCOW_WIZARD_TSIG": "key", "OTHER": "x"}
    variables |= {f"MAILCOW_WIZARD_FAR_{name}": value for name, value in far.items()}
    begun = debian.start(["sh", "-c", f"cd /root; exec python3 -c '{_BEGIN}' '{provider}'"], variables)
    assert wait_until(lambda: debian.run(["test", "-e", "/root/said"]).returncode == 0, 30)
    said = json.loads(debian.run(["cat", "/root/said"]).stdout)
    assert said["given"] == ({"LEXICON_ACME_AUTH_TOKEN": TOKEN} if provider else {})
    assert said["tsig"] == ("" if provider else "/root/key")
    holds = "MAILCOW_WIZARD_FAR_PASSWORD" if provider else "/root/pw"
    assert said["far"] == ["me@example.net", "imap.example.com:1993", holds]
    assert said["password"] == (TOKEN if provider else None)
    assert "mailcow-wizard-install-" in debian.run(["cat", f"/proc/{said['pid']}/cgroup"]).stdout
    places = "/root/state /run/systemd /etc/systemd"
    lines = f"grep -rl {TOKEN} {places}; tr '\\0' '\\n' </proc/{said['pid']}/cmdline | grep {TOKEN}"
    shown = f"systemctl show 'mailcow-wizard-install-*' | grep {TOKEN}; journalctl | grep {TOKEN}"
    assert debian.run(["sh", "-c", f"{lines}; {shown}"]).stdout == ""
    assert debian.run(["test", "-e", "/root/state/install-credentials.json"]).returncode == 1
    debian.run(["kill", str(said["pid"])], check=True)
    assert begun.wait(30) == 0
