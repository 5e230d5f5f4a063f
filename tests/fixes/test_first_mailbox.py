"""The plan of the first mailbox: what is there already is left out, what cannot be is refused."""

import json
from typing import Any

import pytest

from mailcow_wizard.facts.dns.signing import SCRIPT as KEYS
from mailcow_wizard.facts.mail.mailboxes import _QUERY, _SCRIPT
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.fixes import NoPlan
from mailcow_wizard.fixes.first_mailbox import plan
from mailcow_wizard.host.replies import HttpReply
from mailcow_wizard.model import Command, Plan, Settings
from tests.checks.mail_machine import DIRECTORY, NAME, MailMachine, container

MAILBOX, DOMAIN = "me@example.org", "example.org"
FILE = "/root/password"
KEY = "A" * 392


class Machine(MailMachine):
    """Docker also lists what runs for those who ask for that alone."""

    def http(self, socket_path: str, target: str, timeout: float = 3.0) -> HttpReply:
        return super().http(socket_path, "/containers/json?all=1" if "containers/json" in target else target)


def planned(counts: str, key: str = "", mailbox: str = MAILBOX, kept: bool = False, **more: Any) -> Plan:
    domain = mailbox.partition("@")[2]
    query = _QUERY.format(domain=domain, mailbox=mailbox)
    commands = {
        f"docker exec id-mysql-mailcow sh -c {_SCRIPT} sh {query}": counts,
        f"docker exec id-redis-mailcow sh -c {KEYS} sh {domain}": f"{'dkim' if key else ''}\n{key}\n",
    }
    boxes = tuple(container(f"{one}-mailcow") for one in ("mysql", "redis", "nginx"))
    machine = Machine(boxes, commands=commands, **more)
    return plan(Facts(machine, Settings(directory=DIRECTORY, offline=True)), mailbox, FILE, kept)


def tasks(made: Plan) -> list[str]:
    return [step.argv[2] for step in made.steps if isinstance(step, Command)]


def test_from_nothing() -> None:
    made = planned("0\t0\t0\t0\n")
    assert tasks(made) == ["add-domain", "add-dkim", "add-mailbox"]
    assert [step.undo[0][2] for step in made.steps if isinstance(step, Command)] == [
        *("remove-domain", "remove-dkim", "remove-mailbox"),
    ]
    where = next(step.argv[-4:] for step in made.steps if isinstance(step, Command))
    assert where[:3] == ("127.0.0.1:443", NAME, "mailcowdockerized-mysql-mailcow-1")
    assert {"172.22.1.1", "127.0.0.1", "198.51.100.7"} <= set(where[3].split(","))
    assert (made.reversible, made.needs_root, "SOGo" in made.interrupts) == (True, True, True)
    assert "password" not in json.dumps([step.argv[2:] for step in made.steps[:1]])


def test_what_is_there_is_left_alone() -> None:
    """Taking it back would else take away what others made."""
    made = planned("1\t0\t0\t0\n", KEY, kept=True)
    assert tasks(made) == ["add-mailbox"]
    assert made.interrupts == ""
    assert any(FILE in getattr(step, "text", "") for step in made.steps)


def test_another_place() -> None:
    conf = f"MAILCOW_HOSTNAME={NAME}\nHTTPS_BIND=198.51.100.9\nHTTPS_PORT=8443\nIPV4_NETWORK=10.9.8\n"
    made = planned("0\t0\t0\t0\n", conf=conf)
    where = next(step.argv[-4:] for step in made.steps if isinstance(step, Command))
    assert where[0] == "198.51.100.9:8443"
    assert "10.9.8.1" in where[3].split(",")


@pytest.mark.parametrize(
    ("counts", "more", "why"),
    [
        ("1\t0\t1\t0\n", {}, "is there already"),
        ("1\t0\t0\t1\n", {}, "is an alias"),
        ("0\t1\t0\t0\n", {}, "stands for another domain"),
        ("0\t0\t0\t0\n", {"mailbox": f"me@{NAME}"}, "the server's own name"),
        ("0\t0\t0\t0\n", {"key": "no key"}, "does not tell its DKIM keys"),
        ("0\t0\t0\t0\n", {"files": {FILE: "x"}}, "exists already"),
    ],
)
def test_refused(counts: str, more: dict[str, Any], why: str) -> None:
    with pytest.raises(NoPlan, match=why):
        planned(counts, **more)
