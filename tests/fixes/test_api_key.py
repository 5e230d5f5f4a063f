"""The plan of a lasting key of mailcow's API: where it is refused, for whom it is, that nothing shows it."""

import json
from typing import Any

import pytest

from mailcow_wizard.conf.document import Document
from mailcow_wizard.engine import api_key as engine
from mailcow_wizard.engine.readable import steps
from mailcow_wizard.facts.mail.mailboxes import _KEYS, _SCRIPT
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.fixes import NoPlan
from mailcow_wizard.fixes.api_key import plan, this_machine
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.model import Command, Edit, Plan, Settings
from tests.checks.mail_machine import DIRECTORY, NAME, container
from tests.fixes.test_first_mailbox import Machine


def facts(count: str = "0\n", conf: str = f"MAILCOW_HOSTNAME={NAME}\n", **more: Any) -> Facts:
    commands = {f"docker exec id-mysql-mailcow sh -c {_SCRIPT} sh {_KEYS}": count}
    boxes = tuple(container(f"{one}-mailcow") for one in ("mysql", "redis", "nginx", "php-fpm"))
    machine = Machine(boxes, commands=commands, conf=conf, **more)
    return Facts(machine, Settings(directory=DIRECTORY, offline=True))


def written(made: Plan) -> Document:
    (edit,) = (one for one in made.steps if isinstance(one, Edit))
    assert edit.after is not None
    return Document.read(edit.after)


def test_for_this_machine_alone() -> None:
    made = plan(facts())
    key, allowed = written(made).get("API_KEY"), written(made).get("API_ALLOW_FROM")
    assert key == engine.made(made)
    assert (key[:8], len(key)) == ("LASTING-", 40)
    assert allowed == this_machine(facts())
    # As the containers see this machine: through Docker's proxy, and under its own address.
    assert {"172.22.1.1", "127.0.0.1", "::1", "198.51.100.7"} <= set(str(allowed).split(","))
    first, anew, tried = (one for one in made.steps if isinstance(one, Command))
    assert (first.argv[2], first.undo[0][2], tried.argv[2]) == ("first", "forget", "try")
    assert anew.argv[-2:] == ("--no-deps", "php-fpm-mailcow")
    assert first.undo[0][-len(anew.argv) :] == anew.argv
    assert (made.reversible, made.needs_root, "web interface" in made.interrupts) == (True, True, True)


def test_nothing_shows_it() -> None:
    made = plan(facts())
    key = engine.made(made)
    assert key
    assert key not in json.dumps(steps(made))
    assert not any(key in word for one in made.steps if isinstance(one, Command) for word in one.argv)
    assert plan(facts()) != made  # another one each time


def test_for_others() -> None:
    made = plan(facts(), "203.0.113.0/24,2001:db8::7")
    assert written(made).get("API_ALLOW_FROM") == "203.0.113.0/24,2001:db8::7"
    assert any("203.0.113.0/24" in getattr(one, "text", "") for one in made.steps)


def test_the_standalone_compose() -> None:
    made = plan(facts(conf=f"MAILCOW_HOSTNAME={NAME}\nDOCKER_COMPOSE_VERSION=standalone\n"))
    assert [one.argv[0] for one in made.steps if isinstance(one, Command)][1] == "docker-compose"


@pytest.mark.parametrize(
    ("more", "allowed", "why"),
    [
        ({"conf": f"MAILCOW_HOSTNAME={NAME}\nAPI_KEY=abc\nAPI_ALLOW_FROM=::1\n"}, "", "has an API_KEY"),
        ({"count": "1\n"}, "", "made in its web interface"),
        ({}, "192.0.2.300", "API_ALLOW_FROM"),
    ],
)
def test_refused(more: dict[str, Any], allowed: str, why: str) -> None:
    with pytest.raises(NoPlan, match=why):
        plan(facts(**more), allowed)


@pytest.mark.parametrize("said", ["", "ERROR 1045\n", "-1\n", "٣\n", "9" * 5000])
def test_a_database_that_does_not_say(said: str) -> None:
    with pytest.raises(HostError, match="does not tell whether its API has a key"):
        plan(facts(said))


def test_a_plan_of_something_else_has_none() -> None:
    assert engine.made(plan(facts())._replace(fix="conf-set")) == ""
