"""nftables' rules, from what `nft -j list ruleset` prints (libnftables-json(5))."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from operator import index

from mailcow_wizard.facts.firewall.addresses import span_of
from mailcow_wizard.facts.firewall.limits import FEW_AT_ONCE, USUAL_BURST, is_few
from mailcow_wizard.facts.firewall.nft_wording import Wording
from mailcow_wizard.facts.firewall.nft_words import Sets, choice, keys_of, test
from mailcow_wizard.facts.firewall.nft_xt import translated
from mailcow_wizard.facts.firewall.rules import Chain, Rules, Table
from mailcow_wizard.facts.firewall.statements import (
    Key,
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
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from mailcow_wizard.facts.firewall.nft_wording import Texts
    from mailcow_wizard.facts.firewall.statements import Statement

    Expression = dict[str, Any]

_NOTHING = (
    *("counter", "log", "comment", "last", "flow", "dup", "secmark", "ct helper", "ct timeout"),
    *("ct expectation", "xt log"),
)
_ALL_BITS = 0xFFFFFFFF
_PLAIN = {
    "accept": Verdict("accept"),
    "drop": Verdict("drop"),
    "return": Verdict("return"),
    "continue": Verdict("continue"),
}
# What rules ask of a packet, and others may write into it.
_OF_PACKET = (
    *(f"{family} {field}" for family in ("ip", "ip6") for field in ("saddr", "daddr")),
    *(f"{one}{side}" for one in ("", "tcp ", "udp ") for side in ("sport", "dport")),
)
_NAMED = ("set", "map", "limit")
_VERSIONS = {"ip": "ipv4", "ip6": "ipv6"}


def rules(
    document: Any,
    texts: Texts,
    foreign: Collection[tuple[str, str, str]],
    whole: bool = True,
) -> Rules:
    """All chains of the document but the `foreign` ones (family, table, chain), which iptables keeps.

    `texts` says how nft writes each rule, by family, table and handle, once that is asked; not `whole`: the
    elements of sets are left out.
    """
    listed = document.get("nftables") if isinstance(document, dict) else None
    try:
        if isinstance(listed, list):
            return _rules(listed, texts, foreign, whole)
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError):
        pass  # no list of rules that nft ever wrote
    return Rules(unread=(_("what nft prints is not a list of rules"),))


def _rules(listed: list[Any], texts: Texts, foreign: Collection[tuple[str, str, str]], whole: bool) -> Rules:
    known, asleep = _tables(listed, whole)
    heads: dict[tuple[str, str, str], Expression] = {}
    bodies: dict[tuple[str, str, str], list[Rule]] = {}
    for item in listed:
        for kind, about in item.items():
            if kind not in ("chain", "rule"):
                continue
            family, table = about["family"], about["table"]
            place = family, table, about["name"] if kind == "chain" else about["chain"]
            if place in foreign or (family, table) in asleep:
                continue
            body = bodies.setdefault(place, [])
            if kind == "chain":
                heads[place] = about
            else:
                wording = Wording(texts, (family, table, index(about["handle"])), about["expr"])
                sets = known.get((family, table)) or Sets({}, {}, whole, f"{family} {table}")
                body.append(Rule(wording, tuple(_statements(about["expr"], sets, wording))))
    chains = {}
    for place, head in heads.items():
        made = _chain(Table("nft", *place[:2]), head, tuple(bodies[place]))
        chains[made.table, made.name] = made
    return Rules(chains)


def _tables(listed: list[Any], whole: bool) -> tuple[dict[tuple[str, str], Sets], set[tuple[str, str]]]:
    """By family and name: what each table's rules refer to by name; and the tables that are switched off."""
    sets: dict[tuple[str, str], dict[str, Expression]] = {}
    limits: dict[tuple[str, str], dict[str, Expression]] = {}
    asleep: set[tuple[str, str]] = set()
    for item in listed:
        for kind, about in item.items():
            if kind == "table" and "dormant" in _listed(about.get("flags")):
                asleep.add((about["family"], about["name"]))
            elif kind in _NAMED and about.get("name"):
                of_table = limits if kind == "limit" else sets
                of_table.setdefault((about["family"], about["table"]), {})[about["name"]] = about
    places = (*sets, *limits)
    return {one: Sets(sets.get(one, {}), limits.get(one, {}), whole, " ".join(one)) for one in places}, asleep


