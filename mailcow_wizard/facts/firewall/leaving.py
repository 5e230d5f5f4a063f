"""What this machine's own rules do with packets that leave: its own, and those of mailcow's containers, which
pass other chains. The answers count, too."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Mapping
from types import MappingProxyType

from mailcow_wizard.facts.firewall.connection import fate
from mailcow_wizard.facts.firewall.foreseen import BRIDGE, Foreseen, foreseen
from mailcow_wizard.facts.firewall.forwarding import switched_off
from mailcow_wizard.facts.firewall.packet import Packet
from mailcow_wizard.facts.firewall.tools import IPTABLES, NFT, Tools, owner_of, tools
from mailcow_wizard.facts.firewall.walk import Fate
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.language import _
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Literal

    from mailcow_wizard.facts.firewall.forwarding import Switch
    from mailcow_wizard.host.replies import Probe

    Outcome = Literal["through", "dropped", "refused", "unknown", "sent elsewhere", "unanswered"]
else:
    Outcome = str

_ENOUGH_S = 0.5
_PROTOCOLS = {"tcp": "tcp", "greeting": "tcp", "udp": "udp", "ping": "icmp"}


class Met(NamedTuple):
    """What a packet meets among the rules, its answer included.

    `rule` is the rule that decides, in words, `command` shows it, `chain` it stands in and `owner` wrote it;
    `answer`: the packet leaves, and its answer is stopped. `elsewhere` is where a rule sends it instead.
    `unmasked`: it leaves with this private address, which nothing outside sends an answer to (`unanswered`),
    or perhaps the router before this machine does (`unknown`). `parted`: the rule keeps it, or its answer,
    out of connection tracking, which then translates no address. `switch` is one of the kernel's that is off,
    and which passes on nothing of a container's then.
    """

    outcome: Outcome
    rule: str = ""
    command: str = ""
    chain: str = ""
    owner: str = ""
    answer: bool = False
    elsewhere: str = ""
    unmasked: str = ""
    parted: bool = False
    switch: Switch | None = None

    @property
    def stops(self) -> bool:
        """Whether it does not get out, or its answer not in."""
        return self.outcome in ("dropped", "refused", "unanswered")

    @property
    def named(self) -> str:
        """The rule, and whose it is where its words do not tell."""
        known = self.owner.lower() in self.rule.lower() or self.owner in ("", NFT, IPTABLES)
        return self.rule if known else _("{rule}, set by {owner}", rule=self.rule, owner=self.owner)


class Leaving:
    """The rules, asked for single packets. After half a second of answers in all there are none any more:
    tens of thousands of rules would keep everybody waiting."""

    def __init__(
        self, later: Foreseen, known: Tools, uid: int, off: Mapping[int, Switch] = MappingProxyType({})
    ) -> None:
        self._later = later
        self._tools = known
        self._uid = uid
        self._off = off
        self._own = {family: address for family, _unused, address in later.ways.doors}
        self._answers: dict[tuple[bool, Packet], Met | None] = {}
        self._spent = 0.0

    def own(self, probe: Probe) -> Met | None:
        """What this machine's own attempt meets; None where nobody asked."""
        packet = self._packet(probe)
        source = self._own.get(packet.family, "")
        return self._met(False, packet._replace(source=source, leaving=True, uid=self._uid))

    def container(self, probe: Probe) -> Met | None:
        """What the same meets when one of mailcow's containers sends it; None where that is not known."""
        packet = self._packet(probe)
        if not self._later.has(packet.family):
            return None
        if packet.family in self._off:
            off = self._off[packet.family]
            return Met("dropped", f"{off.name} = 0", f"sysctl {off.name}", switch=off)
        return self._met(True, packet._replace(source=self._later.box(packet.family), interface=BRIDGE))

    def _packet(self, probe: Probe) -> Packet:
        family = ipaddress.ip_address(probe.address).version
        return Packet(family, "", probe.address, probe.port, "", protocol=_PROTOCOLS[probe.kind])

    def _met(self, inner: bool, packet: Packet) -> Met | None:
        key = inner, packet
        if key not in self._answers:
            if self._spent > _ENOUGH_S:
                return None
            begun = time.monotonic()
            later = self._later
            rules = later.outwards(packet.family) if inner else later.known.rules
            outer = self._own.get(packet.family, "")
            end = fate(rules, packet, later.way, later.ways.own, outer)
            unmasked = inner and end.outcome == "through" and self._unmasked(end.packet)
            if unmasked and end.parted_by:
                end = end._replace(outcome="dropped", place=end.parted_by, answer=True)
                unmasked = False
            self._answers[key] = self._without(packet, outer) if unmasked else self._words(end, packet)
            self._spent += time.monotonic() - begun
        return self._answers[key]

    def _unmasked(self, sent: Packet) -> bool:
        """Whether a container's packet goes into the world with an address that is none there."""
        outwards = ipaddress.ip_address(sent.address).is_global
        made = self._later.made(sent.family)
        return made and outwards and not sent.masked and _is_private(sent.source)

    def _without(self, packet: Packet, outer: str) -> Met:
        """No rule masquerades it."""
        rule = _("no rule that masquerades {network}", network=self._later.network(packet.family))
        tool = "ip6tables" if packet.family == 6 else "iptables"
        # A router that translates for this machine may do so for its containers, where somebody saw to it.
        outcome: Outcome = "unknown" if _is_private(outer) else "unanswered"
        return Met(outcome, rule, f"{tool} -t nat -S POSTROUTING", unmasked=packet.source)

    def _words(self, end: Fate, packet: Packet) -> Met:
        moved = end.packet.moved and (end.packet.address, end.packet.port) != (packet.address, packet.port)
        outcome: Outcome = "sent elsewhere" if moved and end.outcome == "through" else end.outcome
        place = end.moved_by if outcome == "sent elsewhere" else end.place
        if place is None:
            return Met(outcome)
        return Met(
            outcome,
            place.words,
            place.command,
            place.chain.name,
            owner_of(place, self._tools),
            end.answer,
            _("{address} port {port}", address=end.packet.address, port=end.packet.port) if moved else "",
            parted=bool(end.parted_by) and end.outcome != "through",
        )


def _is_private(address: str) -> bool:
    """Whether it is an address that is none in the world."""
    return bool(address) and not ipaddress.ip_address(address).is_global


def leaving(facts: Facts) -> Leaving:
    """Reads the rules. Raises HostError; Denied without root."""
    later = facts.get(foreseen)
    off: dict[int, Switch] = {}
    # Docker turns them on when it starts: before its network is there they say nothing.
    for family, interface, _address in later.ways.doors if later.made(4) else ():
        off |= {one.family: one for one in switched_off(facts, family, interface)}
    return Leaving(later, facts.get(tools), facts.host.user().uid, off)
