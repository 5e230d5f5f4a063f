"""Everything about this machine's firewall that its checks, its fixes and its screen look at together."""

from __future__ import annotations

from mailcow_wizard.facts import docker
from mailcow_wizard.facts.docker_shims import containers_run
from mailcow_wizard.facts.firewall.entries import Entries, entries
from mailcow_wizard.facts.firewall.foreseen import USER_CHAIN, backend, own_tables
from mailcow_wizard.facts.firewall.reading import filters
from mailcow_wizard.facts.firewall.rules import Chain, Place, Rules, Table
from mailcow_wizard.facts.firewall.statements import Key, Masked, Rule, Test
from mailcow_wizard.facts.firewall.tools import FIREWALLD, Tools, tools
from mailcow_wizard.facts.firewall.walk import Fate, Walk
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.typed import NamedTuple


class State(NamedTuple):
    """The rules, the programs that write them, and what becomes of packets; `backend` is the firewall that
    Docker says it uses, or its rules tell, empty where nothing does; `running`: it runs containers that its
    rules are for, None where nothing tells; `engine` is its state."""

    rules: Rules
    tools: Tools
    entries: Entries
    backend: str = ""
    running: bool | None = False
    engine: docker.State = "answers"


def state(facts: Facts) -> State:
    """Reads all of it. Raises HostError; Denied without root."""
    found = facts.get(_looked)
    gone = found.running and not has_docker_rules(found)
    # The rules are read before Docker is asked: one that starts meanwhile has made them since.
    return Facts(facts.host, facts.settings).get(_looked) if gone else found


def _looked(facts: Facts) -> State:
    known = facts.get(filters)
    engine = facts.get(docker.engine)
    try:
        said = facts.get(docker.info)
    except HostError:
        said, engine = None, engine._replace(state="odd")
    running = said.running > 0 and not said.rootless if said else _may_run(facts, engine)
    uses = backend(said, known.rules) if engine.installed else ""
    return State(known.rules, facts.get(tools), facts.get(entries), uses, running, engine.state)


def _may_run(facts: Facts, engine: docker.Engine) -> bool | None:
    """Whether containers run of which Docker says nothing; None where they may, for an engine that is there
    can begin one at any time."""
    if not engine.installed or engine.state == "podman":
        return False
    runs = facts.get(containers_run)
    return None if runs is False and engine.state in ("denied", "silent", "odd") else runs


def has_own_tables(rules: Rules) -> bool:
    """Whether firewalld keeps to tables of its own, and does not empty those that Docker's rules are in."""
    return any(table.name == FIREWALLD for table in rules.tables())


def has_docker_rules(seen: State) -> bool:
    """Whether Docker's rules are in force, as far as tables tell."""
    tables = own_tables if seen.backend.startswith("nftables") else docker_tables
    return bool(tables(seen.rules))


def docker_tables(rules: Rules) -> tuple[Table, ...]:
    """The tables of iptables that Docker keeps its chains in."""
    names = ("DOCKER", USER_CHAIN, "DOCKER-FORWARD", "DOCKER-ISOLATION-STAGE-1")
    return tuple(dict.fromkeys(table for table, name in rules.chains if name in names))


def masks_everybody(rules: Rules) -> tuple[Place, ...]:
    """Rules that translate the source of packets, whoever sent them."""
    found = []
    for chain in rules.chains.values():
        if _is_nat(chain):
            found += [Place(chain, rule) for rule in chain.rules if _names_nobody(rule)]
    return tuple(found)


def may_mask(rules: Rules, end: Fate) -> Place | None:
    """The rule that hides, or may hide, who sent a packet of which nobody knows whether it gets that far;
    None where none does."""
    if end.place and end.place.chain.hook == "input":
        return None
    packet = end.packet._replace(masked=False)
    if not end.forwarded:  # where it would be sent on to is not known either
        packet = packet._replace(address="0.0.0.0/0" if packet.family == 4 else "::/0", local=False, out="?")
    walk = Walk(rules._replace(chains={place: one for place, one in rules.chains.items() if _is_nat(one)}))
    met = walk.fate(walk.through("postrouting", packet), True)
    return met.place if met.outcome == "unknown" else met.masked_by


def _is_nat(chain: Chain) -> bool:
    return chain.kind == "nat" or chain.table.name == "nat" or not chain.hook


_ABOUT_SENDERS = (
    *("ip saddr", "ip6 saddr", "saddr type", "src-type", "mark", "ct mark", "ct status", "iif"),
    "ct from ip",
)


def _names_nobody(rule: Rule) -> bool:
    if not any(isinstance(one, Masked) for one in rule.statements):
        return False
    tests = [one for one in rule.statements if isinstance(one, Test)]
    return not any(_narrows(one) for one in tests)


def _narrows(test: Test) -> bool:
    """Whether it asks who sent the packet; a network of everybody is nobody."""
    if not any(key.name in _ABOUT_SENDERS for key in test.keys):
        return False
    return test.negated or not any(_is_all(key, row[0]) for row in test.rows for key in test.keys[:1])


def _is_all(key: Key, value: object) -> bool:
    bits = {"ip saddr": 32, "ip6 saddr": 128}.get(key.name, 0)
    return bool(bits) and value == (0, (1 << bits) - 1)


def targets(rule: Rule) -> list[str]:
    """Where a rule of iptables leads to."""
    words = rule.text.split()
    return [words[place + 1] for place, word in enumerate(words[:-1]) if word in ("-j", "-g")]
