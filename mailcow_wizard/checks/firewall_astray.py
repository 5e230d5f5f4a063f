"""What is said of rules that send mailcow's ports to somebody else."""

from __future__ import annotations

from collections.abc import Sequence

from mailcow_wizard.checks.firewall_neighbours import by_rule
from mailcow_wizard.checks.troubles import Trouble, word
from mailcow_wizard.facts.firewall.entries import Entry
from mailcow_wizard.facts.firewall.rules import Place, program
from mailcow_wizard.facts.firewall.state import State
from mailcow_wizard.facts.firewall.tools import IPTABLES, NFT, owner_of
from mailcow_wizard.facts.firewall.walk import Fate
from mailcow_wizard.language import _, ngettext

_MEANT = _(
    "Where that is meant, as with a gateway that hands mail on to mailcow, say so: ./wizard ack "
    'firewall.local --reason "…"'
)


def sent_elsewhere(seen: State, some: Sequence[Entry], ports: str, v6: str, end: Fate) -> Trouble:
    """One rule, `end.place`, and the ports (`ports` names them) that it takes away."""
    few, count = some[0].partly, len({one.number for one in some})
    other, by = _other(some[0].number, end), by_rule(seen, end)
    words = ngettext(
        "{ports}{v6} is sent on to {other}, not to mailcow, by {by}",
        "{ports}{v6} are sent on to {other}, not to mailcow, by {by}",
        count,
        ports=ports,
        v6=v6,
        other=other,
        by=by,
    )
    if few:
        words = ngettext(
            "from some addresses {ports}{v6} is sent on to {other}, not to mailcow, by {by}",
            "from some addresses {ports}{v6} are sent on to {other}, not to mailcow, by {by}",
            count,
            ports=ports,
            v6=v6,
            other=other,
            by=by,
        )
    remedies = (_take_out(seen, end.place), _MEANT) if end.place else (_MEANT,)
    return Trouble("warn" if v6 or few else "fail", words, remedies)


def _other(number: int, end: Fate) -> str:
    packet = end.packet
    if packet.local:
        return _("port {port} of this machine", port=packet.port)
    if packet.port == number:
        return packet.address
    return _("{address} port {port}", address=packet.address, port=packet.port)


def _take_out(seen: State, place: Place) -> str:
    owner, table = owner_of(place, seen.tools), place.chain.table
    if owner == IPTABLES and place.rule and place.rule.text.startswith("-A "):
        return _(
            "Take that rule out: {program} -t {table} -D {rule}; save it as this machine does.",
            program=program(table),
            table=table.name,
            rule=place.rule.text.removeprefix("-A "),
        )
    if owner == NFT:
        return _(
            "Take that rule out: nft -a list chain {family} {table} {chain} shows its number, then nft "
            "delete rule {family} {table} {chain} handle NUMBER; in nft's own file too (/etc/nftables.conf).",
            family=table.family,
            table=word(table.name),
            chain=word(place.chain.name),
        )
    return _("That rule is {owner}'s: leave these ports out of it in its settings.", owner=owner)
