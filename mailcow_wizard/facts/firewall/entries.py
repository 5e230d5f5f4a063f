"""What becomes of a packet from outside to each of mailcow's ports, and who would take it.

What a program on this machine listens on passes the rules for input. What a container publishes is sent on to
it before those, and passes the rules for forwarding: ufw's and others' rules for input are never asked.
Where mailcow does not run yet, what Docker will do is put into the rules beforehand.
"""

from __future__ import annotations

from mailcow_wizard import requirements as need
from mailcow_wizard.facts import docker, docker_json
from mailcow_wizard.facts.bindings import Binding, bindings
from mailcow_wizard.facts.containers import Container, containers
from mailcow_wizard.facts.firewall.astray import astray, unrouted
from mailcow_wizard.facts.firewall.connection import fate
from mailcow_wizard.facts.firewall.early import Early, early
from mailcow_wizard.facts.firewall.foreseen import BRIDGE, USER_CHAIN, Foreseen, foreseen
from mailcow_wizard.facts.firewall.forwarding import Switch, switched_off
from mailcow_wizard.facts.firewall.inward import Inward
from mailcow_wizard.facts.firewall.neighbours import ANY_NEIGHBOUR, Link, Lost, door, lost
from mailcow_wizard.facts.firewall.packet import Packet
from mailcow_wizard.facts.firewall.rules import Rules
from mailcow_wizard.facts.firewall.walk import Fate
from mailcow_wizard.facts.mailcow_conf import mailcow_conf
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.language import _
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Literal

    from mailcow_wizard.facts.firewall.connection import Way

    Taker = Literal["container", "proxy", "listener", "nobody"]
else:
    Taker = str

_UNWANTED = 48_123  # a port that nobody publishes
# Strangers from all over the world: rules for single networks concern none of them, as a rule.
_STRANGERS = {
    4: ("45.33.32.156", "91.198.174.192", "151.101.1.69", "213.133.98.98", "110.232.143.1"),
    6: ("2a01:4f8:0:a0a1::5", "2606:4700:10::6814:1", "2400:cb00:2048::1"),
}


class Entry(NamedTuple):
    """One of mailcow's ports in one family.

    `taker` is who takes the connection now: a container, Docker's proxy on this machine, another program, or
    nobody. `fate` is what becomes of a packet now; `later` what becomes of it when
    mailcow's container publishes the port (None: that is how it is already, or no way leads there).
    `partly`: it is not the same from everywhere. `astray` is what becomes of one that a rule, its `place`,
    sends to somebody else than mailcow (None: no rule does). `unrouted`: no route leads to the container
    that Docker sends it on to.
    """

    port: need.Port
    number: int
    family: int
    address: str
    interface: str
    taker: Taker
    fate: Fate
    later: Fate | None = None
    partly: bool = False
    astray: Fate | None = None
    unrouted: bool = False

    @property
    def decisive(self) -> Fate:
        """What counts for mailcow."""
        return self.later or self.fate


class Entries(NamedTuple):
    """All of mailcow's public ports. `unread` says what of the rules could not be read; `docker`: whether an
    engine is there; `docker_rules` what rules it makes (None: there is none). `switched_off` keep the
    kernel from passing packets on to containers that run; `outward` is what becomes of a packet from a
    container to the world. `guarded`: DOCKER-USER stops what nobody has asked for, so that containers do not
    stand open. `lost` are the messages without which nobody finds this machine over IPv6, or it none of its
    containers, and which do not get through. `passed_by` are those of `entries`
    that a running container of mailcow's publishes and no rule of Docker's sends on to it, though Docker
    makes rules for that family. `early` is what decides besides all rules."""

    entries: tuple[Entry, ...]
    unread: tuple[str, ...]
    docker: bool
    docker_rules: docker_json.Rules | None
    switched_off: tuple[Switch, ...]
    outward: Fate | None = None
    guarded: bool = False
    lost: tuple[Lost, ...] = ()
    passed_by: tuple[Entry, ...] = ()
    early: Early = Early()


def entries(facts: Facts) -> Entries:
    """Leads a packet to each port, in each family that the world can come by. Raises HostError."""
    found = facts.get(_looked)
    if not found.passed_by:
        return found
    # The rules are read before Docker is asked: one that starts meanwhile has made them since.
    again = Facts(facts.host, facts.settings).get(_looked).passed_by
    lasting = {(one.number, one.family) for one in again}
    return found._replace(
        passed_by=tuple(one for one in found.passed_by if (one.number, one.family) in lasting)
    )


