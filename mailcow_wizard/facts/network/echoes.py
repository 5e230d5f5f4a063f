"""Echo requests (ping) to the addresses that mailcow itself pings, and what depends on them."""

from __future__ import annotations

from mailcow_wizard import requirements_network as need
from mailcow_wizard.facts.firewall.leaving import leaving
from mailcow_wizard.facts.mailcow_conf import mailcow_conf
from mailcow_wizard.facts.network.names import own_address
from mailcow_wizard.facts.network.outward import Try, with_rules
from mailcow_wizard.facts.network.roots import roots
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.replies import Probe
from mailcow_wizard.typed import NamedTuple

_WAIT_S = 2.5


class Echoes(NamedTuple):
    """The pings of one family. `skipped` is what SKIP_UNBOUND_HEALTHCHECK says in mailcow.conf; `recursion`
    whether name servers can be asked, None where that was not needed to know, or is not known."""

    family: int
    present: bool
    tries: tuple[Try, ...] = ()
    skipped: str = ""
    recursion: bool | None = None

    @property
    def answered(self) -> tuple[str, ...]:
        """The addresses that answered."""
        return tuple(one.probe.address for one in self.tries if one.result.outcome == "open")


def echoes(facts: Facts) -> tuple[Echoes, ...]:
    """Both families, asked together; the rules of this machine are read meanwhile."""
    facts.begin((_tried,), (leaving,))
    return tuple(one._replace(tries=with_rules(facts, one.tries)) for one in facts.get(_tried))


def _tried(facts: Facts) -> tuple[Echoes, ...]:
    wanted = {4: need.HEALTHCHECK_PINGS, 6: need.IPV6_PINGS}
    present = {family: bool(facts.get(own_address, family)) for family in wanted}
    probes = tuple(Probe("ping", one) for family in wanted if present[family] for one in wanted[family])
    results = facts.host.probe(probes, _WAIT_S) if probes else ()
    tries = [Try(probe, result) for probe, result in zip(probes, results, strict=True)]
    try:
        skipped = facts.get(mailcow_conf).get(need.HEALTHCHECK_KEY)
    except HostError:
        skipped = ""
    found = tuple(
        Echoes(family, present[family], tuple(one for one in tries if one.family == family), skipped)
        for family in wanted
    )
    if len(found[0].answered) < len(need.HEALTHCHECK_PINGS) - need.HEALTHCHECK_MAY_FAIL:
        return (found[0]._replace(recursion=_recursion(facts)), found[1])
    return found


def _recursion(facts: Facts) -> bool | None:
    try:
        asked = facts.get(roots)[0]
    except HostError:
        return None
    inside = [one.container for one in asked.heard if one.container]
    if any(one.stops for one in inside):
        return False
    if len(asked.lost) > need.HEALTHCHECK_NAMES_MAY_FAIL or any(one.outcome != "through" for one in inside):
        return None
    return all(any(one.own for one in asked.of(transport)) for transport in ("udp", "tcp"))
