"""Which addresses count as those that the world sees: told by a server outside, or named."""

from ipaddress import ip_address
from typing import Any

import pytest

from mailcow_wizard.checks.network_addresses import judge_addresses
from mailcow_wizard.cli.arguments import UsageError, parse
from mailcow_wizard.facts.addresses import ASKED, Addresses, addresses
from mailcow_wizard.facts.network.egress import Egress
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.replies import HttpReply
from mailcow_wizard.model import Settings
from mailcow_wizard.names import NotAName, public_address
from tests.fake_host import FakeHost

OWN = {4: "10.0.0.5", 6: "fd00::5"}
PUBLIC = {4: "192.88.99.10", 6: "2d00:113::10"}


class Told(FakeHost):
    """Behind NAT; each of those who are asked in turn answers with the next of these."""

    def __init__(self, *said: str) -> None:
        super().__init__()
        self._said = list(said)

    def source_address(self, destination: str) -> str:
        return OWN[6 if ":" in destination else 4]

    def fetch(self, *asked: Any, **how: Any) -> HttpReply:
        return HttpReply(200, self._said.pop(0).encode())


def found(family: int, *said: str) -> Addresses:
    return Facts(Told(*said), Settings()).get(addresses, family)


@pytest.mark.parametrize(
    ("family", "said"),
    [
        *((4, one) for one in ("10.1.2.3", "192.168.0.9", "100.64.3.4", "127.0.0.1", "169.254.1.1")),
        *((4, one) for one in ("0.0.0.0", "224.0.0.1", "255.255.255.255")),
        *((6, one) for one in ("fd00::1", "fe80::1", "::1", "ff0e::1", "::ffff:192.88.99.10", "::")),
    ],
)
def test_what_is_none_of_the_world_s_was_not_seen_from_outside(family: int, said: str) -> None:
    first, second = ASKED[family]
    one = found(family, said, said)
    assert (one.public, one.origin) == ((), "none")
    assert one.trouble == f"{first} answers {ip_address(said)}, which is not public"
    assert found(family, said, PUBLIC[family]).public == (PUBLIC[family],), second


@pytest.mark.parametrize("family", [4, 6])
def test_what_is_public_counts(family: int) -> None:
    assert found(family, f"{PUBLIC[family]}\n") == Addresses(
        family, (PUBLIC[family],), OWN[family], "outside"
    )


NOBODYS = (
    *("127.0.0.1", "127.1.2.3", "0.0.0.0", "169.254.3.4", "224.0.0.5", "240.1.2.3", "255.255.255.255"),
    *("::", "::1", "fe80::1", "ff02::1", "::ffff:127.0.0.1", "64:ff9b::1"),
)


@pytest.mark.parametrize("address", NOBODYS)
def test_what_nobody_can_send_to_is_refused(address: str) -> None:
    with pytest.raises(UsageError, match="is an address that no other server can send to"):
        parse(["check", "--address", address])
    with pytest.raises(NotAName, match="no other server can send to"):
        public_address(address)  # as files of answers have it read


@pytest.mark.parametrize(
    ("named", "status", "severity"),
    [("10.1.2.3", "fail", "breaks"), ("100.64.9.9", "fail", "breaks"), ("fd00::1", "warn", "degrades")],
)
def test_a_private_one_may_be_named_and_is_told(named: str, status: str, severity: str) -> None:
    settings = Settings(addresses=("192.88.99.10", named) if ":" in named else (named,))
    assert parse(["check", "--address", named]).addresses == (named,)
    facts = Facts(Told(), settings)
    judged = judge_addresses(Egress(facts.get(addresses, 4), facts.get(addresses, 6), (), (), ()))
    assert (judged.status, judged.severity) == (status, severity)
    assert judged.summary.startswith(f"{named} was named as public, and is private")
