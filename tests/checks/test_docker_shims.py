"""Containers of a Docker that says nothing: whose they are, and what is not green while they go on."""

import json
from typing import Any

import pytest

from mailcow_wizard.checks.firewall_backend import judge_backend
from mailcow_wizard.checks.ports import judge_port
from mailcow_wizard.facts.bindings import Binding
from mailcow_wizard.facts.docker_relay import relay
from mailcow_wizard.facts.docker_shims import containers_run, left_running
from mailcow_wizard.facts.firewall.entries import entries
from mailcow_wizard.facts.firewall.forwarding import Switch
from mailcow_wizard.facts.firewall.leaving import leaving
from mailcow_wizard.facts.firewall.state import state
from mailcow_wizard.facts.mailcow_conf import MailcowConf
from mailcow_wizard.facts.network.subnet import subnet
from mailcow_wizard.facts.ports import PortFacts
from mailcow_wizard.host.errors import HostError, Missing, NoAnswer, Refused
from mailcow_wizard.host.replies import Listeners, Probe, Process, Ran
from mailcow_wizard.requirements import PORTS
from tests.docker_machine import JSON, MAILCOW, DockerHost, box, facts

DEAD = Refused("nobody takes connections on /var/run/docker.sock")
PROGRAM = "/usr/bin/containerd-shim-runc-v2"
STATUS = "/proc/1300/status"
HEAD = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
BRIDGE = "br-mailcow\t000116AC\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
TRIE = "Local:\n     |-- 172.22.1.1\n        /32 host LOCAL\n"
NO_RULES = '{"nftables": []}'
DOCKERS = json.dumps(
    {
        "nftables": [
            {"table": {"family": "ip", "name": "filter"}},
            {"chain": {"family": "ip", "table": "filter", "name": "DOCKER"}},
        ]
    }
)
_DPORT = {"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 25}}
_NAT = {"family": "ip", "table": "nat", "chain": "PREROUTING"}
SENT_ON = json.dumps(
    {
        "nftables": [
            {"table": {"family": "ip", "name": "nat"}},
            {
                "chain": {
                    "family": "ip",
                    "table": "nat",
                    "name": "PREROUTING",
                    "type": "nat",
                    "hook": "prerouting",
                    "prio": -100,
                }
            },
            {"rule": {**_NAT, "handle": 1, "expr": [_DPORT, {"dnat": {"addr": "172.22.1.253"}}]}},
        ]
    }
)
OWN = json.dumps(
    {
        "nftables": [
            {"table": {"family": "ip", "name": "docker-bridges"}},
            {"chain": {"family": "ip", "table": "docker-bridges", "name": "nat-prerouting-and-output"}},
        ]
    }
)
DEFAULT = "eth0\t00000000\t016358C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
NFT = ("nft", "-s", "-j", "list", "ruleset")


def shim(namespace: str, user: str = "root") -> Process:
    words = ("-namespace", namespace, "-id", "0" * 64) if namespace else ()
    return Process(1300, "containerd-shim", user, (PROGRAM, *words), PROGRAM, "/system.slice/docker.service")


class Quiet(DockerHost):
    """Nobody listens."""

    def listeners(self, ports: tuple[int, ...]) -> Listeners:
        return Listeners((), "netlink")


def host(*shims: Process, said: Any = DEAD, files: "dict[str, Any] | None" = None) -> Quiet:
    places = {STATUS: "NSpid:\t1300\n", "/proc/net/route": HEAD, "/proc/net/fib_trie": "", **(files or {})}
    return Quiet(said, files=places, daemon=(), others=shims)


class Silent(Quiet):
    """Its processes do not tell."""

    def running(self, names: tuple[str, ...]) -> tuple[Process, ...]:
        raise HostError("no")


class Starting(Quiet):
    """Docker makes its rules between the first look at them and the first question to it."""

    later = DOCKERS

    def source_address(self, destination: str) -> str:
        return "192.88.99.10"

    def run(self, argv: tuple[str, ...], timeout: float = 5.0, *args: Any, **more: Any) -> Ran:
        if argv == NFT:
            first = " ".join(NFT) not in self.asked
            self.asked.append(" ".join(NFT))
            return Ran(0, NO_RULES if first else self.later, "")
        return super().run(argv, timeout, *args, **more)


@pytest.mark.parametrize(
    ("machine", "run"),
    [
        (host(), False),
        (host(shim("moby")), True),
        (host(shim("moby-231072.231072")), True),  # userns-remap
        (host(shim("k8s.io")), False),
        (host(shim("plugins.moby")), False),
        (host(shim("mobydick")), False),
        (host(shim("")), None),
        (host(shim(""), shim("moby")), True),
        (host(shim("moby", "anna")), False),  # a rootless Docker
        (host(shim("moby"), files={STATUS: "NSpid:\t1300\t17\n"}), False),  # a Docker inside a container
        (host(shim("moby"), files={STATUS: Missing("it has ended")}), None),
        (host(shim("moby"), files={STATUS: HostError("no")}), None),
        (host(shim("mine"), files={JSON: '{"containerd-namespace": "mine"}'}), True),
        (host(shim("moby"), files={JSON: '{"containerd-namespace": "mine"}'}), False),
        (Silent(DEAD), None),
    ],
)
def test_whose_containers_run(machine: DockerHost, run: bool | None) -> None:
    assert containers_run(facts(machine)) is run


@pytest.mark.parametrize(
    ("machine", "left"),
    [
        (host(shim("moby")), True),
        (host(shim("moby"), said=Missing("no socket")), True),
        (host(shim("")), None),
        (host(shim("moby"), said=NoAnswer("late")), False),  # its proxies still listen
        (host(shim("moby"), said={}), False),
    ],
)
def test_what_a_docker_that_ended_left(machine: DockerHost, left: bool | None) -> None:
    assert left_running(facts(machine)) is left
    port = next(one for one in PORTS if one.id == "ports.imap")
    conf = MailcowConf("/opt/x/mailcow.conf", False, {})
    seen = PortFacts(Binding(port, "", 143), (), conf, True, "netlink", left=left)
    assert judge_port(seen).status == ("pass" if left is False else "unknown")


@pytest.mark.parametrize(
    ("machine", "rules", "status", "words"),
    [
        (host(shim("moby")), NO_RULES, "fail", "containers go on without Docker"),
        (host(shim("moby")), DOCKERS, "unknown", "its containers go on"),
        (host(shim("moby"), said=NoAnswer("late")), NO_RULES, "fail", "strangers look like neighbours"),
        (host(shim("moby"), said=NoAnswer("late")), DOCKERS, "unknown", "its containers go on"),
        (host(said=NoAnswer("late")), NO_RULES, "unknown", "none of its rules are here"),
        (host(shim("")), NO_RULES, "unknown", "none of its rules are here"),
        (host(shim("moby")), OWN, "warn", "its containers go on"),
        (host(shim("moby"), said=NoAnswer("late")), OWN, "warn", "its containers go on"),
        (host(said=NoAnswer("late")), OWN, "warn", "its containers go on"),
        (host(shim("k8s.io")), NO_RULES, "pass", "no firewall"),
        (host(), DOCKERS, "pass", "Docker has its own"),
    ],
)
def test_rules_of_a_docker_that_says_nothing(
    machine: DockerHost, rules: str, status: str, words: str
) -> None:
    machine.commands[" ".join(NFT)] = rules
    judged = judge_backend(state(facts(machine)))
    assert (judged.status, words in judged.summary) == (status, True), judged


def test_a_kernel_that_passes_nothing_on() -> None:
    machine = host()
    machine.commands[" ".join(NFT)] = DOCKERS
    seen = state(facts(machine))
    off = seen._replace(entries=seen.entries._replace(switched_off=(Switch(4, "net.ipv4.ip_forward"),)))
    judged = judge_backend(off)
    assert (judged.status, judged.severity) == ("fail", "breaks")
    assert "(net.ipv4.ip_forward is 0)" in judged.summary
    one = Switch(4, "net.ipv4.conf.eth0.forwarding", "eth0")
    (remedy,) = judge_backend(seen._replace(entries=seen.entries._replace(switched_off=(one,)))).remedies
    assert remedy.startswith("Switch it on: sysctl -w net.ipv4.conf.eth0.forwarding=1.")
    off = seen._replace(
        entries=seen.entries._replace(switched_off=(Switch(6, "net.ipv6.conf.all.forwarding"),))
    )
    assert judge_backend(off).status == "pass", "what is sent over IPv4 gets out"


NFTABLES = {"ContainersRunning": 1, "FirewallBackend": {"Driver": "nftables"}}


@pytest.mark.parametrize(
    ("rules", "status", "words"),
    [
        (OWN, "warn", "Docker uses its nftables backend"),
        (NO_RULES, "fail", "Docker's firewall rules are gone"),
        (DOCKERS, "fail", "Docker's firewall rules are gone"),  # left by the other backend
    ],
)
def test_rules_of_docker_s_own_tables(rules: str, status: str, words: str) -> None:
    files = {"/proc/net/route": HEAD, "/proc/net/fib_trie": ""}
    machine = Quiet(info=NFTABLES, files=files, commands={" ".join(NFT): rules})
    judged = judge_backend(state(facts(machine)))
    assert (judged.status, words in judged.summary) == (status, True), judged


def test_rules_that_docker_makes_meanwhile_are_not_gone() -> None:
    files = {"/proc/net/route": HEAD, "/proc/net/fib_trie": ""}
    starting = Starting(info={"ContainersRunning": 1}, files=files)
    seen = state(facts(starting))
    assert starting.asked.count(" ".join(NFT)) == 2
    assert judge_backend(seen).status == "pass"
    gone = Quiet(info={"ContainersRunning": 1}, files=files, commands={" ".join(NFT): NO_RULES})
    assert judge_backend(state(facts(gone))).status == "fail"


def _starting(service: str, later: str) -> Starting:
    """A Docker that makes its rules meanwhile, and a container of this service that publishes port 25."""
    published = {"IP": "0.0.0.0", "PrivatePort": 25, "PublicPort": 25, "Type": "tcp"}
    own = TRIE.replace("172.22.1.1", "192.88.99.10")
    files = {"/proc/net/route": HEAD + DEFAULT + BRIDGE, "/proc/net/fib_trie": own}
    boxes = [box(1, service, Ports=[published])]
    starting = Starting({"/containers/json": boxes}, info={"ContainersRunning": 1}, files=files)
    starting.later = later
    return starting


@pytest.mark.parametrize(("later", "passed_by"), [(SENT_ON, ()), (NO_RULES, (25,))])
def test_ports_that_docker_publishes_meanwhile_are_sent_on(later: str, passed_by: tuple[int, ...]) -> None:
    starting = _starting("postfix-mailcow", later)
    assert tuple(one.number for one in entries(facts(starting)).passed_by) == passed_by
    assert starting.asked.count(" ".join(NFT)) == 2


def test_a_port_of_mailcows_that_another_container_has_says_nothing_of_dockers_rules() -> None:
    assert not entries(facts(_starting("web", NO_RULES))).passed_by


@pytest.mark.parametrize("said", [DEAD, Missing("no socket"), NoAnswer("late")])
def test_mailcows_bridge_stays_when_docker_ends(said: HostError) -> None:
    there = {"/proc/net/route": HEAD + BRIDGE, "/proc/net/fib_trie": TRIE}
    seen = subnet(facts(host(said=said, files=there)))
    assert (seen.claims, seen.mine, len(seen.unread)) == ((), True, 1)
    # The same address on another interface is somebody else's.
    other = {**there, "/proc/net/route": HEAD + BRIDGE.replace("br-mailcow", "eth1")}
    assert {one.kind for one in subnet(facts(host(said=said, files=other))).claims} == {"route", "address"}
    # Networks without a bridge are known to Docker alone.
    seen = subnet(facts(host(said=said)))
    assert (seen.claims, seen.mine, len(seen.unread)) == ((), False, 1)


@pytest.mark.parametrize(
    ("conf", "bridge", "network", "told"),
    [
        ("true", True, True, True),
        ("true", False, True, False),
        ("false", False, False, True),
    ],
)
def test_ipv6_of_a_network_that_docker_does_not_tell(
    conf: str, bridge: bool, network: bool, told: bool
) -> None:
    listed = "fd4d61696c636f770000000000000001 05 40 00 80 br-mailcow\n" if bridge else ""
    files = {
        f"{MAILCOW}/mailcow.conf": f"MAILCOW_HOSTNAME=mail.example.org\nENABLE_IPV6={conf}\n",
        f"{MAILCOW}/docker-compose.yml": "",
        f"{MAILCOW}/generate_config.sh": "",
        "/proc/net/if_inet6": listed,
    }
    seen = relay(facts(host(files=files)))
    assert (seen.absent, seen.network, not seen.untold) == ("", network, told)


@pytest.mark.parametrize(("routes", "off"), [(BRIDGE, True), ("", False)])
def test_before_mailcows_network_is_there_no_switch_is_off(routes: str, off: bool) -> None:
    """Docker turns it on when it starts."""
    table = f"{HEAD}eth0\t00000000\t016358C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n{routes}"
    files = {"/proc/net/route": table, "/proc/net/fib_trie": TRIE, "/proc/sys/net/ipv4/ip_forward": "0\n"}
    machine = Outside(files=files)
    machine.commands[" ".join(NFT)] = DOCKERS
    met = facts(machine).get(leaving).container(Probe("tcp", "192.88.99.1", 25))
    assert bool(met and met.switch) is off


class Outside(DockerHost):
    """It has an address in the world."""

    def source_address(self, destination: str) -> str:
        return "192.88.99.10"
