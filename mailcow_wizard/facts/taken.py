"""Who has the places that services which were stopped would listen at again."""

from __future__ import annotations

from mailcow_wizard.facts.bindings import EVERY_ADDRESS_V4, v4_address
from mailcow_wizard.facts.blockers import STOPPABLE, Blocker, blockers
from mailcow_wizard.facts.ports import Occupant, holding
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.replies import Listener
from mailcow_wizard.model import Place


def places_of(names: tuple[str, ...], occupants: tuple[Occupant, ...]) -> tuple[Place, ...]:
    """Where these units, containers or processes are among the occupants."""
    return tuple(
        dict.fromkeys(
            Place(one.names, socket.address, socket.port, bool(socket.v6only))
            for one in blockers(occupants)
            if set(one.names) & set(names)
            for socket in one.listeners
        )
    )


def takers(facts: Facts, places: tuple[Place, ...]) -> tuple[Blocker, ...]:
    """Those who have one of the places now, and are not who had it; what ends by itself is left out.
    Raises HostError."""
    numbers = tuple(sorted({one.port for one in places}))
    names = {name for one in places for name in one.names}
    there = tuple(
        one
        for one in (holding(facts, numbers) if numbers else ())
        if one.listener.state in STOPPABLE and any(meet(place, one.listener) for place in places)
    )
    return tuple(one for one in blockers(there) if not set(one.names) & names)


def meet(place: Place, listener: Listener) -> bool:
    """Whether a socket at the place and the listener cannot both be there."""
    if place.port != listener.port:
        return False
    six = ":" in place.address
    wanted = Listener(6 if six else 4, place.address, place.port, place.v6only, "", 0, 0, 0)
    four, other = v4_address(wanted), v4_address(listener)
    if four is not None and other is not None:
        return EVERY_ADDRESS_V4 in (four, other) or four == other
    both = wanted.family == listener.family == 6
    return both and ("::" in (wanted.address, listener.address) or wanted.address == listener.address)
