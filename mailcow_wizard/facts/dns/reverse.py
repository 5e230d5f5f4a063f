"""The names of the server's addresses (PTR), and whether those names lead back (RFC 1912, 2.1)."""

from __future__ import annotations

import ipaddress

from mailcow_wizard.facts.dns.mail_server import MailServer, mail_server
from mailcow_wizard.facts.dns.published import Seen, Wanted, look, look_up
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.typed import NamedTuple


class Reverse(NamedTuple):
    """An address, its PTR record, and the addresses of each name that it has."""

    address: str
    seen: Seen
    forward: tuple[tuple[str, tuple[str, ...]], ...]


class ReverseNames(NamedTuple):
    """The server, and the names of each of its addresses."""

    server: MailServer
    reverses: tuple[Reverse, ...]


def reverse_name(address: str) -> str:
    """The name under in-addr.arpa or ip6.arpa."""
    return ipaddress.ip_address(address).reverse_pointer


def reverse_names(facts: Facts) -> ReverseNames:
    """Asks the servers of the reverse zones. Raises HostError."""
    server = facts.get(mail_server)
    names = tuple(reverse_name(one) for one in server.addresses)
    seen = look(facts, tuple(Wanted(name, "PTR", network(name)) for name in names))
    targets = tuple(
        dict.fromkeys(
            (target, "AAAA" if ":" in address else "A")
            for address, one in zip(server.addresses, seen, strict=True)
            for target in one.values[:5]
        )
    )
    heard = dict(zip(targets, look_up(facts, targets), strict=True))
    return ReverseNames(
        server,
        tuple(
            Reverse(
                address,
                one,
                tuple(
                    (target, heard[target, type].values(type))
                    for target in one.values[:5]
                    for type in ("AAAA" if ":" in address else "A",)
                ),
            )
            for address, one in zip(server.addresses, seen, strict=True)
        ),
    )


def network(name: str) -> str:
    """The name of the network: an octet of IPv4, sixteen nibbles of IPv6 higher; zones are seldom lower."""
    labels = name.split(".")
    return ".".join(labels[16:] if name.endswith("ip6.arpa") else labels[1:])
