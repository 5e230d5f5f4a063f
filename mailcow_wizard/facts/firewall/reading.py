"""The rules that are in force, asked of nft and of both kinds of iptables."""

from __future__ import annotations

import contextlib
from functools import partial

from mailcow_wizard.facts.firewall import iptables, nft, nft_wording
from mailcow_wizard.facts.firewall.index import Indexes
from mailcow_wizard.facts.firewall.ipsets import IpSet, ipsets
from mailcow_wizard.facts.firewall.rules import Chain, Rules, Table
from mailcow_wizard.facts.modules import modules
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.door import Host
from mailcow_wizard.host.errors import Denied, HostError, Missing, TooLarge
from mailcow_wizard.host.programs.paths import program
from mailcow_wizard.host.replies import MIB
from mailcow_wizard.language import _, heard
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Any

    from mailcow_wizard.facts.firewall.nft_wording import Handle, Texts
    from mailcow_wizard.facts.firewall.rules import Owner

NAMES = {4: "iptables", 6: "ip6tables"}
TABLES = ("filter", "nat", "mangle", "raw", "security")
LEGACY = {4: "/proc/net/ip_tables_names", 6: "/proc/net/ip6_tables_names"}
_NFT = ("nft", "-s", "-j", "list", "ruleset")
# Without the elements of sets, which may be more than is read.
_NFT_SHORT = ("nft", "-s", "-t", "-j", "list", "ruleset")
_NFT_TEXT = ("nft", "-s", "-a", "list", "ruleset")
_NFT_TEXT_SHORT = ("nft", "-s", "-t", "-a", "list", "ruleset")
_SAVE_S = 8.0
# Some 50 000 rules as nft lists them.
_MOST = 16 * MIB
_KIND = {"nf_tables": "iptables-nft", "legacy": "iptables-legacy"}


class Filters(NamedTuple):
    """All rules in force; `usual` is what `iptables` stands for on this machine: iptables-nft,
    iptables-legacy, or empty where it is not installed."""

    rules: Rules
    usual: str


def filters(facts: Facts) -> Filters:
    """Reads all of them. Raises Denied where this user may not."""
    if facts.host.user().uid != 0:
        raise Denied(_("only root may read the firewall's rules"))
    facts.begin((_nft,), (_usual,))  # nft takes a third of a second for 10 000 rules
    usual = facts.get(_usual)
    chains: dict[tuple[Table, str], Chain] = {}
    unread: list[str] = []
    for one in _all(facts, usual):
        chains.update(one.chains)
        unread += one.unread
    native = facts.get(_nft)
    if native:
        chains = _as_made(chains, nft.places(native.document))
    return Filters(Rules(chains, tuple(dict.fromkeys(unread)), Indexes()), usual)


def _as_made(
    chains: dict[tuple[Table, str], Chain], places: list[tuple[str, str, str]]
) -> dict[tuple[Table, str], Chain]:
    """The chains in the order in which they were made: nft lists its own and those of iptables-nft so; when
    those of the old iptables were made nothing tells."""
    numbers = {place: number for number, place in enumerate(places, 1)}

    def number(place: tuple[Table, str]) -> int:
        table, name = place
        legacy = table.owner == "iptables-legacy"
        return 0 if legacy else numbers.get((table.family, table.name, name), 0)

    return {place: chains[place] for place in sorted(chains, key=number)}


def _usual(facts: Facts) -> str:
    try:
        said = facts.host.run(("iptables", "--version")).out
    except HostError:
        return ""
    return next((kind for word, kind in _KIND.items() if word in said), "iptables-legacy")


def _all(facts: Facts, usual: str) -> list[Rules]:
    host = facts.host
    native = facts.get(_nft)
    found: list[Rules] = []
    theirs: set[tuple[str, str, str]] = set()
    sets = _ipsets(host)
    for family in (4, 6):
        name = "ip" if family == 4 else "ip6"
        if native is not None and not any((name, one) in native.names for one in TABLES):
            continue
        try:
            saved = _saved(host, family, "iptables-nft", usual)
        except HostError as error:
            if native is None or native.trouble:  # nft shows these rules too
                found.append(Rules(unread=(heard(error),)))
            continue
        if saved is None:
            continue
        made = iptables.rules(saved, "iptables-nft", family, sets)
        if native:
            made = _with_lookups(made, native)
        strange = iptables.foreign(saved)
        kept = {place: one for place, one in made.chains.items() if place[0].name not in strange}
        theirs |= {(table.family, table.name, chain) for table, chain in kept}
        found.append(Rules(kept, made.unread))
    for family in (4, 6):
        found += _legacy(host, family, usual, sets)
    if native:
        found.insert(0, nft.rules(native.document, native.texts, theirs, native.whole))
        if native.trouble:
            found.append(Rules(unread=(heard(native.trouble),)))
    else:
        found += _hidden(facts, found)
    return found


def _hidden(facts: Facts, seen: list[Rules]) -> list[Rules]:
    """nftables' rules beside those of iptables that were `seen`, where the kernel has some, or may have."""
    known = facts.get(modules)
    state = dict(known.states).get("nf_tables")
    if state in ("loaded", "built in"):
        tables = _named(facts.host)
        if tables is not None:
            theirs = {one for some in seen for one in some.tables() if one.owner == "iptables-nft"}
            return _unshown(sorted(tables - {(one.family, one.name) for one in theirs}))
    if state == "loaded":
        said = _("nftables is loaded, and the command nft (package nftables) that shows its rules is missing")
    elif state == "built in":
        said = _(
            "nftables is built into the kernel, and the command nft (package nftables) that shows its rules "
            "is missing"
        )
    elif state == "unknown" and not known.lists and not seen:
        said = _(
            "whether the kernel has nftables is not known, and the command nft (package nftables) that shows "
            "it is missing"
        )
    else:
        return []
    return [Rules(unread=(said,))]


