"""What this machine's rules do with IPv6's neighbour discovery, and how rules are named for people."""

from __future__ import annotations

from mailcow_wizard.checks.troubles import Trouble, listed
from mailcow_wizard.facts.firewall.icmp import (
    LISTENER_QUERY,
    LISTENER_REPORT,
    ROUTER_ADVERT,
    ROUTER_SOLICIT,
)
from mailcow_wizard.facts.firewall.inward import INNER
from mailcow_wizard.facts.firewall.neighbours import Lost
from mailcow_wizard.facts.firewall.rules import program
from mailcow_wizard.facts.firewall.state import State
from mailcow_wizard.facts.firewall.tools import IPTABLES, NFT, UFW, owner_of
from mailcow_wizard.facts.firewall.walk import Fate
from mailcow_wizard.language import _, ngettext

LOOK = _("Look at that rule: this program does not know what it does. Then prove it: ./wizard reach")
"""What helps where a rule is not understood."""
LEAVE_OUT = _("Leave mailcow's packets out of that rule: connection tracking has to see both directions.")
"""What helps where a rule keeps one direction from connection tracking."""
_OF_LISTENERS = frozenset((LISTENER_QUERY, LISTENER_REPORT))
_LIGHT = (_OF_LISTENERS, (ROUTER_SOLICIT,))
_NEEDED = "130, 133, 134, 135, 136, 143"  # RFC 4890, section 4.4.1
_WHY_LISTENERS = _(
    "Such a switch hands neighbours' questions only to machines that say that they listen, whenever a router "
    "asks for that."
)


def troubles(seen: State) -> list[Trouble]:
    """What keeps IPv6 from coming here at all, whatever the rules for ports say: one trouble a rule."""
    found: dict[tuple[object, ...], dict[int, list[Lost]]] = {}
    for one in seen.entries.lost:
        place = one.fate.place
        rule = place and (place.chain.table.owner, place.words), one.fate.outcome
        weight = next((n for n, some in enumerate(_LIGHT) if one.message in some), len(_LIGHT))
        found.setdefault(rule, {}).setdefault(weight, []).append(one)
    # Beside what ends all, what the same rule may end later says nothing more; nor does a mere doubt of that.
    weighed = [
        (weight, some)
        for by_weight in found.values()
        for weight, some in by_weight.items()
        if weight == max(by_weight) and (weight == len(_LIGHT) or some[0].fate.outcome != "unknown")
    ]
    weighed.sort(key=lambda one: -one[0])
    return [_unfound(seen, some) for _weight, some in weighed]


def _is_inner(one: Lost) -> bool:
    return one.interface.startswith(INNER)


def _unfound(seen: State, some: list[Lost]) -> Trouble:
    end = some[0].fate
    by = by_rule(seen, end)
    types = sorted({one.message for one in some})
    if end.outcome == "unknown":
        words = _(
            "whether IPv6 neighbours find this machine is not known: {why}, in {by}", why=end.why, by=by
        )
        return Trouble("unknown", words, (LOOK,))
    several = 2 if len(types) > 1 else 1
    named = listed([str(one) for one in types])
    if set(types) <= _OF_LISTENERS:
        words = ngettext(
            "behind a switch that keeps track of listeners (MLD snooping) IPv6 stops some minutes after the "
            "start: ICMPv6 type {types} {did} by {by}",
            "behind a switch that keeps track of listeners (MLD snooping) IPv6 stops some minutes after the "
            "start: ICMPv6 types {types} {did} by {by}",
            several,
            types=named,
            did=done(end.outcome, several),
            by=by,
        )
        return Trouble("warn", words, _let_pass(seen, some[0], named), "advice", why=_WHY_LISTENERS)
    if types == [ROUTER_SOLICIT]:
        words = _(
            "after a start the IPv6 route comes late: this machine's question for a router (ICMPv6 type "
            "{types}) {did} by {by}",
            types=named,
            did=done(end.outcome, 1),
            by=by,
        )
        return Trouble("warn", words, _let_pass(seen, some[0], named), "advice")
    if types == [ROUTER_ADVERT]:
        words = _(
            "the router's IPv6 advertisements (ICMPv6 type {types}) {did} by {by}: "
            "the route to the world ends when the last one does",
            types=named,
            did=done(end.outcome, 2),
            by=by,
        )
    elif all(_is_inner(one) for one in some):
        words = ngettext(
            "nothing gets to containers over IPv6: this machine and they do not find each other, ICMPv6 type "
            "{types} {did} by {by}",
            "nothing gets to containers over IPv6: this machine and they do not find each other, "
            "ICMPv6 types {types} {did} by {by}",
            several,
            types=named,
            did=done(end.outcome, several),
            by=by,
        )
    else:
        words = ngettext(
            "nothing arrives over IPv6: the router and this machine do not find each other, ICMPv6 type "
            "{types} {did} by {by}",
            "nothing arrives over IPv6: the router and this machine do not find each other, ICMPv6 types "
            "{types} {did} by {by}",
            several,
            types=named,
            did=done(end.outcome, several),
            by=by,
        )
    remedy = _let_pass(seen, some[0], named)
    return Trouble("warn" if has_v4(seen) else "fail", words, remedy, why=_WHY_NEIGHBOURS)


_WHY_NEIGHBOURS = _(
    "Neighbours ask for an address by ICMPv6, which no rule for ports or for established connections lets "
    "pass. Without an answer no packet comes in over IPv6."
)


def _let_pass(seen: State, one: Lost, types: str) -> tuple[str, ...]:
    place = one.fate.place
    if place is None:
        return ()
    table, owner = place.chain.table, owner_of(place, seen.tools)
    if owner == NFT:
        words = _(
            "Let these messages pass before that rule: nft insert rule {family} {table} {chain} icmpv6 type "
            "{{ {types} }} accept, and in nft's own file too (/etc/nftables.conf).",
            family=table.family,
            table=table.name,
            chain=place.chain.name,
            types=_NEEDED,
        )
    elif owner == IPTABLES:
        words = _(
            "Let these messages pass before that rule: {program} -I {chain} -p ipv6-icmp --icmpv6-type TYPE "
            "-j ACCEPT, once for each of the types {types}; save it as this machine does.",
            program=program(table),
            chain=place.chain.name,
            types=_NEEDED,
        )
    elif owner == UFW:
        words = _(
            "ufw lets them pass as it is delivered: put the lines with --icmpv6-type back into "
            "/etc/ufw/before6.rules, then: ufw reload"
        )
    else:
        words = _(
            "That rule is {owner}'s: allow ICMPv6 types {types} in its settings.", owner=owner, types=types
        )
    return (words,)


def by_rule(seen: State, end: Fate) -> str:
    """The rule that decided, and whose it is where its words do not tell."""
    if end.place is None:
        return _("the rules")
    owner = owner_of(end.place, seen.tools)
    words = end.place.words
    return (
        words
        if owner.lower() in words.lower() or owner in (NFT, IPTABLES)
        else _("{words}, set by {owner}", words=words, owner=owner)
    )


def done(outcome: str, number: int) -> str:
    """What became of one packet or several, with its verb: “is dropped”, “are dropped”."""
    if outcome == "dropped":
        return ngettext("is dropped", "are dropped", number)
    if outcome == "refused":
        return ngettext("is refused", "are refused", number)
    if outcome == "unknown":
        return ngettext("is not decided", "are not decided", number)
    return ngettext("is let through", "are let through", number)


def has_v4(seen: State) -> bool:
    """Whether the world can come over IPv4, whatever becomes of IPv6."""
    return any(one.family == 4 for one in seen.entries.entries)
