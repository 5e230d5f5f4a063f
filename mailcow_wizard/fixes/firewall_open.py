"""Opening mailcow's ports, in the program whose rule keeps them shut."""

from __future__ import annotations

import re

from mailcow_wizard.facts.firewall.entries import Entry
from mailcow_wizard.facts.firewall.foreseen import BRIDGE
from mailcow_wizard.facts.firewall.rules import Chain, Place, Table, program
from mailcow_wizard.facts.firewall.state import State, state
from mailcow_wizard.facts.firewall.tools import (
    DOCKER,
    FIREWALLD,
    IPTABLES,
    NFT,
    NFT_FILE,
    PERSISTENT,
    UFW,
    owner_of,
)
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.fixes import NoPlan
from mailcow_wizard.fixes.choices import for_root
from mailcow_wizard.host.door import HostError
from mailcow_wizard.language import _
from mailcow_wizard.model import Command, Edit, Manual, Plan
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from mailcow_wizard.model import PlanStep

_COMMENT = "mailcow-wizard"
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


class _Files:
    """Files that the steps add lines to, each edited once in the end."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._before: dict[str, bytes] = {}
        self._after: dict[str, bytes] = {}

    def text(self, path: str) -> str:
        """What it will hold, as far as it is known. Raises HostError, and ValueError where it is no text."""
        if path not in self._after:
            self._before[path] = self._after[path] = self._facts.host.read(path)
        return self._after[path].decode()

    def put(self, path: str, text: str) -> None:
        """This is what it is to hold."""
        self._after[path] = text.encode()

    def steps(self) -> list[PlanStep]:
        """The edits; nft looks at its own file before it is needed at the next start."""
        changed = [path for path, after in self._after.items() if after != self._before[path]]
        looks = [Command(("nft", "-c", "-f", NFT_FILE))] if NFT_FILE in changed else []
        return [*(Edit(path, self._before[path], self._after[path]) for path in changed), *looks]


def plan(facts: Facts) -> Plan | None:
    """Opens what is shut; None where no program that is known keeps anything shut."""
    seen = facts.get(state)
    steps: list[PlanStep] = []
    told: set[str] = set()
    ports: set[int] = set()
    files = _Files(facts)
    for shut in _shut(seen):
        owner = owner_of(shut.place, seen.tools)
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
    if not any(isinstance(one, Command) for one in steps):
        return None
    steps += files.steps()
    names = _listed(ports)
    return for_root(
        "firewall.local",
        "open-ports",
        _("Open {names} in {told}", names=names, told=_(" and ").join(sorted(told))),
        tuple(steps),
        _("Everybody can connect to these ports; all other rules stay as they are."),
    )


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
    }  # fmt: skip


def _steps(facts: Facts, owner: str, shut: _Shut, files: _Files) -> list[PlanStep]:
    if owner == UFW and not shut.forwarded:
        return _ufw(shut)
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


def _ufw(shut: _Shut) -> list[PlanStep]:
    rule = ("allow", "proto", "tcp", "to", "any", "port", _joined(shut.ports), "comment", _COMMENT)
    # A rule of the user's that refuses them comes first otherwise.
    first = ("insert", "1") if shut.place.rule and "-user-" in shut.place.chain.name else ()
    return [Command(("ufw", *first, *rule), (("ufw", "delete", *rule[:-2]),))]


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


def _nft(facts: Facts, shut: _Shut, files: _Files) -> list[PlanStep]:
    """A rule of its own at the beginning of the chain that drops. Its ports are a set: emptied, it is as if
    it were not there."""
    chain = _base_of(facts, shut)
    table = chain.table
    where = (table.family, table.name)
    if shut.forwarded:
        name, kind, elements = _BRIDGES, "ifname", f'"{BRIDGE}"'
        rules: tuple[tuple[str, ...], ...] = (
            ("oifname", f"@{name}", "ct", "status", "dnat", "accept"),
            ("iifname", f"@{name}", "accept"),
            ("oifname", f"@{name}", "ct", "state", "established,related", "accept"),
        )
    else:
        name, kind, elements = _SET, "inet_service", ", ".join(str(one) for one in sorted(shut.ports))
        rules = (("tcp", "dport", f"@{name}", "accept"),)
    there = any(name in rule.text for rule in chain.rules)
    empty = ("nft", "flush", "set", *where, name)
    made = ("nft", "add", "set", *where, name, f"{{ type {kind} ; }}")
    full = ("nft", "add", "element", *where, name, f"{{ {elements} }}")
    steps: list[PlanStep] = [Command(made), Command(full, (empty,), undo_optional=True)]
    if not there:
        steps += [Command(("nft", "insert", "rule", *where, chain.name, *rule)) for rule in rules]
    lines = (
        f"set {name} {{ type {kind}; elements = {{ {elements} }}; }}",
        [" ".join(one) for one in rules],
    )
    return [*steps, *_in_nft_file(files, table, chain.name, *lines)]


def _base_of(facts: Facts, shut: _Shut) -> Chain:
    """The base chain of the same table and hook that leads to the place."""
    chain = shut.place.chain
    if chain.hook:
        return chain
    hooks = ("forward",) if shut.forwarded else ("input", "prerouting", "ingress")
    rules = facts.get(state).rules
    for one in rules.chains.values():
        if one.table == chain.table and one.hook in hooks:
            return one
    raise NoPlan(_("the chain that leads to {chain} was not found", chain=chain.name))


def _in_nft_file(files: _Files, table: Table, chain: str, made: str, rules: list[str]) -> list[PlanStep]:
    """The same in nft's own file, where that is what the rules come from."""
    try:
        text = files.text(NFT_FILE)
        files.put(NFT_FILE, with_rules(text, table.family, table.name, chain, made, rules))
    except (HostError, ValueError):
        lines = "; ".join((made, *rules))
        return [
            Manual(
                _(
                    "After a restart of the machine this is gone, unless what makes the rules has it too, in "
                    "chain {chain} of table {table}: {lines}",
                    chain=chain,
                    table=table.name,
                    lines=lines,
                )
            )
        ]
    return []