def _named(host: Host) -> set[tuple[str, str]] | None:
    """The tables that nftables has, by family and name, without the command nft; None where the kernel does
    not say."""
    try:
        ran = host.run(program("nft_tables"), _SAVE_S)
    except HostError:
        return None
    pairs = [line.split(maxsplit=1) for line in ran.out.splitlines()]
    if ran.code or any(len(one) != 2 for one in pairs):
        return None
    return {(family, name) for family, name in pairs}


def _unshown(tables: list[tuple[str, str]]) -> list[Rules]:
    """What these tables do with packets of IP nobody knows."""
    names = [" ".join(one) for one in tables if one[0] not in ("arp", "bridge")]
    if not names:
        return []
    said = _(
        "nftables has rules in {tables} that only the command nft shows, and it is missing: install the "
        "package nftables",
        tables=", ".join(names),
    )
    return [Rules(unread=(said,))]


def _with_lookups(made: Rules, native: _Listed) -> Rules:
    """iptables' chains, where rules that nft put among theirs are read as nft shows them."""
    marks = nft.lookups(native.document)
    if not any(any(one) for one in marks.values()):
        return made
    shown = nft.rules(native.document, native.texts, (), native.whole).chains
    chains = dict(made.chains)
    for (table, name), chain in made.chains.items():
        asks = marks.get((table.family, table.name, name), ())
        other = shown.get((Table("nft", table.family, table.name), name))
        if other is None or not any(asks):
            continue
        if len(chain.rules) == len(asks):
            pairs = zip(chain.rules, other.rules, asks, strict=True)
            chains[table, name] = chain._replace(rules=tuple(b if ask else a for a, b, ask in pairs))
        else:
            chains[table, name] = chain._replace(rules=other.rules)
    return made._replace(chains=chains)


class _Listed(NamedTuple):
    """nft's answer; `names` its tables; `whole`: with the elements of sets."""

    document: object
    texts: Texts
    names: frozenset[tuple[str, str]]
    whole: bool = True
    trouble: str = ""


def _nft(facts: Facts) -> _Listed | None:
    """nft's rules; None where it is not installed."""
    try:
        document, whole = _document(facts.host)
    except Missing:
        return None
    except HostError as error:
        return _Listed({"nftables": []}, dict, frozenset(), trouble=str(error))
    try:
        tables = [one["table"] for one in document.get("nftables", ()) if "table" in one]
        names = frozenset((str(one["family"]), str(one["name"])) for one in tables)
    except (TypeError, KeyError):
        return _Listed(document, dict, frozenset())  # who reads the rules will say so
    return _Listed(document, partial(facts.get, texts, whole), names, whole)


def texts(facts: Facts, whole: bool) -> dict[Handle, str]:
    """How nft writes each rule; nothing where it does not say."""
    try:
        return nft_wording.texts(facts.host.run(_NFT_TEXT if whole else _NFT_TEXT_SHORT, _SAVE_S, _MOST).out)
    except HostError:
        return {}


def _document(host: Host) -> tuple[dict[str, Any], bool]:
    """What nft lists, and whether with the elements of sets. Raises HostError."""
    import json

    trouble = HostError(_("what nft lists cannot be read"))
    for argv, whole in ((_NFT, True), (_NFT_SHORT, False)):
        try:
            ran = host.run(argv, _SAVE_S, _MOST)
        except TooLarge as error:
            trouble = error
            continue
        if ran.code:
            said = ran.err.strip().splitlines()[:1]
            raise HostError(_("nft does not list its rules: {said}", said=said[0] if said else ran.code))
        with contextlib.suppress(ValueError, RecursionError):
            document = json.loads(ran.out)
            if isinstance(document, dict):
                return document, whole
    raise trouble


def _saved(host: Host, family: int, kind: str, usual: str) -> str | None:
    """What iptables of this kind saves; None where it is not installed. Raises HostError."""
    names = [f"{NAMES[family]}-{kind.partition('-')[2]}-save"]
    if usual == kind:
        names.append(f"{NAMES[family]}-save")
    for name in names:
        try:
            ran = host.run((name,), _SAVE_S, _MOST)
        except Missing:
            continue
        if ran.code:
            said = ran.err.strip().splitlines()[:1]
            why = said[0] if said else ran.code
            raise HostError(_("{command} does not show its rules: {why}", command=name, why=why))
        return ran.out
    return None


def _legacy(host: Host, family: int, usual: str, sets: dict[str, IpSet]) -> list[Rules]:
    """The old kind, where the kernel has tables of it: asking for others would make it load them."""
    owner: Owner = "iptables-legacy"
    try:
        names = host.text(LEGACY[family]).split()
        saved = _saved(host, family, owner, usual) if names else None
    except Missing:
        return []
    except HostError as error:
        return [Rules(unread=(heard(error),))]
    if not names:
        return []
    if saved is None:
        words = _(
            "there are tables of {program}-legacy ({tables}) that cannot be shown",
            program=NAMES[family],
            tables=", ".join(sorted(names)),
        )
        return [
            Rules(
                unread=(_("{words}: {program}-legacy-save is missing", words=words, program=NAMES[family]),)
            )
        ]
    return [iptables.rules(saved, owner, family, sets)]


def _ipsets(host: Host) -> dict[str, IpSet]:
    try:
        ran = host.run(("ipset", "save"), _SAVE_S, _MOST)
    except HostError:
        return {}
    return ipsets(ran.out) if ran.code == 0 else {}  # half of the elements are none
