"""Letting IPv6's neighbour discovery pass, where rules of nft or iptables drop it."""

from __future__ import annotations

from mailcow_wizard.facts.firewall.icmp import (
    LISTENER_QUERY,
    LISTENER_REPORT,
    NEIGHBOUR_ADVERT,
    NEIGHBOUR_SOLICIT,
    ROUTER_ADVERT,
    ROUTER_SOLICIT,
)
from mailcow_wizard.facts.firewall.state import State
from mailcow_wizard.facts.firewall.tools import IPTABLES, NFT, owner_of
from mailcow_wizard.fixes.firewall_written import Elements, Files, base_of, iptables_first, nft_first
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from mailcow_wizard.model import PlanStep

_SET = "mailcow_neighbours"
_INWARD, _OUTWARD = ("input", "prerouting", "ingress"), ("output", "postrouting", "egress")
_RULE = ("icmpv6", "type", "@", "accept")
_TYPES = (
    *(LISTENER_QUERY, ROUTER_SOLICIT, ROUTER_ADVERT),
    *(NEIGHBOUR_SOLICIT, NEIGHBOUR_ADVERT, LISTENER_REPORT),
)
_ELEMENTS = Elements(_SET, "icmpv6_type", ", ".join(map(str, _TYPES)))
_TESTS = [("-p", "ipv6-icmp", "-m", "icmp6", "--icmpv6-type", str(one)) for one in _TYPES]


def steps(seen: State, files: Files) -> dict[str, list[PlanStep]]:
    """What lets them pass, by the program whose rules stop them: once for each chain. Raises NoPlan."""
    found: dict[str, list[PlanStep]] = {}
    done = set[tuple[object, str]]()
    for one in seen.entries.lost:
        place = one.fate.place
        if place is None or one.fate.outcome not in ("dropped", "refused"):
            continue
        owner, table = owner_of(place, seen.tools), place.chain.table
        if owner not in (NFT, IPTABLES) or (owner == IPTABLES and table.name != "filter"):
            continue
        chain = base_of(seen.rules, place.chain, _INWARD if one.incoming else _OUTWARD)
        if (table, chain.name) in done:
            continue
        done.add((table, chain.name))
        made = found.setdefault(owner, [])
        if owner == NFT:
            made += nft_first(files, seen.rules, chain, _ELEMENTS, (_RULE,))
        else:
            made += iptables_first(files, table, chain.name, _TESTS, seen.tools.usual)
    return found
