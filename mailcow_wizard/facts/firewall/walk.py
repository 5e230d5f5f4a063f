"""What becomes of a packet at a hook: it walks through the rules as the kernel would lead it.

Where a test cannot be answered both ways are walked, and only what both lead to is said.
"""

from __future__ import annotations

from mailcow_wizard.facts.firewall.index import Indexes
from mailcow_wizard.facts.firewall.packet import Packet, fits, fits_row, fits_rows
from mailcow_wizard.facts.firewall.rules import Chain, Place, Rules
from mailcow_wizard.facts.firewall.statements import (
    Choice,
    Limit,
    Mark,
    Masked,
    Nat,
    Opaque,
    Rule,
    Seen,
    Test,
    Untrack,
    Verdict,
    Zone,
)
from mailcow_wizard.language import _
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Literal

    from mailcow_wizard.facts.firewall.rules import Turn

    Outcome = Literal["through", "dropped", "refused", "unknown"]
else:
    Outcome = str

_MOST_STEPS = 200_000
_MOST_FORKS = 10
_FIRST, _LAST = (-1 << 31,), (1 << 31,)
_TRACKS = -200  # where connection tracking looks at a packet (NF_IP_PRI_CONNTRACK)


class Fate(NamedTuple):
    """What becomes of a packet. `place` is the rule or policy that decided, None where there are no rules;
    `packet` is the packet in the end. `forwarded`: it goes on to another interface, for a container.

    `why` says what is not understood where nobody knows. `passed` are the decisions before; `masked_by` the
    rule that hides who sent it, `moved_by` the one that sends it elsewhere. `answer`: the packet gets there,
    and it is the answer, or what follows that, which is stopped. `parted_by` is the rule that keeps one of
    them from connection tracking, which then cannot translate it.
    """

    outcome: Outcome
    packet: Packet
    place: Place | None = None
    forwarded: bool = False
    why: str = ""
    passed: tuple[Place, ...] = ()
    masked_by: Place | None = None
    moved_by: Place | None = None
    answer: bool = False
    parted_by: Place | None = None


class _Ending(NamedTuple):
    """How a base chain ended: accept, drop or unknown."""

    kind: str
    place: Place
    packet: Packet
    softly: bool = False
    why: str = ""


class _Spot(NamedTuple):
    """Which rule of a chain comes next: of those that may concern the packet, by their places."""

    chain: Chain
    concerned: Sequence[int] = ()
    at: int = 0


