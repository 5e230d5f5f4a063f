"""The names of time servers: what does not resolve, resolvers that hang, names with many addresses."""

import socket
import threading
import time
from collections.abc import Callable

import pytest

from mailcow_wizard.host.network import ntp
from tests.unit.ntp_servers import Servers, one, right

pytestmark = pytest.mark.timed


@pytest.mark.parametrize(
    "name", ["no-such-name.invalid", "a" * 64 + ".example", "bad\0name", "-", "999.1.1.1.1"]
)
def test_a_name_that_does_not_resolve(name: str) -> None:
    answer = one(ntp.ask_time((name,), 2.0))
    assert answer.error.startswith("name does not resolve")


def found(*addresses: str) -> Callable[..., list[object]]:
    """A resolver that knows these addresses for every name."""
    real = socket.getaddrinfo

    def resolve(name: str, port: int, **options: int) -> list[object]:
        if options.get("flags"):
            return list(real(name, port, **options))
        return [one for address in addresses for one in real(address, port, type=socket.SOCK_DGRAM)]

    return resolve


def test_a_resolver_that_hangs_delays_nobody(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    address = servers.add("127.0.0.1", right)
    hang = threading.Event()
    real = socket.getaddrinfo

    def resolve(name: str, *arguments: object, **options: object) -> object:
        if name == "hangs.example" and not options.get("flags"):
            hang.wait(5)
        return real(name, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    started = time.monotonic()
    answers = ntp.ask_time(("hangs.example", address), 0.6, servers.port)
    hang.set()
    assert time.monotonic() - started < 0.9
    assert answers[0].error == "name does not resolve within 0.6 s"
    assert answers[1].error == ""


def test_a_resolver_that_hangs_costs_little_where_three_have_answered(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    addresses = tuple(servers.add(f"127.0.0.{number}", right) for number in range(1, 4))
    hang = threading.Event()
    real = socket.getaddrinfo

    def resolve(name: str, *arguments: object, **options: object) -> object:
        if name.endswith(".example") and not options.get("flags"):
            hang.wait(5)
        return real(name, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    started = time.monotonic()
    answers = ntp.ask_time((*addresses, *(f"{n}.example" for n in range(4))), 3.0, servers.port)
    hang.set()
    assert time.monotonic() - started < 0.6
    assert not any(answer.error for answer in answers[:3])
    assert all(answer.error.startswith("name does not resolve within 0.") for answer in answers[3:])


def test_a_name_is_asked_at_two_addresses_a_family(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    four = [servers.add(f"127.0.0.{number}", right) for number in range(1, 5)]
    six = servers.add("::1", right)
    monkeypatch.setattr(socket, "getaddrinfo", found(*four, six))
    answers = ntp.ask_time(("many.example",), 1.0, servers.port)
    assert {answer.address for answer in answers} == {"127.0.0.1", "::1", "127.0.0.2"}
    assert {answer.server for answer in answers} == {"many.example"}


def test_with_many_names_each_gets_an_address(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    addresses = [servers.add(f"127.0.0.{number}", right) for number in range(1, 16)]
    monkeypatch.setattr(socket, "getaddrinfo", found(*addresses))
    names = tuple(f"{number}.example" for number in range(10))
    answers = ntp.ask_time(names, 1.0, servers.port)
    assert [answer.server for answer in answers] == list(names)
    assert len({answer.address for answer in answers}) == 10
