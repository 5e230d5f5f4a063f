"""Which listener stands in the way of which binding, by our logic and by this kernel."""

import itertools
import socket
from types import MappingProxyType
from typing import Any

import pytest

from mailcow_wizard.checks.ports import judge_port
from mailcow_wizard.facts.bindings import Binding, bindings, conflicts, only_v6
from mailcow_wizard.facts.mailcow_conf import MailcowConf
from mailcow_wizard.facts.ports import Occupant, PortFacts
from mailcow_wizard.host.processes.listeners import listeners
from mailcow_wizard.host.replies import Listener
from mailcow_wizard.model import Judgement
from mailcow_wizard.requirements import PORTS

BY_ID = {port.id: port for port in PORTS}
HTTP = BY_ID["ports.http"]

# --- addresses ---


def listener(address: str, v6only: bool | None = None, port: int = 80, **fields: Any) -> Listener:
    """A listening socket."""
    family = 6 if ":" in address else 4
    return Listener(family, address, port, v6only, fields.get("interface", ""), 0, fields.get("inode", 7), 0)


CONFLICTS: dict[tuple[str, str, bool | None], bool] = {
    # binding, listener, v6only: in the way
    ("", "0.0.0.0", None): True,
    ("", "127.0.0.1", None): True,
    ("", "10.0.0.2", None): True,
    ("", "::", False): True,
    ("", "::", True): True,
    ("", "::1", False): True,
    ("", "::ffff:10.0.0.2", False): True,
    ("0.0.0.0", "0.0.0.0", None): True,
    ("0.0.0.0", "127.0.0.1", None): True,
    ("0.0.0.0", "10.0.0.2", None): True,
    ("0.0.0.0", "::", False): True,
    ("0.0.0.0", "::", None): True,
    ("0.0.0.0", "::", True): False,
    ("0.0.0.0", "::1", False): False,
    ("0.0.0.0", "::ffff:10.0.0.2", False): True,
    ("10.0.0.1", "0.0.0.0", None): True,
    ("10.0.0.1", "10.0.0.1", None): True,
    ("10.0.0.1", "10.0.0.2", None): False,
    ("10.0.0.1", "::", False): True,
    ("10.0.0.1", "::", True): False,
    ("10.0.0.1", "::1", False): False,
    ("10.0.0.1", "::ffff:10.0.0.1", False): True,
    ("10.0.0.1", "::ffff:10.0.0.2", False): False,
    ("127.0.0.1", "127.0.0.1", None): True,
    ("127.0.0.1", "127.0.0.2", None): False,
}


@pytest.mark.parametrize("case", CONFLICTS, ids=str)
def test_conflict(case: tuple[str, str, bool | None]) -> None:
    address, other, v6only = case
    binding = Binding(HTTP, address, 80)
    assert conflicts(binding, listener(other, v6only)) is CONFLICTS[case]
    assert not conflicts(binding, listener(other, v6only, port=81))
    assert conflicts(binding, listener(other, v6only, interface="eth0")) is CONFLICTS[case]


@pytest.mark.parametrize(
    ("address", "v6only", "only"),
    [
        ("0.0.0.0", None, False),
        ("::", False, False),
        ("::", None, False),
        ("::", True, True),
        ("::1", False, True),
        ("::ffff:127.0.0.1", False, False),
        ("127.0.0.1", None, False),
    ],
)
def test_only_v6(address: str, v6only: bool | None, only: bool) -> None:
    assert only_v6(listener(address, v6only)) is only


KINDS = (
    ("0.0.0.0", False),
    ("127.0.0.1", False),
    ("127.0.0.2", False),
    ("::", False),
    ("::", True),
    ("::1", False),
    ("::1", True),
    ("::ffff:127.0.0.1", False),
    ("::ffff:0.0.0.0", False),
)


def bound(address: str, port: int, v6only: bool) -> socket.socket:
    """A listening socket, with SO_REUSEADDR as Docker and every server set it."""
    one = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    try:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if ":" in address:
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, v6only)
        one.bind((address, port))
        one.listen()
    except OSError:
        one.close()
        raise
    return one