def _looked(facts: Facts) -> Entries:
    later = facts.get(foreseen)
    known, ways, rules = later.known, later.ways, later.docker
    conf = facts.get(mailcow_conf)
    engine = facts.get(docker.engine)
    running = _running(facts) if engine.state == "answers" else ()
    surroundings = _Surroundings(facts, later, running)
    doors = [_named(facts, ways, one) for one in ways.doors]
    found = []
    for one in bindings(conf.values, conf.odd):
        if one.address.startswith("127."):
            continue
        for family, interface, address in doors:
            if family == 6 and one.address:
                continue  # mailcow binds an address of its own to IPv4 only
            to = one.address if one.address in ways.own else address
            found.append(surroundings.entry(one, family, interface, to))
    outward = outwards(later) if ways.doors else None
    return Entries(
        tuple(found),
        known.rules.unread,
        engine.installed,
        rules,
        _switched_off(facts, found),
        outward,
        bool(ways.doors) and surroundings.guarded(),
        surroundings.lost(door(facts, ways), found),
        tuple(one for one in found if surroundings.passed_by(one)),
        facts.get(early, *doors),
    )


def outwards(later: Foreseen) -> Fate | None:
    """What becomes of a packet that a container sends to the world over IPv4, and of its answer: that comes
    to this machine's own address, where the packet was masqueraded."""
    if not later.has(4):
        return None
    packet = Packet(4, later.box(4), _STRANGERS[4][0], 443, BRIDGE)
    outer = next((address for family, _unused, address in later.ways.doors if family == 4), "")
    return fate(later.outwards(4), packet, later.way, later.ways.own, outer)


def _named(facts: Facts, ways: Inward, door: tuple[int, str, str]) -> tuple[int, str, str]:
    """Where the world comes in of this family: by the interface of an address that was named as public and is
    this machine's own, else by the usual one."""
    for one in facts.settings.addresses:
        interface = ways.way(one) if one in ways.own and (":" in one) == (door[0] == 6) else "?"
        if interface != "?":
            return door[0], interface, one
    return door


def _running(facts: Facts) -> tuple[Container, ...]:
    try:
        return facts.get(containers)
    except HostError:
        return ()


def _switched_off(facts: Facts, found: Sequence[Entry]) -> tuple[Switch, ...]:
    """Docker turns them on when it starts: before mailcow runs they say nothing."""
    ways = dict.fromkeys((one.family, one.interface) for one in found if one.taker == "container")
    return tuple(switch for way in ways for switch in switched_off(facts, *way))


class _Met(NamedTuple):
    """What most strangers meet; whether some meet something else; what those do that are led astray."""

    end: Fate
    partly: bool = False
    astray: Fate | None = None


