"""Rules for what containers publish, in the chain that Docker leaves to the administrator (DOCKER-USER).

A unit of systemd puts them there whenever Docker has started.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from mailcow_wizard.facts import units
from mailcow_wizard.facts.firewall.foreseen import USER_CHAIN
from mailcow_wizard.facts.firewall.rules import Table, program
from mailcow_wizard.facts.firewall.sent_on import SentOn, sent_on
from mailcow_wizard.facts.firewall.state import State, has_own_tables, state, targets
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.fixes import NoPlan
from mailcow_wizard.fixes.choices import for_root
from mailcow_wizard.host.errors import Missing
from mailcow_wizard.language import _
from mailcow_wizard.model import Command, Edit, Plan
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from mailcow_wizard.model import PlanStep

UNIT = "mailcow-wizard-docker-user.service"
_UNIT_FILE = f"/etc/systemd/system/{UNIT}"
_LETS_PASS = (
    r"-p (tcp|udp|sctp) -m conntrack --ctstate DNAT "
    r"--ctorigdstport ([0-9]{1,5})(?::([0-9]{1,5}))? -j RETURN"
)
_HEAD = "# Written by mailcow-wizard, which can take it back: mailcow-wizard undo\n"


class _Earlier(NamedTuple):
    """The unit of an earlier change (empty: there is none), what it lets pass, whether it shuts the rest."""

    unit: bytes = b""
    ports: frozenset[SentOn] = frozenset()
    shut: bool = False


_NONE = _Earlier()


def let_through(facts: Facts) -> Plan | None:
    """Lets mailcow's ports pass before a rule in DOCKER-USER that drops them."""
    seen = facts.get(state)
    shut = [
        one
        for one in seen.entries.entries
        for end in (one.fate, one.later)
        if end
        and end.place
        and end.outcome in ("dropped", "refused")
        and _reached_by_user(seen, end.place.chain.name)
    ]
    if not shut:
        return None
    earlier = _earlier(facts)
    ports = sorted(_mailcows(seen) | earlier.ports)
    return _plan(
        facts,
        seen,
        "firewall.local",
        _("Let packets to mailcow's ports pass in {user_chain}", user_chain=USER_CHAIN),
        lambda interfaces: [*_each(interfaces, ports), *(_drops(interfaces) if earlier.shut else ())],
        _(
            "Packets to mailcow's ports are not asked by the other rules of {user_chain}; all others "
            "still are.",
            user_chain=USER_CHAIN,
        ),
        earlier,
    )


def shut(facts: Facts) -> Plan | None:
    """Shuts what containers publish, but for mailcow's ports and what is sent on already. Raises HostError
    where Docker does not tell what that is, NoPlan where a rule does not."""
    seen = facts.get(state)
    tools = seen.tools
    if not (tools.firewalld or (tools.ufw and tools.ufw.active)) or seen.entries.guarded:
        return None
    others, unclear = sent_on(seen.rules)
    if unclear:
        raise NoPlan(
            _("{rule} sends on what comes to any port: that would be cut off.", rule=unclear.words),
        )
    ports = sorted({*_mailcows(seen), *_published(facts), *others})
    return _plan(
        facts,
        seen,
        "firewall.backend",
        _("Shut what containers publish, but for mailcow's ports ({user_chain})", user_chain=USER_CHAIN),
        lambda interfaces: [*_each(interfaces, ports), *_drops(interfaces)],
        _(
            "From outside only these ports of containers can be reached: {ports}. What is published later "
            "stays shut.",
            ports=", ".join(map(_words, ports)),
        ),
    )


def _reached_by_user(seen: State, chain: str) -> bool:
    """Whether a chain is DOCKER-USER, or one that it leads to."""
    if chain == USER_CHAIN:
        return True
    return any(
        chain in targets(rule)
        for (_unused, name), one in seen.rules.chains.items()
        if name == USER_CHAIN
        for rule in one.rules
    )


def _earlier(facts: Facts) -> _Earlier:
    """Raises HostError where it is there and cannot be read."""
    try:
        unit = facts.host.read(_UNIT_FILE)
    except Missing:
        return _NONE
    text = unit.decode(errors="replace")
    ports = frozenset(
        SentOn(int(first), int(last or first), kind) for kind, first, last in re.findall(_LETS_PASS, text)
    )
    return _Earlier(unit, ports, "-j DROP\n" in text)


def _mailcows(seen: State) -> set[SentOn]:
    return {SentOn(one.number, one.number, "tcp") for one in seen.entries.entries}


