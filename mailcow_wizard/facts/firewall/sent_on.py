"""What rules in force send on to somebody behind this machine, besides what Docker's containers publish: the
ports of Swarm's services, and what the administrator forwards to a virtual machine."""

from __future__ import annotations

from mailcow_wizard.facts.firewall.rules import Place, Rules
from mailcow_wizard.facts.firewall.statements import Nat, Opaque, Span, Test
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mailcow_wizard.facts.firewall.rules import Chain
    from mailcow_wizard.facts.firewall.statements import Rule

_CONTAINERS = "DOCKER"
"""Docker's own chain, about what it tells itself; DOCKER-INGRESS is Swarm's, about ports that no container
says it publishes."""
_WHOLE_NETWORKS = "NETMAP"
_KINDS = ("tcp", "udp", "sctp")
_PORTS = {"dport": "", "tcp dport": "tcp", "udp dport": "udp"}


class SentOn(NamedTuple):
    """Ports from `first` to `last` of a protocol, before anything changed them."""

    first: int
    last: int
    kind: str


def sent_on(rules: Rules) -> tuple[tuple[SentOn, ...], Place | None]:
    """All of them, and a rule of which it is not known what it sends on (None: there is none)."""
    found: list[SentOn] = []
    unclear = None
    for chain in rules.chains.values():
        for rule in _sending(chain):
            some = _ports(rule)
            found += some
            if not some:
                unclear = unclear or Place(chain, rule)
    return tuple(sorted(set(found))), unclear


def _sending(chain: Chain) -> Iterable[Rule]:
    """The rules of a chain that send on what comes from outside."""
    if chain.name == _CONTAINERS or chain.hook not in ("", "prerouting"):
        return ()
    return (one for one in chain.rules if any(_is_elsewhere(part) for part in one.statements))


def _is_elsewhere(statement: object) -> bool:
    if isinstance(statement, Opaque):
        return statement.text == _WHOLE_NETWORKS
    return isinstance(statement, Nat) and not statement.here and bool(statement.address or statement.unknown)


def _ports(rule: Rule) -> list[SentOn]:
    """The ports that a rule is about; none where it does not name them."""
    tests = [one for one in rule.statements if isinstance(one, Test) and len(one.keys) == 1]
    tests = [one for one in tests if not one.negated and not one.keys[0].mask]
    kinds = [row[0] for one in tests if one.keys[0].name == "l4proto" for row in one.rows]
    found = []
    for one in tests:
        if one.keys[0].name not in _PORTS:
            continue
        own = _PORTS[one.keys[0].name]
        for kind in (own,) if own else kinds:
            spans = [row[0] for row in one.rows if isinstance(row[0], Span)]
            if isinstance(kind, str) and kind in _KINDS and len(spans) == len(one.rows):
                found += [SentOn(*span, kind) for span in spans]
    return found
