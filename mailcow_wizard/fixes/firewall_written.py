"""Rules that are put first in a chain, now and in the file that its rules come from at the next start: nft's
own, or the one that iptables-save wrote."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mailcow_wizard.facts.firewall.rules import Chain, Rules, Table, program
from mailcow_wizard.facts.firewall.tools import NFT_FILE, PERSISTENT
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.fixes import NoPlan
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.programs.paths import program as own
from mailcow_wizard.language import _
from mailcow_wizard.model import Command, Edit, Manual
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from mailcow_wizard.model import PlanStep

_COMMENT = "mailcow-wizard"


class Elements(NamedTuple):
    """A set of nft that rules of ours ask for (as `@`): its name, the type of its elements, the elements."""

    name: str
    kind: str
    elements: str


class Files:
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


def base_of(rules: Rules, chain: Chain, hooks: tuple[str, ...]) -> Chain:
    """The base chain of the same table that leads to this one. Raises NoPlan where there is none."""
    if chain.hook:
        return chain
    for one in rules.chains.values():
        if one.table == chain.table and one.hook in hooks:
            return one
    raise NoPlan(_("the chain that leads to {chain} was not found", chain=chain.name))


def nft_first(
    files: Files, known: Rules, chain: Chain, these: Elements, rules: tuple[tuple[str, ...], ...]
) -> list[PlanStep]:
    """Rules of nft that ask for a set of their own: by that they are found when they are taken back."""
    table = chain.table
    where = (table.family, table.name)
    these = these._replace(name=_free_name(known, table, these.name))
    back = (*own("nft_back"), *where, chain.name, these.name)
    steps: list[PlanStep] = [
        Command(("nft", "add", "set", *where, these.name, f"{{ type {these.kind} ; }}"), (back,)),
        Command(("nft", "add", "element", *where, these.name, f"{{ {these.elements} }}")),
    ]
    made = [tuple(f"@{these.name}" if word == "@" else word for word in one) for one in rules]
    steps += [Command(("nft", "insert", "rule", *where, chain.name, *one)) for one in made]
    lines = (
        f"set {these.name} {{ type {these.kind}; elements = {{ {these.elements} }}; }}",
        [" ".join(one) for one in made],
    )
    return [*steps, *_in_nft_file(files, table, chain.name, *lines)]


def _free_name(known: Rules, table: Table, name: str) -> str:
    """A name that no rule of the table asks for yet: what a change adds is told from what others did."""
    texts = " ".join(
        rule.text for chain in known.chains.values() if chain.table == table for rule in chain.rules
    )
    taken = set(re.findall(rf"@({name}\w*)", texts))
    return next(one for one in (name, *(f"{name}_{n}" for n in range(2, len(taken) + 3))) if one not in taken)


def _in_nft_file(files: Files, table: Table, chain: str, made: str, rules: list[str]) -> list[PlanStep]:
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


def iptables_first(
    files: Files, table: Table, chain: str, tests: Sequence[tuple[str, ...]], usual: str
) -> list[PlanStep]:
    """Rules of iptables that accept what fits these tests; `usual` is what `iptables` stands for here."""
    command = program(table)
    if table.owner == "iptables-nft" and usual == "iptables-legacy":
        command = f"{command}-nft"
    steps: list[PlanStep] = []
    rules = []
    for one in tests:
        rule = (*one, "-m", "comment", "--comment", _COMMENT, "-j", "ACCEPT")
        rules.append(" ".join(("-A", chain, *rule)))
        steps.append(Command((command, "-I", chain, "1", *rule), ((command, "-D", chain, *rule),)))
    return [*steps, *_in_saved(files, table, chain, rules)]


def _in_saved(files: Files, table: Table, chain: str, rules: list[str]) -> list[PlanStep]:
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
    first = re.search(rf"(?m)^-A {re.escape(chain)} ", body) or re.search(r"(?m)^-A ", body)
    at = table.start("body") + (first.start() if first else len(body))
    return text[:at] + "".join(f"{one}\n" for one in rules) + text[at:]
