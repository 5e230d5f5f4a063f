"""docker.*: what Docker and its programs leave unanswered is not taken for an answer."""

from ipaddress import ip_address
from typing import Any

import pytest

from mailcow_wizard import requirements_docker as need
from mailcow_wizard.checks import docker
from mailcow_wizard.checks.config_values import COMPOSE
from mailcow_wizard.engine import runner
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError, NoAnswer
from mailcow_wizard.host.replies import DnsQuestion, DnsReply, HttpReply
from mailcow_wizard.model import Check, Judgement, Settings
from tests.checks.test_docker import (
    CONF,
    NAME,
    OFF,
    OLD_SCRIPT,
    ON,
    POSTFIX,
    POSTFIX_V4,
    RUNNING,
    SHORT,
    STANDALONE,
)
from tests.dns_world import Rows, World
from tests.docker_machine import GLOBAL_V6, JSON, MAILCOW, DockerHost, facts
from tests.judged import look

CHECKS: dict[str, Check] = {one.id.partition(".")[2]: one for one in docker.CHECKS}


class Silent(DockerHost):
    """An engine that leaves one question unanswered."""

    without = "/networks"

    def http(self, socket_path: str, target: str, timeout: float = 3.0) -> HttpReply:
        if target == self.without:
            raise NoAnswer(f"{socket_path} did not answer within 3 s")
        return super().http(socket_path, target, timeout)


def relay(host: type[DockerHost], said: dict[str, Any], conf: str, settings: str = "{}") -> Judgement:
    files = {CONF: NAME + conf, JSON: settings, "/proc/net/if_inet6": GLOBAL_V6}
    return look(CHECKS["relay"], facts(host(said, files=files)))


@pytest.mark.parametrize("conf", ["", ON, OFF])
@pytest.mark.parametrize("said", [{RUNNING: [POSTFIX]}, {}])
def test_a_network_that_docker_does_not_tell_of(conf: str, said: dict[str, Any]) -> None:
    """What mailcow.conf wants is not what the network is."""
    judged = relay(Silent, said, conf)
    assert (judged.status, judged.certainty) == ("unknown", "untested"), judged
    assert "/var/run/docker.sock did not answer within 3 s" in judged.summary
    assert judged.remedies


def test_a_running_postfix_without_a_network_that_is_known() -> None:
    judged = relay(DockerHost, {RUNNING: [POSTFIX]}, ON)
    assert (judged.status, "lists no network of mailcowdockerized" in judged.summary) == ("unknown", True)


@pytest.mark.parametrize(
    ("box", "settings"),
    [(POSTFIX, '{"userland-proxy": false}'), (POSTFIX_V4, "{}")],
    ids=["no proxy", "IPv4"],
)
def test_where_the_network_does_not_matter(box: dict[str, Any], settings: str) -> None:
    assert relay(Silent, {RUNNING: [box]}, ON, settings).status == "pass"


LATE = NoAnswer("docker did not end within 5 s")
BOTH = {"compose": CHECKS["compose"], "flavor": CHECKS["flavor"], "config": COMPOSE}


@pytest.mark.parametrize(
    ("check", "native", "standalone", "value", "status"),
    [
        ("compose", LATE, "1.29.2", None, "unknown"),
        ("compose", LATE, None, None, "unknown"),
        ("compose", LATE, "2.40.3", None, "pass"),  # one that mailcow takes is there, whatever the other is
        ("compose", None, LATE, None, "unknown"),
        ("compose", "2.40.3", LATE, None, "pass"),
        ("flavor", LATE, "1.29.2", "native", "unknown"),
        ("flavor", LATE, "2.40.3", "native", "unknown"),
        ("flavor", LATE, "2.40.3", None, "unknown"),
        ("flavor", LATE, "2.40.3", "standalone", "pass"),
        ("flavor", LATE, "2.40.3", "podman", "fail"),
        ("flavor", "2.40.3", LATE, "standalone", "unknown"),
        ("flavor", "2.40.3", LATE, "native", "pass"),
        ("config", LATE, "2.40.3", "native", "unknown"),
        ("config", LATE, "1.29.2", "native", "unknown"),
        ("config", LATE, "2.40.3", "standalone", "pass"),
        ("config", "2.40.3", LATE, "standalone", "unknown"),
        ("config", "2.40.3", "1.29.2", "standalone", "fail"),
        ("config", None, "2.40.3", "native", "fail"),
    ],
)
def test_a_compose_that_is_silent(
    check: str, native: Any, standalone: Any, value: str | None, status: str
) -> None:
    """It is not one that is not installed."""
    said = {SHORT: native, STANDALONE: standalone}
    files = {CONF: f"{NAME}DOCKER_COMPOSE_VERSION={value}\n"} if value else {}
    judged = look(BOTH[check], facts(DockerHost(commands=said, files=files)))
    assert judged.status == status, judged
    assert judged.status != "unknown" or (judged.remedies and "within 5 s" in judged.summary)