def refused_as_docker_binds(address: str, port: int) -> bool:
    """Whether the kernel refuses what Docker binds: each family by itself, every address or the one."""
    wanted = [(address or "0.0.0.0", False)] + ([] if address else [("::", True)])
    for where, v6only in wanted:
        try:
            bound(where, port, v6only).close()
        except OSError:
            return True
    return False


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("address", ["", "0.0.0.0", "127.0.0.1", "127.0.0.2", "127.0.0.3"])
def test_this_kernel_agrees(kind: tuple[str, bool], address: str) -> None:
    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    try:
        one = bound(kind[0], 0, kind[1])
    except OSError as error:
        pytest.skip(f"{kind[0]}: {error}")
    with one:
        port = one.getsockname()[1]
        (seen,) = listeners((port,)).sockets
        assert conflicts(Binding(HTTP, address, port), seen) is refused_as_docker_binds(address, port)


@pytest.mark.parametrize("pair", list(itertools.combinations((KINDS[1], KINDS[2], KINDS[4]), 2)), ids=str)
def test_this_kernel_agrees_on_two(pair: tuple[tuple[str, bool], ...]) -> None:
    with bound(pair[0][0], 0, pair[0][1]) as one:
        port = one.getsockname()[1]
        with bound(pair[1][0], port, pair[1][1]):
            seen = listeners((port,)).sockets
            assert len(seen) == 2
            for address in ("", "127.0.0.1", "127.0.0.2", "127.0.0.3"):
                said = any(conflicts(Binding(HTTP, address, port), each) for each in seen)
                assert said is refused_as_docker_binds(address, port)


# --- values of mailcow.conf ---


def judge(
    binding: Binding, *occupants: Occupant, source: str = "netlink", root: bool = True, **conf: str
) -> Judgement:
    """What is said of a port with these in the way."""
    file = MailcowConf("/srv/mailcow.conf", bool(conf), MappingProxyType(conf))
    return judge_port(PortFacts(binding, occupants, file, root, source))


VALUES: dict[str, tuple[dict[str, str], str, int]] = {
    "unset": ({}, "", 80),
    "empty": ({"HTTP_PORT": "", "HTTP_BIND": ""}, "", 80),
    "port": ({"HTTP_PORT": "8080"}, "", 8080),
    "bind": ({"HTTP_BIND": "127.0.0.1"}, "127.0.0.1", 80),
    "every address": ({"HTTP_BIND": "0.0.0.0"}, "0.0.0.0", 80),
    "both": ({"HTTP_PORT": "8080", "HTTP_BIND": "10.0.0.255"}, "10.0.0.255", 8080),
}


@pytest.mark.parametrize("name", VALUES)
def test_value(name: str) -> None:
    values, address, number = VALUES[name]
    http = next(one for one in bindings(values) if one.port.id == "ports.http")
    assert http == Binding(HTTP, address, number)


def test_address_before_the_port() -> None:
    found = {one.port.key: one for one in bindings({"SMTP_PORT": "10.0.0.1:2525", "SQL_PORT": "3306"})}
    assert found["SMTP_PORT"][1:] == ("10.0.0.1", 2525, "", "")
    assert found["SQL_PORT"][1:] == ("", 3306, "", "")
    assert found["REDIS_PORT"][1:] == ("127.0.0.1", 7654, "", "")


@pytest.mark.parametrize(
    "value",
    [
        "0",
        "65536",
        "99999",
        "-1",
        "x",
        "25/tcp",
        "25-26",
        "256.0.0.1:25",
        "1.2.3:25",
        "010.0.0.1:25",
        "::1:25",
        "[::1]:25",
        "٢٥",
        "25 ",
        " ",
        "\x1b[31m",
        "$PORT",
        "1" * 5000,
    ],
)
def test_value_that_is_no_port(value: str) -> None:
    smtp = bindings({"SMTP_PORT": value})[0]
    assert smtp.number == 25
    assert smtp.problem.startswith("SMTP_PORT=")
    judgement = judge(smtp, SMTP_PORT=value)
    assert judgement.status == "fail"
    assert judgement.evidence[0].what == "grep ^SMTP_PORT= /srv/mailcow.conf"


@pytest.mark.parametrize("value", ["::", "[::]", "localhost", "256.1.1.1", "1.2.3", "127.0.0.1:80", "eth0"])
def test_bind_that_is_no_address(value: str) -> None:
    http = next(one for one in bindings({"HTTP_BIND": value}) if one.port.id == "ports.http")
    judgement = judge(http, HTTP_BIND=value)
    assert judgement.status == "fail"
    assert judgement.summary == f"mailcow.conf: HTTP_BIND={value} is not an IPv4 address"
    assert judgement.evidence[0].what == "grep ^HTTP_BIND= /srv/mailcow.conf"
    assert "Correct HTTP_BIND" in judgement.remedies[0]
