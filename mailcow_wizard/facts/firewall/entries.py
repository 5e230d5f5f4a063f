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
from mailcow_wizard.facts.firewall.connection import fate
from mailcow_wizard.facts.firewall.inward import Inward, inward
from mailcow_wizard.facts.firewall.packet import Packet
from mailcow_wizard.facts.firewall.reading import Filters, filters
from mailcow_wizard.facts.firewall.rules import Chain, Key, Nat, Rule, Rules, Span, Table, Test, Verdict
from mailcow_wizard.facts.firewall.walk import Fate
from mailcow_wizard.facts.mailcow_conf import DEFAULT_NETWORK, mailcow_conf
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.door import HostError
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Literal

    from mailcow_wizard.facts.firewall.connection import Way
    from mailcow_wizard.facts.firewall.rules import Owner

    Taker = Literal["container", "proxy", "listener", "nobody"]
else:
    Taker = str

BRIDGE = "br-mailcow"
USER_CHAIN = "DOCKER-USER"
_BOX = {4: "{}.253", 6: "fd4d:6169:6c63:6f77::fd"}
_UNWANTED = 48_123  # a port that nobody publishes
_LOOPBACK = ("127.", "::1")
_FIREWALLD = "firewalld"
_FORESEEN = "what Docker will do"
# Strangers from all over the world: rules for single networks concern none of them, as a rule.
_STRANGERS = {
    4: ("45.33.32.156", "91.198.174.192", "151.101.1.69", "213.133.98.98", "110.232.143.1"),
    6: ("2a01:4f8:0:a0a1::5", "2606:4700:10::6814:1", "2400:cb00:2048::1"),
}


class Entry(NamedTuple):
    """One of mailcow's ports in one family.

    `taker` is who takes the connection now: a container, Docker's proxy on this machine, another program, or
    nobody; `name` is who that is. `fate` is what becomes of a packet now; `later` what becomes of it when
    mailcow's container publishes the port (None: that is how it is already, or no way leads there).
    `partly`: it is not the same from everywhere.
    """

    port: need.Port
    number: int
    family: int
    address: str
    interface: str
    taker: Taker
    name: str
    fate: Fate
    later: Fate | None = None
    partly: bool = False

    @property
    def decisive(self) -> Fate:
        """What counts for mailcow."""
        return self.later or self.fate


class Entries(NamedTuple):
    """All of mailcow's public ports. `unread` says what of the rules could not be read; `docker`: whether an
    engine is there; `docker_rules` what rules it makes (None: there is none). `forwarding`: whether
    the kernel passes packets on; `outward` is what becomes of a packet from a container to the world.
    `guarded`: DOCKER-USER stops what nobody has asked for, so that containers do not stand open."""

    entries: tuple[Entry, ...]
    unread: tuple[str, ...]
    docker: bool
    docker_rules: docker_json.Rules | None
    forwarding: bool | None
    outward: Fate | None = None
    guarded: bool = False


def entries(facts: Facts) -> Entries:
    """Leads a packet to each port, in each family that the world can come by. Raises HostError."""
    known, ways = facts.get(filters), facts.get(inward)
    conf = facts.get(mailcow_conf)
    engine = facts.get(docker.engine)
    rules = facts.get(docker_json.rules) if engine.installed else None
    running = _running(facts) if engine.state == "answers" else ()
    surroundings = _Surroundings(facts, known, ways, rules, running)
    found = []
    for one in bindings(conf.values, conf.odd):
        if one.address.startswith("127."):
            continue
        for family, interface, address in ways.doors:
            if family == 6 and one.address:
                continue  # mailcow binds an address of its own to IPv4 only
            to = one.address if one.address in ways.own else address
            found.append(surroundings.entry(one, family, interface, to))
    outward = surroundings.outward() if ways.doors else None
    return Entries(
        tuple(found),
        known.rules.unread,
        engine.installed,
        rules,
        _forwarding(facts),
        outward,
        bool(ways.doors) and surroundings.guarded(),
    )


def _running(facts: Facts) -> tuple[Container, ...]:
    try:
        return facts.get(containers)
    except HostError:
        return ()


def _forwarding(facts: Facts) -> bool | None:
    try:
        return facts.host.text("/proc/sys/net/ipv4/ip_forward").strip() == "1"
    except HostError:
        return None


