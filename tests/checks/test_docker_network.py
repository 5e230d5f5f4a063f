"""Options of Docker's networks that mailcow does not get along with: those of its own network, and those that
Docker gives to a new one."""

import json
from typing import Any

import pytest

from mailcow_wizard.checks.docker_settings import judge_daemon_json
from mailcow_wizard.facts.docker_json import daemon_settings, rules
from mailcow_wizard.facts.docker_network import PREFIX, defaults
from mailcow_wizard.facts.docker_relay import relay
from mailcow_wizard.model import Judgement
from tests.docker_machine import JSON, MAILCOW, DockerHost, facts


def options(**said: object) -> dict[str, Any]:
    return {"bridge": {f"{PREFIX}{key}": value for key, value in said.items()}}


def network(**said: str) -> dict[str, Any]:
    labels = {"com.docker.compose.project": "mailcowdockerized"}
    return {
        "Name": "mailcowdockerized_mailcow-network",
        "Labels": labels,
        "Options": options(**said)["bridge"],
    }


def judged(new: dict[str, Any], *made: dict[str, Any], words: tuple[str, ...] = ()) -> Judgement:
    said = {"/networks": list(made)}
    daemon = ("/usr/bin/dockerd", *words)
    text = json.dumps({"default-network-opts": new} if new else {})
    return judge_daemon_json(daemon_settings(facts(DockerHost(said, files={JSON: text}, daemon=daemon))))


@pytest.mark.parametrize(
    ("key", "value", "status", "words"),
    [
        ("host_binding_ipv4", "127.0.0.1", "fail", "published to this machine alone"),
        ("host_binding_ipv4", "192.0.2.10", "warn", "at one address alone, and not over IPv6"),
        ("host_binding_ipv4", "::", "fail", "not published over IPv4"),
        ("host_binding_ipv4", "localhost", "fail", "which is no address"),
        ("host_binding_ipv4", "0.0.0.0", "pass", ""),
        ("host_binding_ipv4", "", "pass", ""),
        ("enable_icc", "false", "fail", "do not reach each other"),
        ("enable_icc", "0", "fail", "do not reach each other"),
        ("enable_icc", "true", "pass", ""),
        ("enable_ip_masquerade", "false", "fail", "have no way out"),
        ("gateway_mode_ipv4", "routed", "fail", "not published over IPv4"),
        ("gateway_mode_ipv4", "isolated", "fail", "not published over IPv4"),
        ("gateway_mode_ipv4", "nat-unprotected", "pass", ""),
        ("name", "br-x", "pass", ""),
    ],
)
def test_options(key: str, value: str, status: str, words: str) -> None:
    for found in (
        judged(options(**{key: value})),
        judged({}, network(**{key: value})),
        judged({}, words=(f"--default-network-opt=bridge={PREFIX}{key}={value}",)),
        judged({}, words=("--default-network-opt", f"bridge={PREFIX}{key}={value}", "-H", "fd://")),
    ):
        assert (found.status, words in found.summary) == (status, True), found
        assert status == "pass" or f"{PREFIX}{key}={value}" in found.summary


def test_a_network_that_is_there_has_its_own() -> None:
    bad = options(host_binding_ipv4="127.0.0.1")
    assert judged(bad, network(name="br-mailcow")).status == "pass"
    other = {**network(), "Name": "x", "Labels": {}}
    assert judged(bad, other).status == "fail"
    assert "made anew" in judged({}, network(enable_icc="false")).remedies[0]


def test_what_is_said_of_other_drivers_and_of_nothing() -> None:
    assert defaults(("--default-network-opt=overlay=com.docker.network.bridge.x=1",), {}) == {}
    assert defaults(("--default-network-opt",), {"default-network-opts": {"bridge": [1]}}) == {}
    assert defaults((), {"default-network-opts": 1}) == {}


@pytest.mark.parametrize(
    ("settings", "address", "open_v6"),
    [
        # The address of the default bridge, which mailcow does not use.
        ({"ip": "127.0.0.1"}, "", True),
        ({}, "", True),
        ({"default-network-opts": options(host_binding_ipv4="192.0.2.10")}, "192.0.2.10", False),
        ({"default-network-opts": options(host_binding_ipv4="0.0.0.0")}, "0.0.0.0", True),
    ],
)
def test_whether_postfix_is_published_over_ipv6(
    settings: dict[str, Any], address: str, open_v6: bool
) -> None:
    files = {
        f"{MAILCOW}/mailcow.conf": "MAILCOW_HOSTNAME=mail.example.org\n",
        f"{MAILCOW}/docker-compose.yml": "",
        f"{MAILCOW}/generate_config.sh": "",
        JSON: json.dumps(settings),
    }
    known = facts(DockerHost(files=files))
    assert rules(known).address == address
    assert relay(known).open_v6 is open_v6
    # A network that is there was made with other options, perhaps.
    there = facts(DockerHost({"/networks": [network()]}, files=files))
    assert relay(there).open_v6 is True
