"""How a record stands at each server that was asked for it. Pure."""

from __future__ import annotations

from mailcow_wizard.facts.dns.message import Answer
from mailcow_wizard.facts.dns.published import Seen, is_answer
from mailcow_wizard.facts.dns.state import given, longest, values
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Literal

    from mailcow_wizard.facts.dns.state import Right

    Whose = Literal["zone", "public", "local"]
    Stands = Literal["right", "wrong", "missing", "silent"]


class Standing(NamedTuple):
    """One server: its address, its name where it is one of the zone's, whose it is, how the record stands.

    `values` is what it has, or why it said nothing. `left` is for how many seconds a resolver may still keep
    what is not right; the zone's own servers keep nothing.
    """

    server: str
    name: str
    whose: Whose
    stands: Stands
    values: tuple[str, ...]
    left: int


def standings(seen: Seen, right: Right) -> tuple[Standing, ...]:
    """Every server that was asked: the zone's own, then public resolvers, then this machine's."""
    names = {address: one.name for one in seen.zone.servers for address in one.addresses}
    local = (seen.local,) if seen.local else ()
    return (
        *(_standing(seen, right, one, "zone")._replace(name=names.get(one.server, "")) for one in seen.own),
        *(_standing(seen, right, one, "public") for one in seen.public),
        *(_standing(seen, right, one, "local") for one in local),
    )


def _standing(seen: Seen, right: Right, heard: Answer, whose: Whose) -> Standing:
    if not is_answer(heard):
        why = heard.error or heard.explained or heard.code
        return Standing(heard.server, "", whose, "silent", (why,), 0)
    found = values(seen, heard)
    if right(given(seen, heard)):
        return Standing(heard.server, "", whose, "right", found, 0)
    left = 0 if whose == "zone" else longest(seen, [heard])
    return Standing(heard.server, "", whose, "wrong" if found else "missing", found, left)
