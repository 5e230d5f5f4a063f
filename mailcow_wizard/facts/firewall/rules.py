"""Rules of packet filters, whichever program wrote them: tables with chains of rules, in the order in which
packets meet them."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from types import MappingProxyType

from mailcow_wizard.language import _
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Literal, TypeAlias

    from mailcow_wizard.facts.firewall.index import Indexes
    from mailcow_wizard.facts.firewall.statements import Rule

    Owner = Literal["nft", "iptables-nft", "iptables-legacy"]
    Chains: TypeAlias = Mapping[tuple["Table", str], "Chain"]
    Turn: TypeAlias = tuple[int, ...]
else:
    Owner = str

TRANSLATES: Turn = (-100, 1)
"""When the destinations of packets are changed, and changed back (NF_IP_PRI_NAT_DST)."""
_TRANSLATES_SOURCES: Turn = (100, 1)  # NF_IP_PRI_NAT_SRC


class Table(NamedTuple):
    """A table: whose it is, its family (ip, ip6, inet, netdev, bridge), its name."""

    owner: Owner
    family: str
    name: str


class Chain(NamedTuple):
    """A chain. `hook` is empty where only other chains lead to it; `kind` is filter, nat or route; `policy`
    is what becomes of a packet at its end; `devices` are those of a netdev hook."""

    table: Table
    name: str
    rules: tuple[Rule, ...]
    hook: str = ""
    priority: int = 0
    kind: str = "filter"
    policy: str = "accept"
    devices: tuple[str, ...] = ()

    @property
    def turn(self) -> Turn:
        """When it has its turn at its hook. Those that translate all come at one time, whatever their
        priorities, which say no more than which of them is first (nf_nat_register_fn)."""
        if self.kind != "nat":
            return (self.priority, 0)
        return (*(_TRANSLATES_SOURCES if self.of_sources else TRANSLATES), self.priority)

    @property
    def of_sources(self) -> bool:
        """Whether a chain of the kind nat is about where packets come from, not where they go to."""
        return self.hook in ("input", "postrouting")

    @property
    def is_translating(self) -> bool:
        """Whether it changes where packets from outside go to."""
        return self.kind == "nat" and self.hook == "prerouting" and bool(self.rules)


class Rules(NamedTuple):
    """All chains, by table and name, as far as known in the order in which they were made. `unread` says what
    could not be read, one sentence each; `indexes` are those of the chains, which walks share."""

    chains: Chains = MappingProxyType({})
    unread: tuple[str, ...] = ()
    indexes: Indexes | None = None

    def at(self, hook: str, family: int, bridged: bool = False) -> list[Chain]:
        """The base chains that packets of this family (4 or 6) meet there, in the order in which they do: of
        two with one priority the one that was made last comes first (nf_hook_entries_grow). `bridged`: those
        that they meet on a bridge."""
        families = ("bridge",) if bridged else ("inet", "netdev", "ip" if family == 4 else "ip6")
        found = [one for one in self.chains.values() if one.hook == hook and one.table.family in families]
        found.reverse()
        return sorted(found, key=lambda one: one.turn)

    def orders(self) -> tuple[Rules, ...]:
        """The rules in every order that they may have: when the old iptables' chains were made nothing tells,
        and of two that translate the first decides."""
        old = {place: one for place, one in self.chains.items() if one.table.owner == "iptables-legacy"}
        others = {place: one for place, one in self.chains.items() if place not in old}
        if not all(any(one.is_translating for one in some.values()) for some in (old, others)):
            return (self,)
        return self._replace(chains={**old, **others}), self._replace(chains={**others, **old})

    def tables(self) -> tuple[Table, ...]:
        """Every table once."""
        return tuple(dict.fromkeys(table for table, _unused in self.chains))


class Place(NamedTuple):
    """The rule that decided, or a chain's policy where `rule` is None."""

    chain: Chain
    rule: Rule | None = None

    @property
    def table(self) -> str:
        """The table, for people."""
        table = self.chain.table
        if table.owner == "nft":
            return _("table {family} {table}", family=table.family, table=table.name)
        return (
            _("{program}, table {table}", program=program(table), table=table.name)
            if table.name != "filter"
            else program(table)
        )

    @property
    def words(self) -> str:
        """For people: `-A INPUT -p tcp --dport 25 -j DROP (iptables)`, `policy drop of chain input (…)`."""
        if self.chain.table.owner == "nft":
            where = _("chain {chain} of {table}", chain=self.chain.name, table=self.table)
            return (
                _("“{rule}” in {where}", rule=self.rule.text, where=where)
                if self.rule
                else _("policy {policy} of {where}", policy=self.chain.policy, where=where)
            )
        said = self.rule.text if self.rule else f"-P {self.chain.name} {self.chain.policy.upper()}"
        return f"“{said}” ({self.table})"

    @property
    def command(self) -> str:
        """The command that shows it."""
        table, name = self.chain.table, shlex.quote(self.chain.name)
        if table.owner == "nft":
            return f"nft list chain {table.family} {shlex.quote(table.name)} {name}"
        option = f" -t {table.name}" if table.name != "filter" else ""
        return f"{program(table)}{option} -S {name}"


def program(table: Table) -> str:
    """The program of iptables that a table belongs to: `iptables`, `ip6tables-legacy`."""
    name = "ip6tables" if table.family == "ip6" else "iptables"
    return f"{name}-legacy" if table.owner == "iptables-legacy" else name
