"""iptables' rules, from what `iptables-save` and its kin print."""

from __future__ import annotations

import re
import shlex

from mailcow_wizard.facts.firewall.addresses import span_of
from mailcow_wizard.facts.firewall.ipsets import IpSets
from mailcow_wizard.facts.firewall.iptables_words import MARK, Words, tests_of
from mailcow_wizard.facts.firewall.rules import Chain, Owner, Rules, Table
from mailcow_wizard.facts.firewall.statements import Mark, Masked, Nat, Opaque, Rule, Untrack, Verdict, Zone
from mailcow_wizard.language import _
from mailcow_wizard.numerals import is_number, whole
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from mailcow_wizard.facts.firewall.statements import Statement

# Where each table's built-in chains stand among all others (linux/netfilter_ipv4.h).
_PRIORITIES = {"raw": -300, "mangle": -150, "filter": 0, "security": 50}
_NAT_BEFORE, _NAT_AFTER = -100, 100
_HOOKS = {
    "PREROUTING": "prerouting",
    "INPUT": "input",
    "FORWARD": "forward",
    "OUTPUT": "output",
    "POSTROUTING": "postrouting",
}
HARMLESS = (
    *("LOG", "NFLOG", "ULOG", "AUDIT", "TRACE", "TCPMSS", "TCPOPTSTRIP", "DSCP", "TOS", "TTL", "HL", "ECN"),
    *("CHECKSUM", "CLASSIFY", "SET", "CONNSECMARK", "SECMARK", "IDLETIMER", "LED", "RATEEST", "TEE"),
)
"""Targets after which the packet goes on as it is, as far as this is about."""
_NATS = ("SNAT", "MASQUERADE", "SAME")
_NOT_OURS = "is incompatible, use 'nft' tool"
_MARKS = {"--set-xmark": "xor", "--set-mark": "set", "--or-mark": "or", "--and-mark": "and"}
_ALL_BITS = 0xFFFFFFFF


def rules(saved: str, owner: Owner, family: int, sets: IpSets) -> Rules:
    """All chains of what was saved, for IPv4 or IPv6."""
    table: Table | None = None
    policies: dict[tuple[Table, str], str] = {}
    bodies: dict[tuple[Table, str], list[Rule]] = {}
    ended: set[Table] = set()
    for line in saved.splitlines():
        if line.startswith("COMMIT") and table:
            ended.add(table)
        elif line.startswith("*"):
            table = Table(owner, "ip" if family == 4 else "ip6", line[1:].strip())
        elif table and line.startswith(":") and line[1:].strip():
            name, policy = [*line[1:].split(), "-"][:2]
            policies[table, name] = policy
            bodies.setdefault((table, name), [])
        elif table and line.startswith("-A ") and line.strip() != "-A":
            name = line.split()[1]
            bodies.setdefault((table, name), []).append(Rule(line.strip(), statements(line, family, sets)))
    chains = {place: _chain(*place, policies.get(place, "-"), tuple(body)) for place, body in bodies.items()}
    cut = sorted({one.name for one, _unused in bodies} - {one.name for one in ended})
    unread = tuple(
        _("what {program} saves ends in the middle of its table {table}", program=owner, table=name)
        for name in cut
    )
    return Rules(chains, unread)


def foreign(saved: str) -> tuple[str, ...]:
    """Tables with a name of iptables' that were made with nft: iptables-nft cannot show them."""
    return tuple(re.findall(r"(?m)^# Table [`'](\w+)' " + re.escape(_NOT_OURS), saved))


def _chain(table: Table, name: str, policy: str, body: tuple[Rule, ...]) -> Chain:
    hook = _HOOKS.get(name, "") if policy != "-" else ""
    after = hook in ("input", "postrouting")
    priority = _PRIORITIES.get(table.name, _NAT_AFTER if after else _NAT_BEFORE)
    kind = "nat" if table.name == "nat" else "filter"
    return Chain(table, name, body, hook, priority, kind, "drop" if policy == "DROP" else "accept")


def statements(line: str, family: int, sets: IpSets) -> tuple[Statement, ...]:
    """What a rule (`-A CHAIN …`) asks for and does."""
    try:
        words = Words(shlex.split(line)[2:])
    except (ValueError, IndexError):  # its quotes, or its end
        return (Opaque(_("its words"), verdict=True),)
    found: list[Statement] = list(tests_of(words, family, sets))
    target, goto = words.target, words.goto
    if goto:
        return (*found, Verdict("goto", goto))
    if target:
        found += _target(target, words)
    return tuple(found)


def _target(name: str, words: Words) -> list[Statement]:
    rest = words.rest
    if name in ("ACCEPT", "DROP", "RETURN"):
        return [Verdict(name.lower())]  # type: ignore[arg-type]
    if name == "REJECT":
        return [Verdict("drop", softly=True)]
    if name in HARMLESS:
        return []
    if name in _NATS:
        return [Masked()]
    if name in ("MARK", "CONNMARK"):
        return _marked("mark" if name == "MARK" else "ct mark", rest)
    if name == "NOTRACK" or (name == "CT" and "--notrack" in rest):
        return [Untrack()]
    if name == "CT":
        zone = _after(rest, "--zone")
        return [Zone(whole(zone) if is_number(zone) else None)] if zone else []
    if name == "DNAT":
        return [_dnat(_after(rest, "--to-destination"))]
    if name == "REDIRECT":
        ports = _after(rest, "--to-ports")
        return [
            Nat(
                "",
                whole(ports),
                here=True,
                unknown=not is_number(ports) and bool(ports),
            )
        ]
    if name.isupper() and name in _KNOWN_UNCLEAR:
        return [Opaque(name, verdict=True)]
    return [Verdict("jump", name)]


_KNOWN_UNCLEAR = (
    *("QUEUE", "NFQUEUE", "TPROXY", "TARPIT", "DELUDE", "CHAOS", "SYNPROXY", "MIRROR", "STEAL", "ECHO"),
    *("NETMAP", "CLUSTERIP", "HMARK", "DNETMAP", "ACCOUNT", "PKNOCK", "LSCAN", "SYSRQ", "RAWDNAT", "RAWSNAT"),
)


def _after(words: list[str], option: str) -> str:
    return words[words.index(option) + 1] if option in words[:-1] else ""


def _dnat(to: str) -> Statement:
    match = re.fullmatch(
        r"(?:\[([0-9a-f:.]+)\]|([0-9.]+|[0-9a-f:]*:[0-9a-f:]*:[0-9a-f:]*))?(?::([0-9]+))?", to
    )
    if not match or not to or not is_number(match[3] or "0"):
        return Nat("", 0, unknown=True)
    address = match[1] or match[2] or ""
    if address and span_of(address) is None:
        return Nat("", 0, unknown=True)
    return Nat(address, whole(match[3] or "0"))


def _marked(name: str, rest: list[str]) -> list[Statement]:
    for option, how in _MARKS.items():
        text = _after(rest, option)
        match = MARK.fullmatch(text)
        if not match:
            continue
        value, mask = int(match[1], 0), int(match[2] or "0xffffffff", 0)
        if how == "xor":
            return [Mark(name, _ALL_BITS & ~mask, value)]
        if how == "set":
            return [Mark(name, _ALL_BITS & ~(mask | value), value)]
        if how == "or":
            return [Mark(name, _ALL_BITS & ~value, value)]
        return [Mark(name, value, 0)]
    return [] if "--save-mark" in rest and name == "mark" else [Mark(name, 0, 0, unknown=True)]
