"""The open relay through Docker's proxy, judged from what is known."""

import pytest

from mailcow_wizard.checks.docker_relay import judge_relay
from mailcow_wizard.facts.docker_json import Rules
from mailcow_wizard.facts.docker_relay import Relay, relay
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.model import Settings
from tests.docker_machine import JSON, DockerHost

ON = Rules(True, True, True, "")
RUNS = Relay("", ("2a01::1",), (("0.0.0.0", 25), ("::", 25)), network=True, made=True, rules=ON)
DIRECTORY = "/opt/mailcow-dockerized"


@pytest.mark.parametrize(
    ("seen", "status", "words"),
    [
        (RUNS, "pass", "every client's own address"),
        (RUNS._replace(passed_by=(4,)), "fail", "what comes over IPv4: open relay"),
        (RUNS._replace(passed_by=(4, 6)), "fail", "what comes over IPv4 and IPv6: open relay"),
        (RUNS._replace(passed_by=(4,), addresses=()), "fail", "open relay"),
        (RUNS._replace(passed_by=(4,), rules=ON._replace(proxy=False)), "pass", "proxy is off"),
        (RUNS._replace(rules=None), "unknown", "daemon.json is not valid"),
        (RUNS._replace(rules=ON._replace(ip6tables=False)), "fail", "no rules for IPv6"),
    ],
)
def test_who_looks_like_a_neighbour(seen: Relay, status: str, words: str) -> None:
    said = judge_relay(seen)
    assert said.status == status
    assert words in said.summary


def test_a_broken_daemon_json_says_nothing_of_rules() -> None:
    files = {f"{DIRECTORY}/mailcow.conf": "MAILCOW_HOSTNAME=mail.example.org\n", JSON: '{ "ipv6": true, }'}
    seen = relay(Facts(DockerHost(files=files), Settings(directory=DIRECTORY)))
    assert (seen.absent, seen.rules) == ("", None)
