"""Addresses and networks of rules and packets, as numbers."""

from __future__ import annotations

import ipaddress

from mailcow_wizard.facts.firewall.statements import Span


def number_of(address: str) -> Span | None:
    """An address as a number; None where it is none."""
    number = _usual(address)
    if number is None:
        try:
            number = int(ipaddress.ip_address(address))
        except ValueError:
            return None
    return Span(number, number)


def _usual(address: str) -> int | None:
    """One of IPv4, if it is written as everybody does: thousands of rules have one, and ipaddress takes ten
    times as long."""
    try:
        first, second, third, fourth = map(int, address.split("."))
    except ValueError:
        return None
    fits = (first | second | third | fourth) >> 8 == 0
    if not fits or f"{first}.{second}.{third}.{fourth}" != address:
        return None
    return first << 24 | second << 16 | third << 8 | fourth


def span_of(network: str) -> Span | None:
    """The addresses of `10.0.0.0/8`, `10.0.0.0/255.0.0.0`, `10.0.0.1` or `10.0.0.1-10.0.0.9`."""
    first, dash, last = network.partition("-")
    if dash:
        begin, end = number_of(first), number_of(last)
        return Span(begin.first, end.first) if begin and end else None
    if "/" not in network:  # thousands of rules have one, and a network is made four times as slowly
        return number_of(network)
    try:
        found = ipaddress.ip_network(network, strict=False)
    except ValueError:
        return None
    return Span(int(found.network_address), int(found.broadcast_address))
