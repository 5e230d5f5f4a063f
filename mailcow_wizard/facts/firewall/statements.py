"""What rules of packet filters say, whichever program wrote them: rows of statements.

A statement that is not understood stays in its place as `Opaque`: whoever walks the rules then knows that
they do not know.
"""

from __future__ import annotations

from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Literal, TypeAlias

    from mailcow_wizard.facts.firewall.nft_wording import Wording

    Kind = Literal["accept", "drop", "return", "jump", "goto", "continue", "unknown"]
    Value: TypeAlias = "Span | str"
    Row: TypeAlias = tuple[Value, ...]
    Statement: TypeAlias = (
        "Test | Verdict | Choice | Mark | Nat | Masked | Untrack | Zone | Seen | Limit | Opaque"
    )
else:
    Kind = str

ANY = "*"
"""A value that everything fits."""


class Span(NamedTuple):
    """Numbers from `first` to `last`, both included. An address is a number, too."""

    first: int
    last: int


class Key(NamedTuple):
    """A property of a packet: its name (see `packet`), and the bits of it that are looked at (0: all)."""

    name: str
    mask: int = 0


class Test(NamedTuple):
    """Properties of a packet, together, are to be one of the rows; with `negated`, none of them. `listed` is
    the list that a rule may have put the packet on before, as if it were a row."""

    keys: tuple[Key, ...]
    rows: tuple[Row, ...]
    negated: bool = False
    listed: str = ""


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


class Zone(NamedTuple):
    """Connection tracking keeps the packet apart from those of other numbers (None: nobody knows which)."""

    number: int | None


class Seen(NamedTuple):
    """Who sent the packet is put on a list of this name."""

    name: str


class Limit(NamedTuple):
    """Fits as long as there are not many such packets; `over`: only when there are. `few`: so few that the
    next of everyday connections may be too many."""

    over: bool
    few: bool = False


class Opaque(NamedTuple):
    """A statement that is not understood. `verdict`: it may decide about the packet by itself."""

    text: str
    verdict: bool = False


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
