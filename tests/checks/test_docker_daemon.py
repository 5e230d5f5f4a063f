"""Whether Docker runs and comes back with the machine: every state of its engine and of its unit."""

import pytest

from mailcow_wizard.checks.docker_engine import judge_daemon
from mailcow_wizard.facts.docker import Engine
from mailcow_wizard.facts.docker_daemon import Daemon, option
from mailcow_wizard.facts.units import Unit

ANSWERS = Engine("answers", "/var/run/docker.sock", version="28.5.1", server="/usr/bin/dockerd")
SILENT = ANSWERS._replace(state="silent", trouble="no answer within 3 s", version="")
ODD = ANSWERS._replace(state="odd", trouble="HTTP 404", version="")
GONE = ANSWERS._replace(state="absent", trouble="there is no /var/run/docker.sock", version="")
DENIED = GONE._replace(state="denied")
RUNS = Unit("docker.service", "loaded", "enabled", True, True, runs=True)
STARTS = RUNS._replace(runs=False)
ENDED = RUNS._replace(active=False, runs=False)


@pytest.mark.parametrize(
    ("seen", "status", "words"),
    [
        (Daemon(ANSWERS, RUNS, at_boot=True), "pass", ""),
        (
            Daemon(ANSWERS, RUNS._replace(enabled=False), at_boot=False),
            "warn",
            "does not start with the machine",
        ),
        (
            Daemon(ANSWERS, unread="systemctl is silent"),
            "unknown",
            "whether it starts with the machine is not",
        ),
        (Daemon(SILENT, RUNS), "unknown", "takes connections but does not answer"),
        (Daemon(ODD, RUNS), "fail", "what answers is not Docker"),
        (Daemon(DENIED, RUNS), "unknown", "root can tell"),
        (Daemon(GONE, STARTS), "unknown", "Docker is starting, and does not answer yet"),
        (Daemon(GONE, STARTS, last="invalid file"), "fail", "does not run"),
        (Daemon(SILENT, STARTS, last="invalid file"), "fail", "does not run"),
        (Daemon(GONE, ENDED), "fail", "does not run"),
        (Daemon(GONE, ENDED._replace(state="masked")), "fail", "the unit is masked"),
        (Daemon(GONE._replace(server="")), "skipped", "not installed yet"),
        (Daemon(GONE, rootless=True), "skipped", "a rootless Docker answers"),
    ],
)
def test_the_daemon(seen: Daemon, status: str, words: str) -> None:
    found = judge_daemon(seen)
    assert (found.status, words in found.summary) == (status, True), found.summary
    assert bool(found.remedies) or status in ("pass", "skipped") or seen.unread


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ("dockerd --iptables=false", "iptables", "false"),
        ("dockerd --iptables=false --data-root /a --iptables=true", "iptables", "true"),
        ("dockerd --iptables --data-root /a", "iptables", "true"),
        ("dockerd --data-root=/a --data-root /b", "data-root", "/b"),
        ("dockerd -H fd://", "iptables", ""),
    ],
)
def test_an_option_that_is_said_twice_is_what_was_said_last(line: str, name: str, value: str) -> None:
    assert option(tuple(line.split()), name) == value
