"""The names of the server's addresses (PTR), and whether those names lead back (RFC 1912, 2.1)."""

from __future__ import annotations

import ipaddress

from mailcow_wizard.facts.dns.host_records import host_records
from mailcow_wizard.facts.dns.mail_server import MailServer, mail_server
from mailcow_wizard.facts.dns.published import Seen, Wanted, look
from mailcow_wizard.facts.dns.state import texts
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.typed import NamedTuple


class Reverse(NamedTuple):
    """An address, its PTR record, and the addresses of its family that the server's name has; None where
    those could not be asked."""

    address: str
    seen: Seen
    forward: tuple[str, ...] | None


class ReverseNames(NamedTuple):
    """The server, and the names of each of its addresses."""

    server: MailServer
    reverses: tuple[Reverse, ...]


def reverse_name(address: str) -> str:
    """The name under in-addr.arpa or ip6.arpa."""
    return ipaddress.ip_address(address).reverse_pointer


def reverse_names(facts: Facts) -> ReverseNames:
    """Asks the servers of the reverse zones, and those of the server's name. Raises HostError."""
    facts.begin((_seen,), (host_records,))
    server, host = facts.get(mail_server), facts.get(host_records)

    def forward(address: str) -> tuple[str, ...] | None:
        there = host.aaaa if ":" in address else host.a
        return texts(there) if there.answered else None

    rows = zip(server.addresses, facts.get(_seen), strict=True)
    return ReverseNames(server, tuple(Reverse(address, one, forward(address)) for address, one in rows))


def _seen(facts: Facts) -> tuple[Seen, ...]:
    addresses = facts.get(mail_server).addresses
    return look(facts, tuple(wanted(reverse_name(one)) for one in addresses))


def wanted(name: str) -> Wanted:
    """The record of a reverse name. It is begun at the network, an octet of IPv4, sixteen nibbles of IPv6
    higher, for zones are seldom lower; a zone of a provider, /16 or /32, is asked at once."""
    labels = name.split(".")
    if name.endswith("ip6.arpa"):
        return Wanted(name, "PTR", ".".join(labels[16:]), 10)
    return Wanted(name, "PTR", ".".join(labels[1:]), 4)
