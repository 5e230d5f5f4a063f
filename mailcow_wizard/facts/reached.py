"""What a proof from outside showed the last time: which ports of mailcow the world can reach."""

from __future__ import annotations

import json

from mailcow_wizard.facts.addresses import addresses
from mailcow_wizard.facts.bindings import bindings
from mailcow_wizard.facts.mailcow_conf import mailcow_conf
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.door import HostError, Missing
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Literal, TypeAlias

    State: TypeAlias = Literal[
        "waiting",
        "arrived",
        "never arrived",
        "refused on the way",
        "answered by something else",
        "closed here",
        "not asked: no way from there",
        "not asked: that line lets no port 25 out",
    ]
else:
    State = str

FILE = "reach"
"""The name under which the proof is kept in the state directory."""
# In proxy mode the proxy has the usual ports.
_USUAL = {"HTTP_PORT": 80, "HTTPS_PORT": 443}


class PublicPort(NamedTuple):
    """A port that the world must reach, and mailcow's service behind it."""

    number: int
    service: str


class Seen(NamedTuple):
    """What was seen of a port over one family (`v4`, `v6`), and from where it was reached."""

    family: str
    state: State
    peer: str


class Reached(NamedTuple):
    """The proof: the ports that matter now; what was seen of each, by number; when (seconds since 1970, 0:
    never), and now; the addresses that it was for where they are no longer this server's."""

    ports: tuple[PublicPort, ...]
    seen: dict[int, tuple[Seen, ...]]
    at: float
    now: float
    other_addresses: tuple[str, ...] = ()


def public_ports(facts: Facts) -> tuple[PublicPort, ...]:
    """The ports that the world must reach, by mailcow.conf; what is bound to loopback is mailcow's own."""
    conf = facts.get(mailcow_conf)
    found: dict[int, str] = {}
    for one in bindings(conf.values, conf.odd):
        local = one.address.startswith("127.")
        if not local or one.port.key in _USUAL:
            found.setdefault(_USUAL[one.port.key] if local else one.number, one.port.service)
    return tuple(PublicPort(*one) for one in sorted(found.items()))


def reached(facts: Facts) -> Reached:
    """Reads what was kept; a file that cannot be understood is none."""
    ports = facts.get(public_ports)
    try:
        kept = json.loads(facts.host.kept(FILE))
    except (Missing, ValueError):
        kept = None
    if not isinstance(kept, dict) or not isinstance(kept.get("at"), int | float):
        return Reached(ports, {}, 0.0, 0.0)
    rows = kept.get("ports")
    seen = {
        int(port): _seen(row)
        for port, row in (rows.items() if isinstance(rows, dict) else ())
        if port.isascii() and port.isdecimal()
    }
    then = kept.get("addresses")
    before = [one for one in then if isinstance(one, str)] if isinstance(then, list) else []
    return Reached(ports, seen, float(kept["at"]), facts.host.now(), _others(facts, before))


def _others(facts: Facts, before: list[str]) -> tuple[str, ...]:
    """The addresses of then that are no longer this server's, as far as that can be told."""
    gone = []
    for address in before:
        try:
            now = facts.get(addresses, 6 if ":" in address else 4).public
        except HostError:
            continue
        if now and address not in now:
            gone.append(address)
    return tuple(gone)


def _seen(row: object) -> tuple[Seen, ...]:
    if not isinstance(row, dict):
        return ()
    return tuple(
        Seen(family, said["state"], str(said.get("peer", "")))
        for family, said in row.items()
        if family in ("v4", "v6") and isinstance(said, dict) and isinstance(said.get("state"), str)
    )