class _Surroundings:
    """What is the same for all ports."""

    def __init__(
        self,
        facts: Facts,
        known: Filters,
        ways: Inward,
        rules: docker_json.Rules | None,
        running: tuple[Container, ...],
    ) -> None:
        self._known = known
        self._ways = ways
        self._docker = rules
        self._running = running
        conf = facts.get(mailcow_conf)
        self._prefix = conf.get("IPV4_NETWORK", DEFAULT_NETWORK)
        self._v6 = conf.get("ENABLE_IPV6", "true").lower() != "false"
        try:
            said = facts.get(docker.info) if rules else None
        except HostError:
            said = None
        self._own_backend = bool(said and said.firewall.startswith("nftables"))
        numbers = tuple(sorted({one.number for one in bindings(conf.values, conf.odd)}))
        self._listening = facts.host.listeners(numbers).sockets

    def entry(self, binding: Binding, family: int, interface: str, to: str) -> Entry:
        """What becomes of a packet to one port."""
        packet = Packet(family, "", to, binding.number, interface)
        end, partly = self._fate(self._known.rules, packet, self._ways.way)
        taker, name = self._taker(binding, family, end)
        later = None
        if taker in ("nobody", "listener") and self._will_be_sent_on(family):
            later, more = self._fate(self._foreseen(binding, family), packet, self._way_later)
            partly = partly or more
        return Entry(binding.port, binding.number, family, to, interface, taker, name, end, later, partly)

    def outward(self) -> Fate | None:
        """What becomes of a packet that a container sends to the world over IPv4."""
        if not self._will_be_sent_on(4):
            return None
        source = _BOX[4].format(self._prefix)
        packet = Packet(4, source, _STRANGERS[4][0], 443, BRIDGE)
        known = self._known.rules
        docker = any(chain.name == "DOCKER" and chain.rules for chain in known.chains.values())
        # Docker lets a network out when it makes it: before that its own policy drops what nobody sends.
        made = docker and self._ways.way(source) == BRIDGE
        return fate(known if made else self._with_docker(4, ()), packet, self._way_later, self._ways.own)

    def guarded(self) -> bool:
        """Whether the administrator's own chain stops a packet to a container that is none of mailcow's."""
        family, interface, address = self._ways.doors[0]
        if family != 4 or not any(name == USER_CHAIN for _, name in self._known.rules.chains):
            return False
        sent = Rule(_FORESEEN, (Nat(_BOX[4].format(self._prefix), _UNWANTED),))
        packet = Packet(4, _STRANGERS[4][0], address, _UNWANTED, interface)
        end = fate(self._with_docker(4, (sent,)), packet, self._way_later, self._ways.own)
        return end.outcome in ("dropped", "refused")

    def _fate(self, rules: Rules, packet: Packet, way: Way) -> tuple[Fate, bool]:
        """What most strangers meet, and whether all meet the same."""
        some = _STRANGERS[packet.family] if _asks_for_source(rules) else _STRANGERS[packet.family][:1]
        ends = [fate(rules, packet._replace(source=one), way, self._ways.own) for one in some]
        kinds = [one.outcome for one in ends]
        if "unknown" in kinds:
            return ends[kinds.index("unknown")], False
        most = max(dict.fromkeys(kinds), key=kinds.count)
        return ends[kinds.index(most)], len({one == "through" for one in kinds}) > 1

    def _taker(self, binding: Binding, family: int, end: Fate) -> tuple[Taker, str]:
        box = next((one for one in self._running if any(n == binding.number for _, n in one.published)), None)
        if end.forwarded:
            return "container", box.name if box else f"{end.packet.address}:{end.packet.port}"
        taken = any(
            one.port == binding.number and (one.family == 6 or family == 4) for one in self._listening
        )
        if box:
            return "proxy", box.name
        return ("listener", "") if taken else ("nobody", "")

    def _will_be_sent_on(self, family: int) -> bool:
        """Whether Docker's rules will send packets of this family on to mailcow's containers."""
        if self._docker is None:
            # Docker as it would be installed today.
            return family == 4 or self._v6
        return self._docker.iptables if family == 4 else self._docker.ip6tables and self._v6

    def _way_later(self, address: str) -> str:
        begins = (f"{self._prefix}.", _BOX[6].rpartition(":")[0])
        return BRIDGE if address.startswith(begins) else self._ways.way(address)

    def _foreseen(self, binding: Binding, family: int) -> Rules:
        """The rules with Docker's own put in: the port is sent on, and let through."""
        box = _BOX[family].format(self._prefix)
        inner = binding.number if binding.port.bind_key else binding.port.number
        only = Test((Key("dport"),), ((Span(binding.number, binding.number),),))
        return self._with_docker(family, (Rule(_FORESEEN, (only, Nat(box, inner))),))

    def _with_docker(self, family: int, sent_on: tuple[Rule, ...]) -> Rules:
        chains = dict(self._known.rules.chains)
        nat = Table("nft", "inet", _FORESEEN)
        chains[nat, "sent on"] = Chain(nat, "sent on", sent_on, "prerouting", -101, "nat")
        if not self._own_backend:
            owner: Owner = "iptables-legacy" if self._known.usual == "iptables-legacy" else "iptables-nft"
            table = Table(owner, "ip" if family == 4 else "ip6", "filter")
            first = (Rule(f"-A FORWARD -j {USER_CHAIN}", (Verdict("jump", USER_CHAIN),)),)
            user = (table, USER_CHAIN) in chains
            accepts = Rule(_FORESEEN, (Verdict("accept"),))
            body = (*(first if user else ()), accepts)
            chains[table, "FORWARD"] = Chain(table, "FORWARD", body, "forward")
        # Docker tells firewalld of its bridges, which then lets their packets pass.
        for place, chain in chains.items():
            if chain.table.name == _FIREWALLD and chain.hook == "forward":
                chains[place] = chain._replace(rules=(Rule(_FORESEEN, (Verdict("accept"),)),))
        return self._known.rules._replace(chains=chains)


def _asks_for_source(rules: Rules) -> bool:
    """Whether a rule asks where a packet comes from."""
    for chain in rules.chains.values():
        for rule in chain.rules:
            for one in rule.statements:
                keys = getattr(one, "keys", ())
                if any(key.name.endswith("saddr") for key in keys):
                    return True
    return False