def places(document: Any) -> list[tuple[str, str, str]]:
    """Every chain's family, table and name, in the order in which they are listed."""
    listed = document.get("nftables") if isinstance(document, dict) else None
    found = []
    for item in listed if isinstance(listed, list) else ():
        chain = item.get("chain") if isinstance(item, dict) else None
        if isinstance(chain, dict):
            found.append((str(chain.get("family")), str(chain.get("table")), str(chain.get("name"))))
    return found


def lookups(document: Any) -> dict[tuple[str, str, str], tuple[bool, ...]]:
    """By family, table and chain, rule by rule: whether it asks a set or a map. iptables shows such a rule
    without that question, as if it were for everything."""
    listed = document.get("nftables") if isinstance(document, dict) else None
    found: dict[tuple[str, str, str], list[bool]] = {}
    for item in listed if isinstance(listed, list) else ():
        rule = item.get("rule") if isinstance(item, dict) else None
        if isinstance(rule, dict):
            place = str(rule.get("family")), str(rule.get("table")), str(rule.get("chain"))
            found.setdefault(place, []).append(_asks_set(rule.get("expr")))
    return {place: tuple(marks) for place, marks in found.items()}


def _asks_set(expressions: Any) -> bool:
    for one in expressions if isinstance(expressions, list) else ():
        match = one.get("match") if isinstance(one, dict) else None
        right = match.get("right") if isinstance(match, dict) else None
        named = isinstance(right, str) and right.startswith("@")
        if named or (isinstance(right, dict) and "set" in right) or "vmap" in one:
            return True
    return False


def _chain(table: Table, head: Expression, body: tuple[Rule, ...]) -> Chain:
    return Chain(
        table,
        head["name"],
        body,
        head.get("hook", ""),
        head.get("prio", 0),
        head.get("type", "filter"),
        head.get("policy", "accept"),
        tuple(_listed(head.get("dev"))),
    )


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _statements(expressions: Sequence[Expression], sets: Sets, wording: Wording) -> list[Statement]:
    found: list[Statement] = []
    for one in expressions:
        if isinstance(one, str):  # a chain without a name is written in nft's own words (nft 1.0)
            found.append(Opaque(f"“{one.partition('{')[0].strip()} {{ … }}”", verdict=True))
            continue
        for name, value in one.items():
            if name == "match":
                found.append(test(value, sets))
            else:
                found += translated(value, wording.text) if name == "xt" else _statement(name, value, sets)
    return found


def _statement(name: str, value: Any, sets: Sets) -> list[Statement]:
    if name == "match":  # on the elements of a set
        return [test(value, sets)]
    made = verdict(name, value)
    if made:
        return [*_meant(name, value), made]
    if name == "vmap":
        return [choice(value, sets, verdict)]
    if name in ("set", "meter") and isinstance(value, dict):
        return _of_set(value, sets)
    if name == "limit":
        return [_limit(value, sets)]
    if name == "ct count":
        return _counted(value)
    if name == "mangle":
        return _mangled(value)
    if name in ("dnat", "redirect"):
        return [*_of_family(value), _nat(name, value or {})]
    if name in ("snat", "masquerade"):
        return [*_of_family(value), Masked()]
    if name == "notrack":
        return [Untrack()]
    if name in _NOTHING:
        return []
    return [Opaque(name, verdict=True)]


def _meant(name: str, value: Any) -> list[Statement]:
    """What a refusal asks of a packet without saying so: nft leaves out of a list what follows from its
    answer."""
    answer = value.get("type") if name == "reject" and isinstance(value, dict) else None
    if answer == "tcp reset":
        return [Test((Key("l4proto"),), (("tcp",),))]
    return _of({"icmp": "ipv4", "icmpv6": "ipv6"}.get(str(answer)))


