"""The rules as they will be once mailcow runs: Docker's own are put in where they are not there yet."""

from __future__ import annotations

import ipaddress

from mailcow_wizard import requirements_network as need
from mailcow_wizard.facts import docker, docker_json
from mailcow_wizard.facts.firewall.inward import Inward, inward
from mailcow_wizard.facts.firewall.reading import Filters, filters
from mailcow_wizard.facts.firewall.rules import Chain, Rules, Table
from mailcow_wizard.facts.firewall.statements import Key, Nat, Rule, Span, Test, Verdict
from mailcow_wizard.facts.mailcow_conf import DEFAULT_NETWORK_V6, mailcow_conf
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.language import _
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from mailcow_wizard.facts.firewall.rules import Owner

BRIDGE = need.MAILCOW_BRIDGE
USER_CHAIN = "DOCKER-USER"
DOCKERS = "DOCKER"
"""The chain in which Docker sends published ports on to containers."""
_NAMES = {4: "ip", 6: "ip6"}
_BOX = 253
"""Which address of mailcow's network stands for those of its containers."""
OWN_TABLE = "docker-bridges"
"""The tables of Docker's nftables backend (29.0), one for IPv4 and one for IPv6."""
_FIREWALLD = "firewalld"
_FORESEEN = _("what Docker will do")
_DESTINATION_NAT = -100  # NF_IP_PRI_NAT_DST, where Docker translates too


class Foreseen(NamedTuple):
    """The rules in force, the ways, how Docker is set up (None: it is not there), and of mailcow the
    beginning of its containers' addresses and whether they have IPv6. `own_backend`: Docker's rules are in
    tables of nftables that nobody else writes to; `runs`: it answers, so that its rules should be there.
    `network_v6` is the network of those that they have then."""

    known: Filters
    ways: Inward
    docker: docker_json.Rules | None
    prefix: str
    v6: bool
    own_backend: bool
    runs: bool = False
    network_v6: str = DEFAULT_NETWORK_V6

    def of(self, rules: Rules) -> Foreseen:
        """The same with these rules in force."""
        return self._replace(known=self.known._replace(rules=rules))

    def has(self, family: int) -> bool:
        """Whether Docker's rules lead packets of this family to and from mailcow's containers."""
        if self.docker is None:
            # Docker as it would be installed today.
            return family == 4 or self.v6
        return self.docker.iptables if family == 4 else self.docker.ip6tables and self.v6

    def box(self, family: int) -> str:
        """The address of one of mailcow's containers."""
        return str(ipaddress.ip_network(self.network(family))[_BOX])

    def network(self, family: int) -> str:
        """The network of mailcow's containers."""
        return f"{self.prefix}.0/24" if family == 4 else self.network_v6

    def made(self, family: int) -> bool:
        """Whether mailcow's network is there with this family, and a Docker that makes rules for it."""
        makes = self.runs and self.docker is not None and self.has(family)
        return makes and self.ways.way(self.box(family)) == BRIDGE

    def way(self, address: str) -> str:
        """The interface that will lead to an address; `?` where that is not known."""
        inner = (
            _is_within(address, self.network_v6) if ":" in address else address.startswith(f"{self.prefix}.")
        )
        return BRIDGE if inner else self.ways.way(address)

    def with_port(self, family: int, number: int, inner: int) -> Rules:
        """The rules, and a published port that is sent on to a container."""
        only = Test((Key("dport"),), ((Span(number, number),),))
        return self.with_docker(family, (Rule(_FORESEEN, (only, Nat(self.box(family), inner))),))

    def outwards(self, family: int) -> Rules:
        """The rules that a container's packet meets."""
        docker = any(chain.name == "DOCKER" and chain.rules for chain in self.known.rules.chains.values())
        # Docker lets a network out when it makes it: before that its own policy drops what nobody sends.
        there = docker and self.ways.way(self.box(family)) == BRIDGE
        return self.known.rules if there else self.with_docker(family, ())

    def with_docker(self, family: int, sent_on: tuple[Rule, ...]) -> Rules:
        """The rules, and what Docker will put among them."""
        chains = self._translating(family, sent_on)
        if not self.own_backend:
            table = self._table(family, "filter")
            first = (Rule(f"-A FORWARD -j {USER_CHAIN}", (Verdict("jump", USER_CHAIN),)),)
            user = (table, USER_CHAIN) in chains
            accepts = Rule(_FORESEEN, (Verdict("accept"),))
            body = (*(first if user else ()), accepts)
            chains[table, "FORWARD"] = Chain(table, "FORWARD", body, "forward")
        # Docker tells firewalld of its bridges, which then lets their packets pass.
        for place, chain in chains.items():
            if chain.table.name == _FIREWALLD and chain.hook == "forward":
                chains[place] = chain._replace(rules=(Rule(_FORESEEN, (Verdict("accept"),)),))
        return self.known.rules._replace(chains=chains)

    def _table(self, family: int, name: str) -> Table:
        """The table of iptables that Docker writes to: one that somebody has put rules of nft into is read as
        nft shows it."""
        owner: Owner = "iptables-legacy" if self.known.usual == "iptables-legacy" else "iptables-nft"
        own = Table(owner, _NAMES[family], name)
        shown = Table("nft", _NAMES[family], name)
        there = self.known.rules.tables()
        return shown if owner == "iptables-nft" and own not in there and shown in there else own

    def _translating(self, family: int, sent_on: tuple[Rule, ...]) -> dict[tuple[Table, str], Chain]:
        """The chains, and these rules where Docker puts them: into its own chain; after all that the chain
        has which is to lead there; or into a new one, whose turn is before older ones of one priority."""
        nat = self._table(family, "nat")
        chains = dict(self.known.rules.chains)
        first, own = chains.get((nat, "PREROUTING")), chains.get((nat, DOCKERS))
        if self.own_backend:
            own = next(filter(_translates, self._of_docker(family)), None)
        elif not (first and any(_leads(one) for one in first.rules)):
            own = None
        if own:
            chains[own.table, own.name] = own._replace(rules=(*own.rules, *sent_on))
            return chains
        new = Chain(
            Table("nft", "inet", _FORESEEN), "sent on", sent_on, "prerouting", _DESTINATION_NAT, "nat"
        )
        place = (new.table, new.name)
        if self.own_backend or first is None:
            return {**chains, place: new}
        found: dict[tuple[Table, str], Chain] = {}
        for other, chain in chains.items():
            if chain is first:
                found[place] = new  # what was made earlier has its turn later
            found[other] = chain
        return found

    def _of_docker(self, family: int) -> list[Chain]:
        """The chains of its nftables backend."""
        table = Table("nft", _NAMES[family], OWN_TABLE)
        return [one for one in self.known.rules.chains.values() if one.table == table]


