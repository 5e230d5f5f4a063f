"""Opening mailcow's ports, in the program whose rule keeps them shut."""

from __future__ import annotations

import re

from mailcow_wizard.facts.firewall.entries import Entry
from mailcow_wizard.facts.firewall.foreseen import BRIDGE
from mailcow_wizard.facts.firewall.rules import Chain, Place, Table
from mailcow_wizard.facts.firewall.state import State, state
from mailcow_wizard.facts.firewall.tools import (
    DOCKER,
    FIREWALLD,
    IPTABLES,
    NFT,
    UFW,
    is_left_out,
    owner_of,
)
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.fixes import NoPlan, firewall_neighbours, firewall_ufw
from mailcow_wizard.fixes.choices import for_root
from mailcow_wizard.fixes.firewall_written import Elements, Files, base_of, iptables_first, nft_first
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.language import _
from mailcow_wizard.model import Command, Manual, Plan
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from mailcow_wizard.model import PlanStep

_SET = "mailcow_ports"
_BRIDGES = "mailcow_bridges"
_MOST_PORTS = 15  # what multiport takes


class _Shut:
    """A place that stops packets, and the ports that it stops; `forwarded`: on their way to containers."""

    def __init__(self, place: Place, forwarded: bool) -> None:
        self.place = place
        self.forwarded = forwarded
        self.ports: set[int] = set()
        self.interfaces: set[str] = set()


def plan(facts: Facts) -> Plan | None:
    """Opens what is shut; None where no program that is known keeps anything shut."""
    seen = facts.get(state)
    steps: list[PlanStep] = []
    told: set[str] = set()
    ports: set[int] = set()
    files = Files(facts)
    for shut in _shut(seen):
        owner = owner_of(shut.place, seen.tools)
        if is_left_out(shut.place, seen.tools):
            continue  # what has to be done there is told beside the finding
        if owner in (UFW, FIREWALLD) and owner in told and not shut.forwarded:
            continue  # one rule of theirs is for both families
        try:
            made = _steps(facts, owner, shut, files)
        except HostError as error:
            made = [
                Manual(
                    _(
                        "{words} keeps {listed} shut: {error}",
                        words=shut.place.words,
                        listed=_listed(shut.ports),
                        error=error,
                    )
                )
            ]
        if any(isinstance(one, Command) for one in made):
            told.add(owner)
            ports |= shut.ports
        steps += made
    neighbours = firewall_neighbours.steps(seen, files)
    for owner, made in neighbours.items():
        told.add(owner)
        steps += made
    if not any(isinstance(one, Command) for one in steps):
        return None
    steps += files.steps()
    return for_root(
        "firewall.local",
        "open-ports",
        _title(ports, told),
        tuple(steps),
        _consequence(ports, bool(neighbours)),
    )


def _title(ports: set[int], told: set[str]) -> str:
    owners = _(" and ").join(sorted(told))
    if not ports:
        return _("Let IPv6 neighbours find this machine ({owners})", owners=owners)
    return _("Open {names} in {told}", names=_listed(ports), told=owners)


def _consequence(ports: set[int], neighbours: bool) -> str:
    found = (
        _("IPv6 neighbours find this machine (ICMPv6 types 130, 133 to 136 and 143).") if neighbours else ""
    )
    if not ports:
        return _("{found} All other rules stay as they are.", found=found)
    opened = _("Everybody can connect to these ports; all other rules stay as they are.")
    return f"{found} {opened}".strip()


def _listed(ports: set[int]) -> str:
    if len(ports) == 1:
        return _("port {port}", port=next(iter(ports)))
    return _("ports {ports}", ports=", ".join(map(str, sorted(ports))))


def _shut(seen: State) -> list[_Shut]:
    """Every place that stops something, each once."""
    found: dict[tuple[Table, str, bool], _Shut] = {}
    for one in seen.entries.entries:
        for end, forwarded in ((one.fate, one.fate.forwarded), (one.later, True)):
            if end and end.place and end.outcome in ("dropped", "refused"):
                chain = end.place.chain
                shut = found.setdefault((chain.table, chain.name, forwarded), _Shut(end.place, forwarded))
                shut.ports |= _all_of_kind(seen, one, end.place)
                shut.interfaces.add(one.interface)
    return list(found.values())


def _all_of_kind(seen: State, one: Entry, place: Place) -> set[int]:
    """ufw and firewalld open a port for both families: all that either shuts is opened at once."""
    if owner_of(place, seen.tools) not in (UFW, FIREWALLD):
        return {one.number}
    return {
        entry.number
        for entry in seen.entries.entries
        if entry.fate.place and entry.fate.outcome in ("dropped", "refused")
        and owner_of(entry.fate.place, seen.tools) == owner_of(place, seen.tools)
        and not is_left_out(entry.fate.place, seen.tools)
    }  # fmt: skip


