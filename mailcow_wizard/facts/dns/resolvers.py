"""Whom to ask: the system's resolvers, public ones, and the root servers."""

from __future__ import annotations

import ipaddress

from mailcow_wizard import requirements_dns as need
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError

_STUB = ("127.0.0.53", "127.0.0.54")
_MOST = 6
_KEYWORDS = ("nameserver ", "nameserver\t")
MOST_USED = 3
"""So many name servers of a resolv.conf programs ask, and no further ones (MAXNS, resolv.conf(5))."""


def system_resolvers(facts: Facts) -> tuple[str, ...]:
    """The resolvers that programs on this machine use, or the one that was given. Raises HostError.

    Of systemd-resolved's stub, which caches by its own rules, the servers behind it are taken.
    """
    if facts.settings.resolver:
        return (facts.settings.resolver,)
    listed = nameservers(facts.host.text("/etc/resolv.conf"), MOST_USED)
    if any(one in _STUB for one in listed):
        try:
            behind = nameservers(facts.host.text("/run/systemd/resolve/resolv.conf"))
        except HostError:
            behind = ()
        listed = tuple(one for one in behind if one not in _STUB) or listed
    if facts.settings.offline:
        listed = ()
    return listed[:_MOST] or ("127.0.0.1",)


def known_resolvers(facts: Facts) -> tuple[str, ...]:
    """The same; none where that cannot be told."""
    try:
        return system_resolvers(facts)
    except HostError:
        return ()


def public_resolvers(facts: Facts) -> tuple[str, ...]:
    """Resolvers that everybody may ask, each an operator of its own; the one that was given instead."""
    return (facts.settings.resolver,) if facts.settings.resolver else need.PUBLIC_RESOLVERS


def nameservers(text: str, most: int | None = None) -> tuple[str, ...]:
    """The addresses of a resolv.conf, in order, each once; of `most` lines that hold one.

    As glibc reads it (resolv/res_init.c): the keyword begins its line, and a carriage return is a part of
    the address, which then is none.
    """
    found = []
    for line in text.split("\n"):
        if not line.startswith(_KEYWORDS):
            continue
        word = line[len(_KEYWORDS[0]) :].replace("\t", " ").strip(" ").partition(" ")[0]
        try:
            ipaddress.ip_address(word.partition("%")[0])
        except ValueError:
            continue
        if not word.endswith("\r"):
            found.append(word)
    return tuple(dict.fromkeys(found[:most]))
