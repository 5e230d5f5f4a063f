"""What iptables asks of a packet: the options and matches of a rule as tests over properties."""

from __future__ import annotations

import re
from collections.abc import Callable

from mailcow_wizard.facts.firewall.addresses import span_of
from mailcow_wizard.facts.firewall.ipsets import IpSets, asking
from mailcow_wizard.facts.firewall.limits import USUAL_BURST, is_few
from mailcow_wizard.facts.firewall.statements import ANY, Key, Limit, Opaque, Seen, Span, Test
from mailcow_wizard.numerals import is_number, whole
from mailcow_wizard.patterns import pattern
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from mailcow_wizard.facts.firewall.statements import Row, Statement

_TCP_FLAGS = {"FIN": 1, "SYN": 2, "RST": 4, "PSH": 8, "ACK": 16, "URG": 32, "ALL": 63, "NONE": 0}
_FEWEST_LETTERS = 6
# Matches that ask for nothing where they have no option: `-p tcp -m tcp`.
_PROTOCOLS_NAMED = ("", "tcp", "udp", "udplite", "sctp", "dccp", "icmp", "icmp6", "icmpv6")
_IGNORED = ("--limit-iface-in", "--limit-iface-out")
_OPTIONS_WITHOUT_VALUE = pattern(
    r"--(?:set|update|rcheck|remove|rsource|rdest|rttl|name-only|physdev-is-\w+|invert|loose|validmark|"
    r"accept-local|limit-iface-in|limit-iface-out|syn|notrack|reap|transparent|nowildcard|restore-skmark|"
    r"random|random-fully|persistent|clamp-mss-to-pmtu|log-\w+-(?:sequence|options)|log-uid|save-mark|"
    r"restore-mark|return-nomatch|hashlimit-rate-match|kerneltz|contiguous|fragfirst|fragmore|fraglast|"
    r"nodst|zone-orig|pass-on-loopback|socket-exists|exist|map-set)"
)


class Match(NamedTuple):
    """A match of a rule: its name and its options, each with whether it is turned round, and its values."""

    name: str
    options: tuple[tuple[str, bool, tuple[str, ...]], ...]


class Words:
    """A rule's words after its chain, in parts: options, matches, target with `rest`, goto."""

    def __init__(self, words: list[str]) -> None:
        self.target = self.goto = ""
        self.rest: list[str] = []
        self.matches: list[Match] = []
        name, options, place = "", list[tuple[str, bool, tuple[str, ...]]](), 0
        while place < len(words):
            word = words[place]
            turned = word == "!" and place + 1 < len(words)
            place += turned
            word = words[place]
            place += 1
            if word in ("-j", "-g"):
                self.target, self.goto = (words[place], "") if word == "-j" else ("", words[place])
                self.rest = words[place + 1 :]
                break
            if word == "-m":
                self.matches.append(Match(name, tuple(options)))
                name, options = words[place], []
                place += 1
                continue
            values: list[str] = []
            if not _OPTIONS_WITHOUT_VALUE.fullmatch(word) and word != "-f":
                while place < len(words) and not re.match(r"-{1,2}[a-zA-Z]|!$", words[place]):
                    values.append(words[place])
                    place += 1
            options.append((word, turned, tuple(values)))
        self.matches.append(Match(name, tuple(options)))


def tests_of(words: Words, family: int, sets: IpSets) -> list[Statement]:
    """Every test of a rule."""
    found: list[Statement] = []
    for match in words.matches:
        if match.name in _WHOLE:
            found += _WHOLE[match.name](match)
            continue
        if match.name == "set":
            found += asking(match.options, family, sets)
            continue
        if not match.options and match.name not in _PROTOCOLS_NAMED:
            found.append(Opaque(f"“-m {match.name}”"))
        for name, turned, values in match.options:
            if name not in _IGNORED:
                found.append(_option(match.name, name, turned, values, family))
    return found


def _option(match: str, name: str, turned: bool, values: tuple[str, ...], family: int) -> Statement:
    value = values[0] if values else ""
    known = _known(name, values, family)
    if known is None:
        said = " ".join(("-m", match, name, value) if match else (name, value)).strip()
        return Opaque(f"“{said}”")
    keys, rows = known
    return Test(keys, rows, turned)


def _known(name: str, values: tuple[str, ...], family: int) -> tuple[tuple[Key, ...], tuple[Row, ...]] | None:
    value = values[0] if values else ""
    if family == 6 and name in _KINDS_OF_ADDRESS:
        return _all_kinds(_SIMPLE[name][0], value.lower().split(","))
    if name in _SIMPLE:
        key, read = _SIMPLE[name]
        key = key.replace("IP", "ip" if family == 4 else "ip6")
        rows = read(value)
        return None if rows is None else ((Key(key),), rows)
    if name == "--tcp-flags" and len(values) == 2:
        mask, wanted = (_flags(one) for one in values)
        return ((Key("tcp flags", mask),), ((Span(wanted, wanted),),)) if mask else None
    if name in _MESSAGES:
        return _message(_MESSAGES[name], value)
    if name in _HOPS:
        return _hops(name, value)
    if name == "--syn":
        return (Key("tcp flags", 23),), ((Span(2, 2),),)
    if name == "--ports":
        return _either_port(value)
    if name == "-f":
        return (Key("extension"),), (("true",),)
    return None