class Walk:
    """A walk through the hooks, which ends where something stops the packet."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._indexes = rules.indexes or Indexes()
        self._steps = 0
        self._stopped: _Ending | None = None
        self._passed: list[Place] = []
        self._masked_by: Place | None = None
        self._moved_by: Place | None = None
        self._parted_by: Place | None = None

    def through(self, hook: str, packet: Packet, before: Turn = _LAST, after: Turn = _FIRST) -> Packet:
        """All base chains of a hook (with these turns), until one stops the packet."""
        for chain in self._rules.at(hook, packet.family):
            if self._stopped:
                break
            if not after <= chain.turn < before:
                continue
            if chain.devices and (packet.out if hook == "egress" else packet.interface) not in chain.devices:
                continue
            # A connection is translated once, at its first packet, and what is not tracked never.
            done = packet.masked if chain.of_sources else packet.moved
            later = packet.reply or packet.follows
            if chain.kind == "nat" and (done or later or not packet.tracked):
                continue
            end = self._run(chain, packet._replace(early=_is_early(chain)))
            if end.packet.masked and not packet.masked:
                self._masked_by = end.place
            if end.packet.moved and not packet.moved:
                self._moved_by = end.place
            packet = end.packet._replace(early=False)
            if end.kind != "accept":
                self._stopped = end
            elif chain.kind != "nat":
                self._passed.append(end.place)
        return packet

    def over_bridge(self, hooks: Sequence[str], packet: Packet) -> None:
        """What a bridge's own rules do with the packet, as far as that is known: not by which of its ports it
        passes, nor what connection tracking says there."""
        for chain in (one for hook in hooks for one in self._rules.at(hook, packet.family, bridged=True)):
            if self._stopped:
                return
            end = self._run(chain, packet._replace(interface="?", out="?", early=True))
            if end.kind != "accept":
                why = end.why or _("what rules for bridges do with it is not known")
                self._stopped = _Ending("unknown", end.place, packet, why=why)

    def part(self, back: Packet, sent: Packet) -> None:
        """Ends at an answer (`back`) that connection tracking does not know for one to what was translated
        (`sent`): it is not translated back, and means nothing to whom it gets to."""
        apart = not back.tracked or back.zone != sent.zone
        if not apart or self._parted_by is None or self._stopped:
            return
        unclear = back.tracked and None in (back.zone, sent.zone)
        why = _("which zone of connection tracking it chooses is not known") if unclear else ""
        self._stopped = _Ending("unknown" if unclear else "drop", self._parted_by, back, why=why)

    def fate(self, packet: Packet, forwarded: bool) -> Fate:
        """The end of the walk, as far as it went. The words of the rules in it are read here."""
        end = self._fate(packet, forwarded)
        for place in (end.place, *end.passed, end.masked_by, end.moved_by, end.parted_by):
            if place and place.rule:
                place.rule.read()
        return end

    def _fate(self, packet: Packet, forwarded: bool) -> Fate:
        passed = tuple(self._passed)
        if self._stopped:
            end = self._stopped
            outcome: Outcome = "unknown" if end.kind == "unknown" else "refused" if end.softly else "dropped"
            moved, parted = self._moved_by, self._parted_by
            return Fate(
                outcome, packet, end.place, forwarded, end.why, passed, None, moved,
                parted_by=parted if parted == end.place else None,
            )  # fmt: skip
        named = next((one for one in reversed(passed) if one.rule), next(iter(reversed(passed)), None))
        masked, moved, parted = self._masked_by, self._moved_by, self._parted_by
        return Fate("through", packet, named, forwarded, "", passed, masked, moved, parted_by=parted)

    def _run(self, chain: Chain, packet: Packet) -> _Ending:
        return self._go(chain, (self._begin(chain, packet),), packet, 0)

    def _begin(self, chain: Chain, packet: Packet) -> _Spot:
        return _Spot(chain, self._indexes.of(chain.rules).concerned(packet))

    def _go(self, base: Chain, stack: tuple[_Spot, ...], packet: Packet, forks: int) -> _Ending:
        """From rule to rule; `stack` holds where to go on, the innermost chain last."""
        while stack:
            chain, concerned, at = stack[-1]
            if at >= len(concerned):
                stack = stack[:-1]
                continue
            self._steps += 1
            rule = chain.rules[concerned[at]]
            place = Place(chain, rule)
            stack = (*stack[:-1], _Spot(chain, concerned, at + 1))
            if self._steps > _MOST_STEPS:
                return _Ending("unknown", place, packet, why=_("there are more rules than can be followed"))
            said = self._rule(rule, packet)
            if said.doubt:
                return self._both(base, stack, packet, forks, place, said)
            if (packet.tracked, packet.zone) != (said.packet.tracked, said.packet.zone):
                self._parted_by = place
            packet = said.packet
            if said.verdict is None:
                continue
            end = self._decided(said.verdict, place, packet)
            if end:
                return end
            stack = self._led(said.verdict, chain, stack, packet)
            if not stack or len(stack) > len(self._rules.chains) + 1:
                return _Ending(
                    "unknown", place, packet, why=_("chain {target} is not known", target=said.verdict.target)
                )
        kind = "drop" if base.policy == "drop" else "accept"
        return _Ending(kind, Place(base), packet)

    def _decided(self, verdict: Verdict, place: Place, packet: Packet) -> _Ending | None:
        if verdict.kind in ("accept", "drop"):
            return _Ending(verdict.kind, place, packet, verdict.softly)
        if verdict.kind == "unknown":
            return _Ending(
                "unknown", place, packet, why=_("what {target} does is not known", target=verdict.target)
            )
        return None

    def _led(
        self, verdict: Verdict, chain: Chain, stack: tuple[_Spot, ...], packet: Packet
    ) -> tuple[_Spot, ...]:
        """Where to go on after a jump, a goto or a return; empty where that chain is not there."""
        if verdict.kind == "continue":
            return stack
        if verdict.kind == "return":
            # At the end of the stack the policy decides.
            return (_Spot(chain),) if len(stack) == 1 else stack[:-1]
        target = self._rules.chains.get((chain.table, verdict.target))
        if target is None:
            return ()
        kept = stack[:-1] if verdict.kind == "goto" else stack
        return (*kept, self._begin(target, packet))

    def _both(
        self, base: Chain, stack: tuple[_Spot, ...], packet: Packet, forks: int, place: Place, said: _Said
    ) -> _Ending:
        """Walks on as if the rule fitted, and as if it did not."""
        why = said.doubt
        if forks >= _MOST_FORKS:
            return _Ending("unknown", place, packet, why=why)
        without = self._go(base, stack, packet, forks + 1)
        if said.verdict is None and said.packet == packet:
            return without
        fitted = self._decided(said.verdict, place, said.packet) if said.verdict else None
        if fitted is None:
            chain = stack[-1].chain
            led = self._led(said.verdict, chain, stack, said.packet) if said.verdict else stack
            if not led:
                return _Ending("unknown", place, packet, why=why)
            fitted = self._go(base, led, said.packet, forks + 1)
        if "unknown" in (without.kind, fitted.kind):
            return without if without.kind == "unknown" else fitted
        if without.kind != fitted.kind or not _same_way(without.packet, fitted.packet):
            return _Ending("unknown", place, packet, why=why)
        return without._replace(packet=_merged(without.packet, fitted.packet))

    def _rule(self, rule: Rule, packet: Packet) -> _Said:
        """What a rule says of a packet. What is in doubt is told together with what it would then do."""
        doubt = ""
        verdict: Verdict | None = None
        for one in rule.statements:
            if isinstance(one, Test):
                answer = fits(one, packet)
                if answer is False:
                    return _Said(None, packet)
                if answer is None:
                    doubt = doubt or _(
                        "whether it asks for {keys} of this packet is not known", keys=one.keys[0].name
                    )
            elif isinstance(one, Limit):
                if one.few:
                    doubt = doubt or _("it depends on how many come")
                elif one.over:
                    return _Said(None, packet)
            elif isinstance(one, Opaque):
                doubt = doubt or _("{text} is not understood", text=one.text)
                if one.verdict:
                    verdict = Verdict("unknown", one.text)
                    break
            elif isinstance(one, Choice):
                verdict, unsure = _chosen(one, packet)
                doubt = doubt or unsure
                break
            elif isinstance(one, Verdict):
                verdict = one
                break
            else:
                packet, verdict = _changed(one, packet)
                if verdict:
                    break
        return _Said(verdict, packet, doubt)


def _is_early(chain: Chain) -> bool:
    return chain.hook in ("ingress", "prerouting", "output") and chain.priority < _TRACKS


class _Said(NamedTuple):
    """What a rule does: a verdict (None: nothing), the packet afterwards, why it may not fit at all."""

    verdict: Verdict | None
    packet: Packet
    doubt: str = ""


def _chosen(choice: Choice, packet: Packet) -> tuple[Verdict | None, str]:
    """The verdict of the row that fits; None where none does."""
    said = fits_rows(choice.keys, tuple(row for row, _unused in choice.rows), packet)
    if said is False:
        return None, ""
    doubts = False
    for row, verdict in choice.rows:
        answer = fits_row(choice.keys, row, packet)
        if answer:
            return (Verdict("unknown", "a map"), "") if doubts else (verdict, "")
        doubts = doubts or answer is None
    return (Verdict("unknown", "a map"), _("a map is not understood")) if doubts else (None, "")


def _changed(
    statement: Mark | Nat | Masked | Untrack | Zone | Seen, packet: Packet
) -> tuple[Packet, Verdict | None]:
    if isinstance(statement, Untrack):
        # Too late once connection tracking has looked at it.
        return packet._replace(tracked=packet.tracked and not packet.early), None
    if isinstance(statement, Zone):
        return packet._replace(zone=statement.number if packet.early else packet.zone), None
    if isinstance(statement, Seen):
        return packet._replace(seen=packet.seen | {statement.name}), None
    if isinstance(statement, Masked):
        return packet._replace(masked=True), Verdict("accept")
    if isinstance(statement, Mark):
        old = packet.mark if statement.name == "mark" else packet.flow_mark
        fixed = not statement.keep
        known = not statement.unknown and (fixed or old is not None)
        new = ((old or 0) & statement.keep) ^ statement.flip if known else None
        if statement.name == "mark":
            return packet._replace(mark=new), None
        return packet._replace(flow_mark=new), None
    if statement.unknown:
        return packet, Verdict("unknown", _("this translation"))
    address = packet.address if statement.here or not statement.address else statement.address
    moved = packet._replace(
        address=address,
        port=statement.port or packet.port,
        moved=True,
        wanted=packet.wanted or packet.address,
        wanted_port=packet.wanted_port or packet.port,
    )
    return moved, Verdict("accept")


_DECISIVE = tuple(
    Packet._fields.index(name) for name in ("address", "port", "tracked", "zone", "masked", "seen")
)


def _same_way(one: Packet, other: Packet) -> bool:
    return all(one[place] == other[place] for place in _DECISIVE)


def _merged(one: Packet, other: Packet) -> Packet:
    """What both have; a mark that differs is not known."""
    return one._replace(
        mark=one.mark if one.mark == other.mark else None,
        flow_mark=one.flow_mark if one.flow_mark == other.flow_mark else None,
    )