def _is_within(address: str, network: str) -> bool:
    """Whether an address of IPv6 is of that network; what is no address is of none."""
    try:
        return ipaddress.IPv6Address(address) in ipaddress.IPv6Network(network)
    except ValueError:
        return False


def _translates(chain: Chain) -> bool:
    return chain.kind == "nat" and chain.hook == "prerouting"


def _leads(rule: Rule) -> bool:
    return any(isinstance(one, Verdict) and one.target == DOCKERS for one in rule.statements)


def backend(said: docker.Info | None, rules: Rules) -> str:
    """The firewall that Docker uses: as it says, else as its rules tell; empty where neither does."""
    if said:
        return said.firewall
    return "nftables" if own_tables(rules) else ""


def own_tables(rules: Rules) -> tuple[Table, ...]:
    """The tables that nobody but Docker's nftables backend writes to."""
    return tuple(one for one in rules.tables() if one.owner == "nft" and one.name == OWN_TABLE)


def foreseen(facts: Facts) -> Foreseen:
    """Reads the rules, and how Docker and mailcow are set up. Raises HostError; Denied without root."""
    known, ways = facts.get(filters), facts.get(inward)
    rules = facts.get(docker_json.rules) if facts.get(docker.engine).installed else None
    conf = facts.get(mailcow_conf)
    try:
        said = facts.get(docker.info) if rules else None
    except HostError:
        said = None
    return Foreseen(
        known,
        ways,
        rules,
        conf.network,
        conf.ipv6 != "false",
        bool(rules) and backend(said, known.rules).startswith("nftables"),
        bool(said),
        conf.network_v6,
    )
