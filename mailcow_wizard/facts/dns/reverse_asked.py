"""Whom to ask for the names of the server's addresses: their provider, where it can be recognised."""

from __future__ import annotations

from collections.abc import Mapping

from mailcow_wizard.facts.dns.expected import right_name
from mailcow_wizard.facts.dns.reverse import Reverse, ReverseNames, reverse_names
from mailcow_wizard.facts.dns.state import state, texts
from mailcow_wizard.facts.network.ipv6 import leads_nowhere
from mailcow_wizard.facts.provider import Known, provider
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.language import _
from mailcow_wizard.typed import NamedTuple


class ReverseAsked(NamedTuple):
    """The names of the server's addresses, and the provider of each address that is known; `nowhere` that
    those of IPv6 do not lead back, and IPv6 leads nowhere."""

    names: ReverseNames
    providers: Mapping[str, Known]
    nowhere: bool = False

    def words(self, address: str) -> str:
        """What to do so that an address gets the server's name, in a sentence or two."""
        name = self.names.server.name
        known = self.providers.get(address)
        if known is None:
            return _(
                "Ask your provider to set the reverse name of {address} to {name}.",
                address=address,
                name=name,
            )
        return known.provider.named(address, name)


def reverse_asked(facts: Facts) -> ReverseAsked:
    """The names of the server's addresses and who sets them. Raises HostError."""
    names = facts.get(reverse_names)
    found = ((one.address, provider(facts, one.address, _names(one))) for one in names.reverses)
    providers = {address: known for address, known in found if known}
    bad = any(":" in one.address and not _is_right(names, one) for one in names.reverses)
    return ReverseAsked(names, providers, bad and facts.get(leads_nowhere))


def _is_right(names: ReverseNames, one: Reverse) -> bool:
    """Whether an address has the server's name, which leads back."""
    named = state(one.seen, right_name(names.server)).holds
    return named and one.address in (one.forward or ())


def _names(reverse: Reverse) -> tuple[str, ...]:
    """The names that an address has, and the name servers of its zone."""
    seen = reverse.seen
    served = () if seen.zone.problem else tuple(one.name for one in seen.zone.servers)
    return (*texts(seen), *served)