def with_rules(text: str, family: str, table: str, chain: str, made: str, rules: list[str]) -> str:
    """A file of nft with a set more, and rules that are first in their chain. Raises ValueError where it has
    no such chain, or has the set already."""
    named = (
        rf"table\s+{family}\s+{re.escape(table)}"
        if family != "ip"
        else rf"table\s+(?:ip\s+)?{re.escape(table)}"
    )
    place = re.search(rf"(?ms)^[ \t]*{named}\s*\{{(?P<body>.*?)^\}}", text)
    if not place:
        raise ValueError(table)
    head = re.search(
        rf"(?m)^([ \t]*)chain\s+{re.escape(chain)}\s*\{{\s*\n"
        r"([ \t]*)type\s[^\n]*\n(?:[ \t]*policy\s[^\n]*\n)?",
        place["body"],
    )
    if not head or made.partition("{")[0] in place["body"]:
        raise ValueError(chain)
    begin = place.start("body")
    first, after = begin + head.start(), begin + head.end()
    lines = "".join(f"{head[2]}{one}\n" for one in rules)
    return f"{text[:first]}{head[1]}{made}\n{text[first:after]}{lines}{text[after:]}"


def _iptables(facts: Facts, shut: _Shut, files: _Files) -> list[PlanStep]:
    """First in the built-in chain, and in the file that is loaded at the start, where there is one."""
    chain = "FORWARD" if shut.forwarded else "INPUT"
    table = shut.place.chain.table
    command = program(table)
    if table.owner == "iptables-nft" and facts.get(state).tools.usual == "iptables-legacy":
        command = f"{command}-nft"
    if shut.forwarded:
        specs = [
            ("-o", BRIDGE, "-m", "conntrack", "--ctstate", "DNAT,ESTABLISHED,RELATED"),
            ("-i", BRIDGE),
        ]
    else:
        specs = [("-p", "tcp", "-m", "multiport", "--dports", _joined(shut.ports))]
    steps: list[PlanStep] = []
    rules = []
    for spec in specs:
        rule = (*spec, "-m", "comment", "--comment", _COMMENT, "-j", "ACCEPT")
        rules.append(" ".join(("-A", chain, *rule)))
        steps.append(Command((command, "-I", chain, "1", *rule), ((command, "-D", chain, *rule),)))
    return [*steps, *_in_saved(files, table, chain, rules)]


def _in_saved(files: _Files, table: Table, chain: str, rules: list[str]) -> list[PlanStep]:
    number = 1 if table.family == "ip6" else 0
    for paths in PERSISTENT:
        try:
            files.put(paths[number], with_saved(files.text(paths[number]), chain, rules))
            return []
        except (HostError, ValueError):
            continue
    commands = "; ".join(f"{program(table)} {one}" for one in rules)
    return [
        Manual(
            _(
                "After a restart of the machine this is gone, unless what makes the rules has these too: "
                "{commands}",
                commands=commands,
            )
        )
    ]


def with_saved(text: str, chain: str, rules: list[str]) -> str:
    """What iptables-save wrote, with more rules first in a chain of the table filter. Raises ValueError."""
    table = re.search(r"(?ms)^\*filter\n(?P<body>.*?)^COMMIT", text)
    if not table:
        raise ValueError("filter")
    body = table["body"]
    first = re.search(rf"(?m)^-A {chain} ", body) or re.search(r"(?m)^-A ", body)
    at = table.start("body") + (first.start() if first else len(body))
    return text[:at] + "".join(f"{one}\n" for one in rules) + text[at:]
