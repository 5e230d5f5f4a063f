"""Matches and targets of iptables as nft shows them: in JSON by name only, in its text (where nft was built
with iptables' library) as statements of its own that mean the same.

That is all there is to see where iptables does not show a table any more, because nft put rules among its
own. What the text leaves open stays unknown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from mailcow_wizard.facts.firewall.addresses import span_of
from mailcow_wizard.facts.firewall.icmp import NAMES
from mailcow_wizard.facts.firewall.iptables import HARMLESS
from mailcow_wizard.facts.firewall.statements import (
    Key,
    Limit,
    Mark,
    Masked,
    Nat,
    Opaque,
    Span,
    Test,
    Untrack,
    Verdict,
)
from mailcow_wizard.numerals import is_number, whole
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from mailcow_wizard.facts.firewall.statements import Row, Statement

_MASKS = ("MASQUERADE", "SNAT")
_NAMED = "“xt {kind} {name}”"
_NUMBER = "(0x[0-9a-f]{1,8}|0|[1-9][0-9]{0,9})"


def translated(value: Any, text: str) -> list[Statement]:
    """What a match or target asks and does, by its name and the text of its rule."""
    text = "" if text.endswith("…") else re.sub(r' comment ""$', "", re.sub(r'"[^"]*"', '""', text))
    kind, name = (str(value.get(one)) for one in ("type", "name")) if isinstance(value, dict) else ("", "")
    if kind == "match":
        made = _MATCHES[name](text) if name in _MATCHES else None
        return [Opaque(_NAMED.format(kind=kind, name=name))] if made is None else made
    made = _target(name, text) if kind == "target" else None
    # What is not even named may be a target.
    words = _NAMED.format(kind=kind, name=name) if kind else "“xt”"
    return [Opaque(words, verdict=True)] if made is None else made


def _target(name: str, text: str) -> list[Statement] | None:
    if name in HARMLESS:
        return []
    if name in _MASKS:
        return [Masked()]
    if name == "REJECT":
        return [Verdict("drop", softly=True)]
    if name == "CT":
        return [Untrack()] if re.search(r"\bnotrack$", text) else None
    if name in ("MARK", "CONNMARK"):
        key = "mark" if name == "MARK" else "ct mark"
        found = re.search(rf"\bmeta mark set {_NUMBER}$", text) if name == "MARK" else None
        number = int(found[1], 0) if found else 0
        return [Mark(key, 0, number, unknown=not found)]
    if name in ("DNAT", "REDIRECT"):
        return [_sent(name, text)]
    return None


def _sent(name: str, text: str) -> Statement:
    """Where a translation of the destination sends to."""
    if name == "REDIRECT":
        found = re.search(r"\bredirect(?: to :([0-9]{1,5}))?$", text)
        return Nat("", whole(found[1] or "0"), here=True) if found else Nat("", 0, here=True, unknown=True)
    found = re.search(
        r"\bdnat(?: ip6?)? to (?:\[([0-9a-f:.]+)\]|([0-9.]+|[0-9a-f:]+?))?(?::([0-9]{1,5}))?$", text
    )
    address = (found[1] or found[2] or "") if found else ""
    if not found or not (address or found[3]) or (address and span_of(address) is None):
        return Nat("", 0, unknown=True)
    return Nat(address, whole(found[3] or "0"))


# --- matches: each reads what the text says of it, all of it, or gives up ---------------------------------


def _asked(begin: str, text: str) -> list[tuple[bool, tuple[str, ...]]] | None:
    """Every place where the text asks for this property: whether it is turned round, and the values; None
    where there is none, or another one begins alike."""
    found = []
    for one in re.finditer(rf"\b{begin} (! |!= )?(?:\{{ ([^}}]*) \}}|(\S+))", text):
        values = tuple(re.split(r",\s*", one[2] or one[3]))
        found.append((bool(one[1]), values))
    return found or None


def _test(key: str, found: tuple[bool, tuple[str, ...]], read: Callable[[str], Any]) -> Statement | None:
    turned, values = found
    rows: list[Row] = []
    for value in values:
        one = read(value)
        if one is None:
            return None
        rows.append((one,))
    return Test((Key(key),), tuple(rows), turned)


def _all(
    text: str, words: Sequence[tuple[str, str, Callable[[str], Any]]], family: str
) -> list[Statement] | None:
    """The tests of these words; None where the text asks for something else of the family of words."""
    made: list[Statement] = []
    for begin, key, read in words:
        for found in _asked(begin, text) or ():
            one = _test(key, found, read)
            if one is None:
                return None
            made.append(one)
    return made if made and len(made) == len(re.findall(rf"\b{family} ", text)) else None


def _word(value: str) -> str | None:
    return value if re.fullmatch(r"[a-z-]+", value) else None


def _number(value: str) -> Span | None:
    first, _dash, last = value.partition("-")
    last = last or first
    return Span(whole(first), whole(last)) if is_number(first) and is_number(last) else None


def _message(protocol: str) -> Callable[[str], Span | None]:
    def read(value: str) -> Span | None:
        number = NAMES[protocol].get(value)
        return _number(value) if number is None else Span(number, number)

    return read


def _conntrack(text: str) -> list[Statement] | None:
    """A status is none of these: it stands for states that the text leaves out (`--ctstate RELATED,DNAT`)."""
    family = "ip6" if re.search(r"\bct original (?:ip6 |[sd]addr (?:!= )?\S*:)", text) else "ip"
    words = (
        ("ct state", "ct state", _word),
        ("ct direction", "ct direction", _word),
        ("ct original proto-dst", "ct wanted port", _number),
        (f"ct original (?:{family} )?daddr", f"ct wanted {family}", span_of),
        (f"ct original (?:{family} )?saddr", f"ct from {family}", span_of),
    )
    return _all(text, words, "ct")


def _addrtype(text: str) -> list[Statement] | None:
    """One kind of address: several are alternatives for IPv4, and not for IPv6."""
    if re.search(r"\bfib \w+ type (?:!= )?\{", text):
        return None
    return _all(text, (("fib daddr type", "dst-type", _word), ("fib saddr type", "src-type", _word)), "fib")


def _ports(text: str) -> list[Statement] | None:
    words = ((r"(?:tcp|udp|th) dport", "dport", _number), (r"(?:tcp|udp|th) sport", "sport", _number))
    return _all(text, words, "(?:dport|sport)")


def _simple(begin: str, key: str, read: Callable[[str], Any]) -> Callable[[str], list[Statement] | None]:
    return lambda text: _all(text, ((begin, key, read),), begin)


def _addresses(text: str) -> list[Statement] | None:
    words = [
        (f"{family} {side}", f"{family} {side}", span_of)
        for family in ("ip", "ip6")
        for side in ("saddr", "daddr")
    ]
    return _all(text, words, "(?:saddr|daddr)")


def _marked(text: str) -> list[Statement] | None:
    found = re.findall(rf"\bct mark (?:and {_NUMBER} )?(==|!=)? ?{_NUMBER}\b", text)
    if len(found) != 1 or len(re.findall(r"\bct mark ", text)) != 1:
        return None
    mask, operator, value = found[0]
    wanted = int(value, 0)
    return [Test((Key("ct mark", int(mask or "0", 0)),), ((Span(wanted, wanted),),), operator == "!=")]


def _hash_limited(text: str) -> list[Statement] | None:
    found = re.findall(r"\bmeter \S+ \{ .*?limit rate (over )?", text)
    return [Limit(bool(found[0]))] if len(found) == 1 else None


def _user(text: str) -> list[Statement] | None:
    return _all(text, (("skuid", "owner", _number), ("skgid", "owner group", _number)), "(?:skuid|skgid)")


_MATCHES: dict[str, Callable[[str], list[Statement] | None]] = {
    "comment": lambda text: [],
    "conntrack": _conntrack,
    "state": _conntrack,
    "addrtype": _addrtype,
    "multiport": _ports,
    "iprange": _addresses,
    "pkttype": _simple("pkttype", "pkttype", _word),
    "length": _simple("meta length", "length", _number),
    "icmp": _simple("icmp type", "icmp type", _message("icmp type")),
    "icmp6": _simple("icmpv6 type", "icmpv6 type", _message("icmpv6 type")),
    "connmark": _marked,
    "hashlimit": _hash_limited,
    "owner": _user,
}