class _Surroundings:
    """What is the same for all ports."""

    def __init__(self, facts: Facts, later: Foreseen, running: tuple[Container, ...]) -> None:
        self._later = later
        self._known = later.known.rules
        self._orders = self._known.orders()
        # What Docker will put among the rules asks no such thing.
        self._asks_for_source = _asks_for_source(self._known)
        self._ways = later.ways
        self._running = running
        conf = facts.get(mailcow_conf)
        numbers = tuple(sorted({one.number for one in bindings(conf.values, conf.odd)}))
        self._listening = facts.host.listeners(numbers).sockets

    def entry(self, binding: Binding, family: int, interface: str, to: str) -> Entry:
        """What becomes of a packet to one port."""
        packet = Packet(family, "", to, binding.number, interface)
        now = self._met(self._orders, packet, self._ways.way)
        here = now.end._replace(forwarded=now.end.forwarded and not self._is_astray(packet, now.end))
        taker = self._taker(binding, family, here)
        later = None
        if taker in ("nobody", "listener") and self._later.has(family):
            inner = binding.number if binding.port.bind_key else binding.port.number
            orders = tuple(
                self._later.of(one).with_port(family, binding.number, inner) for one in self._orders
            )
            later = self._met(orders, packet, self._later.way)
        met = later or now
        partly = met.partly or (now.partly and not met.astray)
        return Entry(
            binding.port, binding.number, family, to, interface, taker,
            now.end, later and later.end, partly, met.astray, self._is_unrouted(now.end, interface),
        )  # fmt: skip

    def passed_by(self, one: Entry) -> bool:
        """Whether mailcow's container publishes this, and a packet to it stays on this machine all the same.
        What another one publishes over IPv6 may always have gone to Docker's proxy."""
        everywhere = "0.0.0.0" if one.family == 4 else "::"
        own = (box for box in self._running if box.service == one.port.container)
        places = [place for box in own for place in box.published]
        published = any((address, one.number) in places for address in (everywhere, one.address))
        here = one.fate.outcome == "through" and not one.fate.forwarded
        return published and here and one.astray is None and self._later.has(one.family)

    def guarded(self) -> bool:
        """Whether the administrator's own chain stops a packet to a container that is none of mailcow's, in
        every family in which packets are sent on to containers."""
        doors = [one for one in self._ways.doors if self._later.has(one[0])]
        return bool(doors) and all(self._stops_unwanted(*one) for one in doors)

    def _stops_unwanted(self, family: int, interface: str, address: str) -> bool:
        kind = "ip" if family == 4 else "ip6"
        if not any(name == USER_CHAIN and table.family == kind for table, name in self._known.chains):
            return False
        packet = Packet(family, _STRANGERS[family][0], address, _UNWANTED, interface)
        rules = self._later.with_port(family, _UNWANTED, _UNWANTED)
        end = fate(rules, packet, self._later.way, self._ways.own)
        return end.outcome in ("dropped", "refused")

    def lost(self, outer: Link | None, found: list[Entry]) -> tuple[Lost, ...]:
        """What of neighbour discovery is stopped: on the way in, and on the way to containers."""
        ends = [(one.later or one.fate).packet for one in found if one.family == 6 and _is_for_container(one)]
        inner = {
            (one.out, one.address): Link(one.out, ANY_NEIGHBOUR, one.address, one.address) for one in ends
        }
        links = [*([outer] if outer else []), *inner.values()]
        return tuple(one for link in links for one in lost(self._known, link))

    def _met(self, orders: Sequence[Rules], packet: Packet, way: Way) -> _Met:
        """What strangers meet at a port, where the rules have one of these orders."""
        some = _STRANGERS[packet.family] if self._asks_for_source else _STRANGERS[packet.family][:1]
        ends = [self._end(orders, packet._replace(source=one), way) for one in some]
        kinds = [(one.outcome, self._is_astray(packet, one)) for one in ends]
        unclear = next((one for one in ends if one.outcome == "unknown"), None)
        if unclear:
            return _Met(unclear)
        most = max(dict.fromkeys(kinds), key=kinds.count)
        some_astray = (one for one, kind in zip(ends, kinds, strict=True) if kind[1])
        arrive = {kind == ("through", False) for kind in kinds}
        end = ends[kinds.index(most)]
        led = end if most[1] else next(some_astray, None)
        return _Met(end, len(arrive) > 1 and not most[1], led and led._replace(place=led.moved_by))

    def _end(self, orders: Sequence[Rules], packet: Packet, way: Way) -> Fate:
        """What becomes of one packet; unknown where the order decides."""
        ends = [fate(one, packet, way, self._ways.own) for one in orders]
        if len({(one.outcome, self._is_astray(packet, one)) for one in ends}) == 1:
            return ends[0]
        why = _("whether iptables-legacy or nftables has its turn first is not known")
        place = next((one.moved_by for one in reversed(ends) if one.moved_by), None)
        return Fate("unknown", packet, place, why=why)

    def _is_astray(self, packet: Packet, end: Fate) -> bool:
        return astray(self._later, packet.port, end)

    def _is_unrouted(self, end: Fate, interface: str) -> bool:
        # Where no route of the family could be read, none is known to be missing.
        known = any(one.version == end.packet.family for one in self._ways.nets)
        return known and unrouted(end, interface)

    def _taker(self, binding: Binding, family: int, end: Fate) -> Taker:
        if end.forwarded:
            return "container"
        if any(number == binding.number for one in self._running for _at, number in one.published):
            return "proxy"
        taken = any(
            one.port == binding.number and (one.family == 6 or family == 4) for one in self._listening
        )
        return "listener" if taken else "nobody"


def _is_for_container(one: Entry) -> bool:
    end = one.later or one.fate
    return end.forwarded and end.outcome == "through" and end.packet.out != "?"


def _asks_for_source(rules: Rules) -> bool:
    """Whether a rule asks where a packet comes from."""
    for chain in rules.chains.values():
        for rule in chain.rules:
            for one in rule.statements:
                keys = getattr(one, "keys", ())
                if any(key.name.endswith("saddr") for key in keys):
                    return True
    return False