def _of_family(value: Any) -> list[Statement]:
    """What a translation asks of a packet in a table of both families: `dnat ip to …` is for IPv4."""
    family = value.get("family") if isinstance(value, dict) else None
    return _of({"ip": "ipv4", "ip6": "ipv6"}.get(str(family)))


def _of(family: str | None) -> list[Statement]:
    return [Test((Key("nfproto"),), ((family,),))] if family else []


def verdict(name: str, value: Any) -> Verdict | None:
    """The verdict of this name; None where it is none."""
    plain = _PLAIN.get(name)
    if plain:
        return plain
    if name == "reject":
        return Verdict("drop", softly=True)
    if name in ("jump", "goto"):
        return Verdict(name, value["target"])  # type: ignore[arg-type]
    return None


def _counted(value: Expression, each: bool = False) -> list[Statement]:
    """Connections at once, of all together or of `each` for itself. Of more than none everybody's first one
    is one already."""
    over, number = bool(value.get("inv")), value["val"]
    if number == 0:
        return [] if over else [Test((Key("l4proto"),), ())]
    return [Limit(over, not each and number < FEW_AT_ONCE)]


def _limit(value: Any, sets: Sets, each: bool = False) -> Statement:
    if isinstance(value, str):
        value = sets.limits.get(value, value)
    if isinstance(value, dict) and "rate" in value:
        in_packets = value.get("rate_unit", "packets") == "packets"
        few = in_packets and is_few(
            value["rate"], str(value.get("per")), value.get("burst", USUAL_BURST), each
        )
        return Limit(bool(value.get("inv")), few)
    return Opaque(f"limit {value}")


def _of_set(value: Expression, sets: Sets) -> list[Statement]:
    """Adding to a set fits always what has its properties, which is on it from then on; where each element
    has a limit, as that says."""
    if value.get("op") == "delete":
        return []
    found = _put_on(value, sets)
    for one in (*_listed(value.get("stmt")), *_listed(value.get("stmts"))):
        for name, inner in one.items():
            if name in ("limit", "ct count"):
                found += [_limit(inner, sets, True)] if name == "limit" else _counted(inner, True)
            else:
                found += _statement(name, inner, sets)
    return found


def _put_on(value: Expression, sets: Sets) -> list[Statement]:
    element = value.get("elem", value.get("key"))
    if isinstance(element, dict) and "elem" in element:
        element = element["elem"].get("val")
    keys = keys_of(element)
    if keys is None:
        return []
    versions = dict.fromkeys(_VERSIONS.get(key.name.partition(" ")[0]) for key in keys)
    of_family = [one for version in versions for one in _of(version)]
    return [*of_family, Seen(sets.list_of(str(value.get("set", value.get("name"))), keys))]


def _mangled(value: Expression) -> list[Statement]:
    key = keys_of(value.get("key"))
    name = key[0].name if key and len(key) == 1 else ""
    if name in _OF_PACKET:
        return [Opaque(f"“{name} set …”", verdict=True)]
    new = value.get("value")
    if value.get("key") == {"ct": {"key": "zone"}}:  # with a direction the other one stays as it is
        return [Zone(new if isinstance(new, int) else None)]
    if name not in ("mark", "ct mark"):
        return []
    if isinstance(new, int):
        return [Mark(name, 0, new)]
    operator, rest = next(iter(new.items())) if isinstance(new, dict) and new else ("", None)
    if operator in ("|", "&", "^") and isinstance(rest, list) and len(rest) == 2 and keys_of(rest[0]) == key:
        number = rest[1]
        if isinstance(number, int):
            keep = {"|": _ALL_BITS & ~number, "&": number, "^": _ALL_BITS}[operator]
            return [Mark(name, keep, 0 if operator == "&" else number)]
    return [Mark(name, 0, 0, unknown=True)]


def _nat(name: str, value: Expression) -> Statement:
    address, port = value.get("addr"), value.get("port")
    simple = address is None or (isinstance(address, str) and span_of(address) is not None)
    if not simple or not (port is None or isinstance(port, int)):
        return Nat("", 0, unknown=True)
    return Nat(str(address or ""), port or 0, here=name == "redirect")