def _steps(facts: Facts, owner: str, shut: _Shut, files: Files) -> list[PlanStep]:
    if owner == UFW and not shut.forwarded:
        return _ufw(facts, shut)
    if owner == FIREWALLD and not shut.forwarded:
        return _firewalld(facts, shut)
    if owner == NFT:
        return _nft(facts, shut, files)
    if owner == IPTABLES and shut.place.chain.table.name == "filter":
        return _iptables(facts, shut, files)
    if owner == DOCKER:
        return []
    words = _(
        "{words} keeps {listed} shut. That rule is {owner}'s: allow them there.",
        words=shut.place.words,
        listed=_listed(shut.ports),
        owner=owner,
    )
    return [Manual(words)]


def _ufw(facts: Facts, shut: _Shut) -> list[PlanStep]:
    """One rule for both families, before all others where one of the user's own rules shuts something."""
    seen = facts.get(state)
    theirs = [one for one in _shut(seen) if owner_of(one.place, seen.tools) == UFW and not one.forwarded]
    interfaces = {name for one in theirs for name in one.interfaces}
    first = any(one.place.rule and "-user-" in one.place.chain.name for one in theirs)
    return firewall_ufw.opening(facts, _joined(shut.ports), interfaces, first)


def _joined(ports: set[int]) -> str:
    return ",".join(str(one) for one in sorted(ports)[:_MOST_PORTS])


def _firewalld(facts: Facts, shut: _Shut) -> list[PlanStep]:
    """Into the zone of the interface, now and for good: a reload could take Docker's rules along."""
    chain = shut.place.chain.name
    if shut.place.rule and re.search(r"_(deny|pre)$", chain):
        words = _(
            "{words} keeps {listed} shut: take it out of firewalld's settings.",
            words=shut.place.words,
            listed=_listed(shut.ports),
        )
        return [Manual(words)]
    steps: list[PlanStep] = []
    for interface in sorted(shut.interfaces):
        zone = _zone(facts, interface)
        for permanent in ((), ("--permanent",)):
            begin = ("firewall-cmd", *permanent, f"--zone={zone}")
            # What is there already stays when this is taken back.
            there = facts.host.run((*begin, "--list-ports"), 10.0).out.split()
            adds = [f"{port}/tcp" for port in sorted(shut.ports) if f"{port}/tcp" not in there]
            if adds:
                undo = (*begin, *(f"--remove-port={one}" for one in adds))
                steps.append(Command((*begin, *(f"--add-port={one}" for one in adds)), (undo,)))
    return steps


def _zone(facts: Facts, interface: str) -> str:
    said = facts.host.run(("firewall-cmd", f"--get-zone-of-interface={interface}"), 10.0)
    if said.code:
        said = facts.host.run(("firewall-cmd", "--get-default-zone"), 10.0)
    zone = said.out.strip()
    if said.code or not re.fullmatch(r"[A-Za-z0-9_.-]+", zone):
        raise NoPlan(_("firewalld does not say in which zone the network card is."))
    return zone


def _nft(facts: Facts, shut: _Shut, files: Files) -> list[PlanStep]:
    """A rule of its own at the beginning of the chain that drops."""
    chain = _base_of(facts, shut)
    if shut.forwarded:
        these = Elements(_BRIDGES, "ifname", f'"{BRIDGE}"')
        rules: tuple[tuple[str, ...], ...] = (
            ("oifname", "@", "ct", "status", "dnat", "accept"),
            ("iifname", "@", "accept"),
            ("oifname", "@", "ct", "state", "established,related", "accept"),
        )
    else:
        these = Elements(_SET, "inet_service", ", ".join(str(one) for one in sorted(shut.ports)))
        rules = (("tcp", "dport", "@", "accept"),)
    return nft_first(files, facts.get(state).rules, chain, these, rules)


def _base_of(facts: Facts, shut: _Shut) -> Chain:
    """The base chain of the same table and hook that leads to the place."""
    hooks = ("forward",) if shut.forwarded else ("input", "prerouting", "ingress")
    return base_of(facts.get(state).rules, shut.place.chain, hooks)


def _iptables(facts: Facts, shut: _Shut, files: Files) -> list[PlanStep]:
    """First in the built-in chain, and in the file that is loaded at the start, where there is one."""
    if shut.forwarded:
        tests: list[tuple[str, ...]] = [
            ("-o", BRIDGE, "-m", "conntrack", "--ctstate", "DNAT,ESTABLISHED,RELATED"),
            ("-i", BRIDGE),
        ]
    else:
        tests = [("-p", "tcp", "-m", "multiport", "--dports", _joined(shut.ports))]
    chain = "FORWARD" if shut.forwarded else "INPUT"
    return iptables_first(files, shut.place.chain.table, chain, tests, facts.get(state).tools.usual)
