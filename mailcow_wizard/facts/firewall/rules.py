"""Rules of packet filters, whichever program wrote them: chains of rules, each a row of statements.

A statement that is not understood stays in its place as `Opaque`: whoever walks the rules then knows that
they do not know.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from types import MappingProxyType

from mailcow_wizard.language import _
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Literal, TypeAlias

    from mailcow_wizard.facts.firewall.index import Indexes
    from mailcow_wizard.facts.firewall.nft_wording import Wording

    Owner = Literal["nft", "iptables-nft", "iptables-legacy"]
    Kind = Literal["accept", "drop", "return", "jump", "goto", "continue", "unknown"]
    Value: TypeAlias = "Span | str"
    Row: TypeAlias = tuple[Value, ...]
    Statement: TypeAlias = "Test | Verdict | Choice | Mark | Nat | Masked | Untrack | Seen | Limit | Opaque"
    Chains: TypeAlias = Mapping[tuple["Table", str], "Chain"]
    Turn: TypeAlias = tuple[int, ...]
else:
    Owner = Kind = str

ANY = "*"
"""A value that everything fits."""
TRANSLATES: Turn = (-100, 1)
"""When the destinations of packets are changed, and changed back (NF_IP_PRI_NAT_DST)."""
_TRANSLATES_SOURCES: Turn = (100, 1)  # NF_IP_PRI_NAT_SRC


class Span(NamedTuple):
    """Numbers from `first` to `last`, both included. An address is a number, too."""

    first: int
    last: int


class Key(NamedTuple):
    """A property of a packet: its name (see `packet`), and the bits of it that are looked at (0: all)."""

    name: str
    mask: int = 0


class Test(NamedTuple):
    """Properties of a packet, together, are to be one of the rows; with `negated`, none of them."""

    keys: tuple[Key, ...]
    rows: tuple[Row, ...]
    negated: bool = False


class Verdict(NamedTuple):
    """What becomes of the packet. `target` is the chain to jump or go to; `drop` is a refusal, too.

    `softly`: it is refused with an answer, so that the other side hears at once.
    """

    kind: Kind
    target: str = ""
    softly: bool = False


class Choice(NamedTuple):
    """A verdict for each row (a verdict map); where none fits, the rule ends."""

    keys: tuple[Key, ...]
    rows: tuple[tuple[Row, Verdict], ...]


class Mark(NamedTuple):
    """The mark (`name`: mark or ct mark) becomes (mark & keep) ^ flip; with `unknown` nobody knows."""

    name: str
    keep: int
    flip: int
    unknown: bool = False


class Nat(NamedTuple):
    """The packet goes elsewhere: to an address (empty: stays; `here`: to this machine itself) and a port
    (0: stays). `unknown`: where to is not understood."""

    address: str
    port: int
    here: bool = False
    unknown: bool = False


class Masked(NamedTuple):
    """The packet gets this machine as its sender (masquerading, or another translation of the source)."""


class Untrack(NamedTuple):
    """The packet is kept out of connection tracking."""


class Seen(NamedTuple):
    """Who sent the packet is put on a list of this name."""

    name: str


class Limit(NamedTuple):
    """Fits as long as there are not many such packets; `over`: only when there are."""

    over: bool


class Opaque(NamedTuple):
    """A statement that is not understood. `verdict`: it may decide about the packet by itself."""

    text: str
    verdict: bool = False


class Table(NamedTuple):
    """A table: whose it is, its family (ip, ip6, inet, netdev, bridge), its name."""

    owner: Owner
    family: str
    name: str


class Rule(NamedTuple):
    """A rule, and how its owner writes it, or where that is read once somebody asks."""

    wording: str | Wording
    statements: tuple[Statement, ...]

    @property
    def text(self) -> str:
        """The rule as its owner writes it."""
        return self.wording if isinstance(self.wording, str) else self.wording.text

    def read(self) -> None:
        """Has its words read now, while they are still those of this rule."""
        if not isinstance(self.wording, str):
            self.wording.read()


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


class Rules(NamedTuple):
    """All chains, by table and name, as far as known in the order in which they were made. `unread` says what
    could not be read, one sentence each; `indexes` are those of the chains, which walks share."""

    chains: Chains = MappingProxyType({})
    unread: tuple[str, ...] = ()
    indexes: Indexes | None = None

    def at(self, hook: str, family: int) -> list[Chain]:
        """The base chains that packets of this family (4 or 6) meet there, in the order in which they do: of
        two with one priority the one that was made last comes first (nf_hook_entries_grow)."""
        families = ("inet", "netdev", "ip" if family == 4 else "ip6")
        found = [one for one in self.chains.values() if one.hook == hook and one.table.family in families]
        found.reverse()
        return sorted(found, key=lambda one: one.turn)

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
