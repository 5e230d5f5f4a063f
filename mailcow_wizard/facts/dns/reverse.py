"""The names of the server's addresses (PTR), and whether those names lead back (RFC 1912, 2.1)."""

from __future__ import annotations

import ipaddress

from mailcow_wizard.facts.dns.mail_server import MailServer, mail_server
from mailcow_wizard.facts.dns.published import Seen, Wanted, at_own_servers, at_resolvers, look_up
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.typed import NamedTuple

_MOST_NAMES = 5


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
    own = at_own_servers(facts, tuple(wanted(name) for name in names))
    targets = _targets(server, own)
    # The names are known now: their addresses are asked together with what resolvers see.
    seen, answers = at_resolvers(facts, own, targets)
    late = tuple(one for one in _targets(server, seen) if one not in targets)
    heard = dict(zip((*targets, *late), (*answers, *look_up(facts, late)), strict=True))
    return ReverseNames(
        server,
        tuple(
            Reverse(
                address,
                one,
                tuple((name, heard[name, type].values(type)) for name, type in _targets_of(address, one)),
            )
            for address, one in zip(server.addresses, seen, strict=True)
        ),
    )


def _targets(server: MailServer, seen: tuple[Seen, ...]) -> tuple[tuple[str, str], ...]:
    """The names of all addresses, each with the type of record that should lead back."""
    rows = zip(server.addresses, seen, strict=True)
    return tuple(dict.fromkeys(target for address, one in rows for target in _targets_of(address, one)))


def _targets_of(address: str, seen: Seen) -> list[tuple[str, str]]:
    return [(name, "AAAA" if ":" in address else "A") for name in seen.values[:_MOST_NAMES]]


def wanted(name: str) -> Wanted:
    """The record of a reverse name. It is begun at the network, an octet of IPv4, sixteen nibbles of IPv6
    higher, for zones are seldom lower; a zone of a provider, /16 or /32, is asked at once."""
    labels = name.split(".")
    if name.endswith("ip6.arpa"):
        return Wanted(name, "PTR", ".".join(labels[16:]), 10)
    return Wanted(name, "PTR", ".".join(labels[1:]), 4)