_KINDS_OF_ADDRESS = ("--dst-type", "--src-type")
_BY_ROUTE = ("local", "anycast", "unreachable")


def _all_kinds(key: str, kinds: list[str]) -> tuple[tuple[Key, ...], tuple[Row, ...]]:
    """The kinds of an IPv6 address: all that are named have to be true of it, and one of those that a route
    says (linux/net/netfilter/xt_addrtype.c)."""
    always = tuple(one for one in kinds if one not in _BY_ROUTE)
    by_route = [one for one in kinds if one in _BY_ROUTE]
    rows: tuple[Row, ...] = tuple((*always, one) for one in by_route) or (always,)
    return tuple(Key(key) for _one in rows[0]), rows


def _flags(words: str) -> int:
    total = 0
    for one in words.split(","):
        total |= _TCP_FLAGS.get(one, 0)
    return total


def _protocols(value: str) -> tuple[Row, ...]:
    if value in ("all", "0"):
        return (("*",),)
    return ((Span(whole(value), whole(value)),),) if is_number(value) else ((value,),)


def _network(value: str) -> tuple[Row, ...] | None:
    span = span_of(value)
    return None if span is None else ((span,),)


def _interface(value: str) -> tuple[Row, ...]:
    return ((f"{value[:-1]}*" if value.endswith("+") else value,),)


def _ports(value: str) -> tuple[Row, ...] | None:
    rows: list[Row] = []
    for one in value.split(","):
        first, colon, last = one.partition(":")
        if not (first or colon) or not all(is_number(part) or not part for part in (first, last)):
            return None
        rows.append((Span(int(first or 0), int(last or (65535 if colon else first))),))
    return tuple(rows)


def _either_port(value: str) -> tuple[tuple[Key, ...], tuple[Row, ...]] | None:
    """Ports of which one is to be the asked or the asking one."""
    rows = _ports(value)
    if rows is None:
        return None
    both = (*((row[0], ANY) for row in rows), *((ANY, row[0]) for row in rows))
    return (Key("sport"), Key("dport")), both


def _names(value: str) -> tuple[Row, ...]:
    return tuple((one.lower(),) for one in value.split(","))


def _users(value: str) -> tuple[Row, ...] | None:
    first, _dash, last = value.partition("-")
    if not is_number(first) or not is_number(last or first):
        return None
    return ((Span(whole(first), whole(last or first)),),)


_MESSAGES = {"--icmp-type": "icmp", "--icmpv6-type": "icmpv6"}
_HOPS = ("--hl-eq", "--hl-lt", "--hl-gt")


def _message(protocol: str, value: str) -> tuple[tuple[Key, ...], tuple[Row, ...]] | None:
    """A type of ICMP, with a code or without."""
    keys = Key(f"{protocol} type"), Key(f"{protocol} code")
    if value == "any":
        return keys[:1], ((ANY,),)
    numbers = value.split("/")
    if len(numbers) > len(keys) or not all(is_number(one) for one in numbers):
        return None
    return keys[: len(numbers)], (tuple(Span(whole(one), whole(one)) for one in numbers),)


def _hops(name: str, value: str) -> tuple[tuple[Key, ...], tuple[Row, ...]] | None:
    """How many hops an IPv6 packet has left."""
    if not is_number(value):
        return None
    number = whole(value)
    span = {"--hl-lt": Span(0, number - 1), "--hl-gt": Span(number + 1, 255)}.get(name, Span(number, number))
    return (Key("ip6 hoplimit"),), ((span,),)


_SIMPLE: dict[str, tuple[str, Callable[[str], tuple[Row, ...] | None]]] = {
    "-s": ("IP saddr", _network),
    "-d": ("IP daddr", _network),
    "-i": ("iif", _interface),
    "-o": ("oif", _interface),
    "-p": ("l4proto", _protocols),
    "--dport": ("dport", _ports),
    "--sport": ("sport", _ports),
    "--dports": ("dport", _ports),
    "--sports": ("sport", _ports),
    "--state": ("ct state", _names),
    "--ctstate": ("ct state or status", _names),
    "--ctstatus": ("ct status", _names),
    "--ctdir": ("ct direction", _names),
    "--ctproto": ("l4proto", _protocols),
    "--ctorigdst": ("ct wanted IP", _network),
    "--ctorigsrc": ("ct from IP", _network),
    "--ctorigdstport": ("ct wanted port", _ports),
    "--dst-type": ("dst-type", _names),
    "--src-type": ("src-type", _names),
    "--src-range": ("IP saddr", _network),
    "--dst-range": ("IP daddr", _network),
    "--pkt-type": ("pkttype", _names),
    "--helper": ("ct helper", _names),
    "--uid-owner": ("owner", _users),
    "--gid-owner": ("owner group", _users),
    "--length": ("length", _ports),
    "--ctorigsrcport": ("ct from port", _ports),
}
MARK = pattern(r"(0x[0-9a-f]{1,16}|0|[1-9][0-9]{0,19})(?:/(0x[0-9a-f]{1,16}|0|[1-9][0-9]{0,19}))?")