def _words(ports: SentOn) -> str:
    span = str(ports.first) if ports.first == ports.last else f"{ports.first}-{ports.last}"
    return span if ports.kind == "tcp" else f"{span}/{ports.kind}"


def _published(facts: Facts) -> set[SentOn]:
    """What containers publish now to everybody. Raises HostError where Docker does not tell."""
    from mailcow_wizard.facts.containers import containers

    known = facts.get(containers)
    places = (("tcp", *one) for box in known for one in box.published)
    others = (one for box in known for one in box.others)
    return {
        SentOn(port, port, kind)
        for kind, address, port in (*places, *others)
        if not address.startswith(("127.", "::1"))
    }


def _each(interfaces: list[str], ports: list[SentOn]) -> list[str]:
    """multiport does not know the port as it was before Docker changed it: a rule for each. They return, so
    that the rules after this chain are asked: those of mailcow that ban attackers are."""
    return [
        f"-i {name} -p {one.kind} -m conntrack --ctstate DNAT --ctorigdstport {_span(one)} -j RETURN"
        for name in interfaces
        for one in ports
    ]


def _span(ports: SentOn) -> str:
    return str(ports.first) if ports.first == ports.last else f"{ports.first}:{ports.last}"


def _drops(interfaces: list[str]) -> list[str]:
    """What came from outside and was sent on to a container; answers and what is only routed pass."""
    return [f"-i {name} -m conntrack --ctstate DNAT --ctdir ORIGINAL -j DROP" for name in interfaces]


def _plan(
    facts: Facts,
    seen: State,
    check: str,
    title: str,
    rules: Callable[[list[str]], list[str]],
    consequence: str,
    earlier: _Earlier = _NONE,
) -> Plan | None:
    tables = [table for table, name in seen.rules.chains if name == USER_CHAIN and table.name == "filter"]
    if not tables or not units.is_running(facts) or bool(earlier.unit) != facts.host.exists(_UNIT_FILE):
        return None
    # By whichever the world comes now, over IPv4 or IPv6: the other family may come by it later.
    interfaces = sorted({one.interface for one in seen.entries.entries})
    if not interfaces:
        return None
    made = {table: rules(interfaces) for table in tables}
    stop = ("systemctl", "disable", "--now", UNIT)
    reload = ("systemctl", "daemon-reload")
    unit = _unit(made, seen.tools.usual).encode()
    steps: tuple[PlanStep, ...] = (
        Edit(_UNIT_FILE, None, unit),
        Command(reload),
        Command(("systemctl", "enable", "--now", UNIT), (stop,)),
    )
    if earlier.unit == unit:
        return None
    if earlier.unit:
        # Only the unit that put rules there takes all of them out.
        ends, starts = ("systemctl", "stop", UNIT), ("systemctl", "start", UNIT)
        steps = (
            Command(ends, (reload, starts)),
            Edit(_UNIT_FILE, earlier.unit, unit),
            Command(reload),
            Command(starts, (ends,)),
        )
    if seen.tools.firewalld and not has_own_tables(seen.rules):
        consequence += _(
            " firewall-cmd --reload takes these rules along: restart Docker after it (systemctl restart "
            "docker)."
        )
    return for_root(check, "docker-user-rules", title, steps, consequence)


def _unit(made: dict[Table, list[str]], usual: str) -> str:
    """Docker makes DOCKER-USER at its start and leaves alone what is in it; a firewall's reload may not."""
    begin, end = [], []
    for table, rules in made.items():
        command = f"/usr/sbin/{_command(table, usual)} -w"
        remove = [f"-{command} -D {USER_CHAIN} {rule}" for rule in rules]
        insert = [f"{command} -I {USER_CHAIN} {rule}" for rule in reversed(rules)]
        begin += [f"ExecStart={one}" for one in (*remove, *insert)]
        end += [f"ExecStop={one}" for one in remove]
    return "\n".join(
        (
            _HEAD.rstrip(),
            "[Unit]",
            f"Description=Rules for containers in {USER_CHAIN}",
            "After=docker.service",
            "PartOf=docker.service",
            "",
            "[Service]",
            "Type=oneshot",
            "RemainAfterExit=yes",
            *begin,
            *end,
            "",
            "[Install]",
            "WantedBy=docker.service",
            "",
        )
    )


def _command(table: Table, usual: str) -> str:
    """iptables of the kind that Docker's rules are of."""
    name = program(table)
    return f"{name}-nft" if table.owner == "iptables-nft" and usual == "iptables-legacy" else name
