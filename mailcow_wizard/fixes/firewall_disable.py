"""Switching a firewall off: only where it is proved that the SSH sessions stay, and taken back by itself
unless somebody confirms afterwards that they did."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable

from mailcow_wizard.facts.firewall.connection import fate
from mailcow_wizard.facts.firewall.inward import inward
from mailcow_wizard.facts.firewall.packet import Packet
from mailcow_wizard.facts.firewall.rules import Chain, Place, Rules
from mailcow_wizard.facts.firewall.ssh import Session, sessions
from mailcow_wizard.facts.firewall.state import State, docker_tables, has_own_tables, state
from mailcow_wizard.facts.firewall.tools import FIREWALLD, UFW, owner_of
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.fixes import NoPlan
from mailcow_wizard.language import _
from mailcow_wizard.model import Command, Fix, Plan
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from mailcow_wizard.model import PlanStep

CONFIRM_S = 60.0
_UNIT = "firewalld.service"


def fix(facts: Facts) -> Fix | None:
    """What is shown where it is not proved that sessions stay: choosing it tells why."""
    name = _active(facts.get(state))
    return Fix("disable-firewall", _("Switch {name} off", name=name), "high", True, True) if name else None


def is_in_the_way(facts: Facts) -> bool:
    """Whether a rule of the firewall that would be switched off stops what should come in: where somebody
    else's does, nothing is won by that. Raises HostError."""
    seen = facts.get(state)
    name = _active(seen)
    ends = [end for one in seen.entries.entries for end in (one.fate, one.later) if end]
    ends += [one.fate for one in seen.entries.lost]
    stopped = [end.place for end in ends if end.place and end.outcome != "through"]
    return any(owner_of(place, seen.tools) == name for place in stopped)


def plan(facts: Facts, check: str) -> Plan | None:
    """Switches ufw or firewalld off; None where neither is active. Raises NoPlan where a session would not
    stay, or nobody knows."""
    seen = facts.get(state)
    name = _active(seen)
    if not name:
        return None
    proved = _proved(facts, seen, name)
    steps = _steps(seen, name)
    restarts = _(" Docker is restarted, and with it every container.") if len(steps) > 1 else ""
    along = _(" Rules that others put into iptables go with it: restart fail2ban and the like.")
    alone = name == UFW or has_own_tables(seen.rules)
    return Plan(
        check,
        None,
        "disable-firewall",
        _("Switch {name} off", name=name),
        tuple(steps),
        "high",
        reversible=True,
        needs_root=True,
        consequence=_(
            "{name} filters nothing any more, on no port: every program that listens on "
            "this machine can be reached, as far as the provider's firewall lets it.",
            name=name,
        )
        + ("" if alone else along),
        interrupts=_(
            "{proved} All the same it is taken back after {confirm_s:.0f} seconds, unless "
            "you confirm that you are still connected.{restarts}",
            proved=proved,
            confirm_s=CONFIRM_S,
            restarts=restarts,
        ),
        confirm=CONFIRM_S,
    )


def _active(seen: State) -> str:
    ufw = seen.tools.ufw
    return UFW if ufw and ufw.active else FIREWALLD if seen.tools.firewalld else ""


def _steps(seen: State, name: str) -> list[PlanStep]:
    if name == UFW:
        return [Command(("ufw", "disable"), (("ufw", "--force", "enable"),))]
    back = ("systemctl", "enable", "--now", _UNIT)
    disable = ("systemctl", "disable", "--now", _UNIT)
    if not docker_tables(seen.rules) or has_own_tables(seen.rules):
        return [Command(disable, (back,))]
    restart = ("systemctl", "restart", "docker")
    # Both its end and its start empty the tables that Docker's rules are in.
    return [Command(disable, (back, restart)), Command(restart)]


def _proved(facts: Facts, seen: State, name: str) -> str:
    """That every SSH session, begun anew, would be let in by what is left. Raises NoPlan."""
    left = without(seen, name)
    ways = facts.get(inward)
    known = facts.get(sessions)
    for one in known:
        family = ipaddress.ip_address(one.peer).version
        packet = Packet(family, one.peer, one.address, one.port, ways.way(one.peer))
        own = ways.own | {one.address}
        end = fate(left, packet, ways.way, frozenset(own))
        if end.outcome != "through":
            by = end.place.words if end.place else _("the rules")
            raise NoPlan(
                _(
                    "It is not proved that the SSH session of {peer} on port {port} would stay: what "
                    "is left then would stop it, or may: {by}.",
                    peer=one.peer,
                    port=one.port,
                    by=by,
                )
            )
    if not known:
        return _("No SSH session comes into this machine: nothing can be cut off.")
    return _("What is left lets the SSH {named} in.", named=_named(known))


def _named(known: tuple[Session, ...]) -> str:
    first = known[0]
    words = _("session of {peer} on port {port}", peer=first.peer, port=first.port)
    if first.own:
        words = _("session of {peer} on port {port} (yours)", peer=first.peer, port=first.port)
    return words if len(known) == 1 else _("{words} and {number} more", words=words, number=len(known) - 1)


def without(seen: State, name: str) -> Rules:
    """The rules when this program's are gone: its chains, jumps to them, and policies that it set."""
    chains = {
        key: _without(chain, seen, lambda place: owner_of(place, seen.tools) == name)
        for key, chain in seen.rules.chains.items()
        if owner_of(Place(chain), seen.tools) != name or chain.hook
    }
    return seen.rules._replace(chains=chains)


def _without(chain: Chain, seen: State, theirs: Callable[[Place], bool]) -> Chain:
    if chain.table.name == FIREWALLD and theirs(Place(chain)):
        return chain._replace(rules=(), policy="accept")
    gone = {name for (table, name), one in seen.rules.chains.items() if theirs(Place(one)) and not one.hook}
    rules = tuple(
        rule for rule in chain.rules if not _leads_to(rule.text, gone) and not theirs(Place(chain, rule))
    )
    return chain._replace(rules=rules, policy="accept" if theirs(Place(chain)) else chain.policy)


def _leads_to(text: str, names: set[str]) -> bool:
    target = re.search(r" -[jg] (\S+)", text)
    return bool(target and target[1] in names)