def test_a_silent_plugin_may_be_newer_than_an_old_mailcow_takes() -> None:
    files = {f"{MAILCOW}/docker-compose.yml": "", f"{MAILCOW}/_modules/scripts/core.sh": OLD_SCRIPT}
    host = DockerHost(commands={SHORT: LATE, STANDALONE: "2.40.3"}, files=files)
    assert look(CHECKS["compose"], facts(host)).status == "unknown"


class Resolving(DockerHost):
    """The resolvers say this of every name, or tell this address; empty: nothing."""

    code = ""

    def ask_dns(self, questions: tuple[DnsQuestion, ...], timeout: float = 3.0) -> tuple[DnsReply, ...]:
        if not self.code:
            return super().ask_dns(questions, timeout)
        return tuple(DnsReply("192.0.2.53", "udp", _packet(one, self.code), 0.01, "") for one in questions)


def _packet(question: DnsQuestion, code: str) -> bytes:
    """An answer without records, or with one address."""
    number = {"NXDOMAIN": 3, "SERVFAIL": 2}.get(code, 0)
    name = b"".join(bytes([len(one)]) + one.encode() for one in question.name.split(".") if one) + b"\0"
    known = b"" if number else b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + ip_address(code).packed
    head = b"\0\1\x81" + bytes([0x80 | number]) + b"\0\1\0" + bytes([bool(known)]) + b"\0\0\0\0"
    return head + name + b"\0\1\0\1" + known


@pytest.mark.parametrize(
    "said", [HostError("its certificate is not accepted"), HostError("refused"), NoAnswer("in time")]
)
def test_a_registry_whose_name_leads_where_all_names_do(said: HostError) -> None:
    """Nobody opens a firewall, and no authority is installed, for a resolver that does not tell the truth."""
    host = Resolving(pages={f"{one}/v2/": said for one in need.REGISTRIES})
    host.code = "192.0.2.1"
    for judged in runner.look(CHECKS["registry"], facts(host)):
        assert judged.status == "fail"
        assert f"{judged.subject} cannot be reached: its name leads to 192.0.2.1" in judged.summary
        assert "/etc/resolv.conf" in judged.remedies[0]


class WithoutIpv6(World):
    """A resolver that tells the truth of IPv4, and :: of every name, so that nobody takes IPv6."""

    def __init__(self) -> None:
        names = (*need.REGISTRIES, "nobody.example.com")
        registries: Rows = {(one, "A"): "192.0.2.7" for one in need.REGISTRIES}
        super().__init__({**registries, **{(one, "AAAA"): "::" for one in names}})

    def fetch(self, name: str, *others: object, **more: object) -> HttpReply:
        raise NoAnswer(f"{name} did not answer in time")


def test_a_registry_that_one_of_two_addresses_leads_to() -> None:
    for judged in runner.look(CHECKS["registry"], Facts(WithoutIpv6(), Settings(resolver="192.0.2.53"))):
        assert (judged.status, "leads to" in judged.summary) == ("unknown", False), judged


@pytest.mark.parametrize(
    ("said", "code", "status"),
    [
        (NoAnswer("the address of ghcr.io could not be looked up in time"), "", "unknown"),
        (NoAnswer("the address of ghcr.io could not be looked up in time"), "SERVFAIL", "unknown"),
        (NoAnswer("the address of ghcr.io could not be looked up in time"), "NXDOMAIN", "fail"),
        (HostError("ghcr.io has no address that could be looked up"), "", "fail"),
    ],
)
def test_a_registry_whose_address_nobody_tells(said: HostError, code: str, status: str) -> None:
    """Resolvers that do not answer say nothing of the name."""
    host = Resolving(pages={"ghcr.io/v2/": said})
    host.code = code
    (judged, *_others) = runner.look(CHECKS["registry"], facts(host))
    assert judged.status == status, judged
    assert "ghcr.io" in judged.summary
    assert "NXDOMAIN" not in judged.summary
    assert ("there is no such name" in judged.summary) == (code == "NXDOMAIN")
    assert judged.remedies


def test_a_proxy_that_refuses_is_an_answer() -> None:
    late = NoAnswer("the address of ghcr.io could not be looked up in time")
    proxy = "http://192.0.2.8:3128"
    pages = {"ghcr.io/v2/": late, f"{proxy} ghcr.io/v2/": HostError("the proxy refuses with HTTP 407")}
    host = DockerHost(pages=pages, variables={"https_proxy": proxy})
    (judged, *_others) = runner.look(CHECKS["registry"], facts(host))
    assert (judged.status, "HTTP 407" in judged.summary) == ("fail", True), judged


@pytest.mark.parametrize(
    ("driver", "status"),
    [
        ("iptables", "pass"),
        ("iptables+firewalld", "pass"),
        ("nftables", "warn"),
        ("nftables+firewalld", "warn"),
    ],
)
def test_the_firewall_that_docker_says_it_uses(driver: str, status: str) -> None:
    """Its command line may set it, and its file say nothing."""
    host = DockerHost(info={"FirewallBackend": {"Driver": driver}})
    found = look(CHECKS["daemon-json"], facts(host))
    assert found.status == status
    assert any("or --firewall-backend from what starts" in one for one in found.remedies) is (
        status == "warn"
    )