def _mark(match: Match) -> list[Statement]:
    key = "mark" if match.name == "mark" else "ct mark"
    found: list[Statement] = []
    for _option, turned, values in match.options:
        found_mark = MARK.fullmatch(values[0] if values else "")
        if not found_mark:
            return [Opaque(f"“-m {match.name}”")]
        value, mask = int(found_mark[1], 0), int(found_mark[2] or "0", 0)
        found.append(Test((Key(key, mask),), ((Span(value, value),),), turned))
    return found


def _nothing(match: Match) -> list[Statement]:
    return []


def _limited(match: Match) -> list[Statement]:
    options = _first_values(match)
    return [Limit(False, _is_few(options.get("--limit", "3/hour"), options.get("--limit-burst", "")))]


def _hash_limited(match: Match) -> list[Statement]:
    over = any(name == "--hashlimit-above" or turned for name, turned, _values in match.options)
    options = _first_values(match)
    rate = (
        options.get("--hashlimit-above") or options.get("--hashlimit-upto") or options.get("--hashlimit", "")
    )
    each = "srcip" in options.get("--hashlimit-mode", "").split(",")
    return [Limit(over, _is_few(rate, options.get("--hashlimit-burst", ""), each))]


def _first_values(match: Match) -> dict[str, str]:
    return {name: values[0] if values else "" for name, _turned, values in match.options}


def _is_few(rate: str, burst: str, each: bool = False) -> bool:
    number, _slash, per = rate.partition("/")
    return is_number(number) and is_few(whole(number), per, whole(burst, USUAL_BURST), each)


def _connections(match: Match) -> list[Statement]:
    """`--connlimit-above` fits the one that is too many, `--connlimit-upto` all before it."""
    over = {"--connlimit-above": True, "--connlimit-upto": False}
    for name, turned, values in match.options:
        if name in over and values == ("0",):  # which everybody's first one is above
            return [] if over[name] is not turned else _never(match)
        if name in over:
            return [Limit(over[name] is not turned)]
    return [Opaque("“-m connlimit”")]


def _recent(match: Match) -> list[Statement]:
    """Who was seen before: a stranger was not, unless by a rule that the packet met on its way, and is not
    the one that comes too often."""
    options = {name: (turned, values[0] if values else "") for name, turned, values in match.options}
    name = options.get("--name", (False, "DEFAULT"))[1]
    if "--set" in options:
        return [Seen(name)] if not options["--set"][0] else [Limit(over=True)]
    turned = next((options[one][0] for one in ("--update", "--rcheck", "--remove") if one in options), None)
    if turned is None or "--rdest" in options:
        return [Opaque(f"“-m recent --name {name}”")]
    if options.get("--hitcount", (False, "1"))[1] not in ("0", "1"):
        return [Limit(over=not turned)]
    return [Test((Key("seen"),), ((name,),), turned)]


def _text(match: Match) -> list[Statement]:
    """A text that is looked for: the packets that open a connection carry none. A few bytes may be found in
    the numbers of any header."""
    for name, turned, values in match.options:
        if name == "--string" and values and len(values[0]) >= _FEWEST_LETTERS:
            return [Test((Key("text"),), (("true",),), turned)]
    return [Opaque("“-m string”")]


def _encrypted(match: Match) -> list[Statement]:
    """Whether it came, or will leave, by IPsec: what strangers and containers exchange does not."""
    by_it = [(turned, values) for name, turned, values in match.options if name == "--pol"]
    if len(by_it) != 1 or by_it[0][1] not in (("none",), ("ipsec",)):
        return [Opaque("“-m policy”")]
    turned, values = by_it[0]
    return [Test((Key("ipsec"),), (("true",),), (values == ("none",)) is not turned)]


def _bridged(match: Match) -> list[Statement]:
    """What came over a bridge's port; a packet that is routed did not."""
    plain = [turned for name, turned, _values in match.options if name == "--physdev-is-bridged"]
    if len(plain) == len(match.options) == 1:
        return [Test((Key("extension"),), (("true",),), plain[0])]
    return [Opaque("“-m physdev”")]


def _way_back(match: Match) -> list[Statement]:
    turned = any(name == "--invert" for name, _turned, _values in match.options)
    return [Test((Key("way back"),), (("true",),), turned)]


def _never(match: Match) -> list[Statement]:
    """A header that the first packet of a connection does not have."""
    return [Test((Key("other protocol"),), ())]


_WHOLE: dict[str, Callable[[Match], list[Statement]]] = {
    "comment": _nothing,
    "nfacct": _nothing,
    "string": _text,
    "policy": _encrypted,
    "mark": _mark,
    "connmark": _mark,
    "limit": _limited,
    "hashlimit": _hash_limited,
    "connlimit": _connections,
    "recent": _recent,
    "physdev": _bridged,
    "rpfilter": _way_back,
    **dict.fromkeys(("rt", "frag", "hbh", "dst", "mh", "ah", "esp"), _never),
}
