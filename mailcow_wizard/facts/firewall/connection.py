"""What becomes of a connection: its first packet is led through all hooks, then the answer, and what follows.

A firewall that lets the first packet pass and not the answer stops the connection all the same.
"""

from __future__ import annotations

from collections.abc import Callable

from mailcow_wizard.facts.firewall.packet import Packet
from mailcow_wizard.facts.firewall.rules import TRANSLATES, Rules
from mailcow_wizard.facts.firewall.walk import Fate, Walk
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TypeAlias

    Way: TypeAlias = Callable[[str], str]


def fate(rules: Rules, packet: Packet, way: Way, own: frozenset[str], outer: str = "") -> Fate:
    """What becomes of a packet and its answer: from outside, from a container, or from this machine itself
    (`leaving`).

    `way` names the interface that leads to an address (`?`: nobody knows); `own` are this machine's
    addresses, `outer` the one that masked packets leave with.
    """
    return _Connection(rules, way, own, outer).fate(packet)


def fate_of_one(rules: Rules, packet: Packet) -> Fate:
    """What becomes of a single packet to or from a neighbour, which nothing is sent back to in its name."""
    walk = Walk(rules)
    if packet.leaving:
        hooks: tuple[str, ...] = ("output", "postrouting", "egress")
    else:
        hooks = ("ingress", "prerouting", "input")
    for hook in hooks:
        packet = walk.through(hook, packet)
    return walk.fate(packet, False)


def is_bridge(name: str) -> bool:
    """Whether an interface is a bridge by its name: Docker's and those of virtual machines have such."""
    return name.startswith(("br", "docker", "virbr", "vmbr", "lxcbr", "lxdbr"))


class _Connection:
    def __init__(self, rules: Rules, way: Way, own: frozenset[str], outer: str) -> None:
        self._walk = Walk(rules)
        self._way = way
        self._own = own
        self._outer = outer

    def fate(self, packet: Packet) -> Fate:
        """Packet after packet, until one is stopped."""
        sent, forwarded = self._lead(packet, packet.address)
        first = self._walk.fate(sent, forwarded)
        if first.outcome != "through" or (packet.leaving and sent.local):
            return first
        masked = sent.masked and bool(self._outer)
        answer = self._answer(packet, sent, forwarded, masked)
        back, _unused = self._lead(answer, packet.source)
        if sent.moved or sent.masked:
            self._walk.part(back, sent)
        if packet.protocol == "tcp":
            follows = packet._replace(
                follows=True,
                moved=sent.moved,
                flow_mark=sent.flow_mark,
                lost=not sent.tracked,
                seen=sent.seen,
            )
            if sent.moved:
                follows = follows._replace(wanted=packet.address, wanted_port=packet.port)
            third, _unused = self._lead(follows, sent.address, sent.port)
            if sent.moved or sent.masked:
                self._walk.part(third, sent)
            if not sent.tracked:
                # Whoever is seen first now is taken for the one that asks.
                self._lead(answer._replace(follows=True, lost=not third.tracked), packet.source)
        end = self._walk.fate(sent, forwarded)
        return first if end.outcome == "through" else end._replace(answer=True)

    def _answer(self, packet: Packet, sent: Packet, forwarded: bool, masked: bool) -> Packet:
        """The answer to the packet that was sent, as it sets out."""
        inward = not packet.leaving
        return sent._replace(
            source=sent.address,
            address=self._outer if masked else packet.source,
            interface="" if inward and not forwarded else sent.out,
            leaving=inward and not forwarded,
            out="",
            reply=True,
            lost=not sent.tracked,
            tracked=True,
            zone=0,
            mark=0,
            seen=frozenset(),
        )

    def _lead(self, packet: Packet, address: str, port: int = 0) -> tuple[Packet, bool]:
        """Leads one packet, which goes to this address (and port) once it is translated; whether it only
        passes this machine."""
        packet = self._towards(packet, packet.address)
        if is_bridge(packet.interface):
            self._walk.over_bridge(("prerouting", "input"), packet)
        begin = ("output",) if packet.leaving else ("ingress", "prerouting")
        for hook in begin[:-1]:
            packet = self._walk.through(hook, packet)
        packet = self._walk.through(begin[-1], packet, before=TRANSLATES)
        packet = self._towards(packet._replace(port=port or packet.port), address)
        packet = self._walk.through(begin[-1], packet, after=TRANSLATES)
        packet = self._towards(packet, packet.address)
        if packet.local and not packet.leaving:
            return self._walk.through("input", packet), False
        forwarded = bool(packet.address) and not packet.leaving
        if forwarded:
            packet = self._walk.through("forward", packet._replace(out=self._way(packet.address)))
        for hook in ("postrouting", "egress"):
            packet = self._walk.through(hook, packet)
        if is_bridge(packet.out):
            self._walk.over_bridge(("output", "postrouting"), packet)
        return packet, forwarded

    def _towards(self, packet: Packet, address: str) -> Packet:
        local = address in self._own or not address
        out = self._way(address) if packet.leaving and address else packet.out
        return packet._replace(address=address, local=local, out=out)
