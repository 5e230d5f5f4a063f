"""Whether somebody in between takes connections in the place of the hosts that they are for.

A portal that wants a log-in, a proxy or a filter may take every connection: that one opens proves nothing
then. It takes those to addresses that nobody has, too. Who it is that answers, TLS tells: nobody else has a
certificate for the host's name. A filter that goes by names lets every connection open, and ends it when TLS
has named the host.
"""

from __future__ import annotations

from collections.abc import Sequence

from mailcow_wizard import requirements_network as need
from mailcow_wizard.facts.network.names import families
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.network.conversation import NO_AUTHORITIES, NO_TLS, Dialogue, Spoken
from mailcow_wizard.host.replies import Probe

PATIENCE_S = 0.8
"""Who takes every connection is near."""
DATES = ("certificate has expired", "certificate is not yet valid")
"""Why a certificate is not trusted (OpenSSL's words), where this machine's clock may be wrong."""
SAY_NOTHING = (NO_AUTHORITIES, *DATES)
"""The same, where nothing is known of who answers: this machine's own list or clock may be wrong."""
_HELLO_S = 0.8
"""Two round trips to the other end of the world."""
_LONG_HELLO_S = 1.6
"""For slow lines, and a packet that is lost; with the first within what a silent port is waited for."""
_ENOUGH = 2
"""Of three: somebody may have taken one for a network of their own, and a packet to another may be lost."""
_HTTPS = 443


def intercepted(facts: Facts) -> frozenset[tuple[int, int]]:
    """Family and port of each that somebody in between takes, of those that mailcow asks for."""
    ports = sorted({one.port for one in need.OUTGOING if one.protocol == "tcp"})
    places = [(family, port) for family in facts.get(families) for port in ports]
    nobody = {
        place: [Probe("tcp", one, place[1], patience=PATIENCE_S) for one in need.NOBODYS_ADDRESSES[place[0]]]
        for place in places
    }
    probes = tuple(one for some in nobody.values() for one in some)
    try:
        results = dict(zip(probes, facts.host.probe(probes, PATIENCE_S), strict=True))
    except HostError:  # a machine that was recorded before anybody asked for it
        return frozenset()
    taken = {place: [results[one].outcome for one in some].count("open") for place, some in nobody.items()}
    return frozenset(place for place, number in taken.items() if number >= _ENOUGH)


def spoken(facts: Facts, asked: Sequence[tuple[str, str]], timeout: float) -> dict[tuple[str, str], Spoken]:
    """What is said over TLS at each address to a client that wants the host of this name; empty where a
    recorded machine does not tell."""
    dialogues = {
        one: Dialogue("http", address, _HTTPS, name, True, _head(name))
        for one in asked
        for address, name in (one,)
    }
    try:
        said = facts.host.converse(tuple(dialogues.values()), timeout) if dialogues else ()
    except HostError:
        return {}
    return dict(zip(dialogues, said, strict=True))


def hello(facts: Facts, *asked: tuple[str, str]) -> dict[tuple[str, str], Spoken]:
    """The same of hosts, each given with its address. Where no TLS came about, and where nobody answered, it
    was asked for twice; the second time there is more time for who is silent."""
    first = spoken(facts, asked, _HELLO_S)
    again = tuple(one for one, said in first.items() if refused_tls(said))
    found = first | spoken(facts, again, _HELLO_S)
    late = tuple(one for one, said in found.items() if said.outcome == "silent" and not said.tls)
    return found | spoken(facts, late, _LONG_HELLO_S)


def refused_tls(said: Spoken) -> bool:
    """Whether the connection opened, and no TLS came about."""
    return said.outcome == "failed" and not said.tls and said.text.startswith(NO_TLS)


def _head(name: str) -> tuple[str, ...]:
    return "HEAD / HTTP/1.1", f"Host: {name}", "Connection: close"
