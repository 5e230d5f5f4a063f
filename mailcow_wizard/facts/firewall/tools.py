"""The programs that write packet filters' rules on this machine, and whose a rule is."""

from __future__ import annotations

import re

from mailcow_wizard.facts.firewall.reading import TABLES, filters
from mailcow_wizard.facts.firewall.rules import Chain, Place, Table
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.patterns import pattern
from mailcow_wizard.typed import NamedTuple

UFW, FIREWALLD, DOCKER, NFT, IPTABLES = "ufw", "firewalld", "Docker", "nftables", "iptables"
UFW_DEFAULTS = "/etc/default/ufw"
NFT_FILE = "/etc/nftables.conf"
# Debian's netfilter-persistent; EL's iptables-services and ip6tables-services.
PERSISTENT = (
    ("/etc/iptables/rules.v4", "/etc/iptables/rules.v6"),
    ("/etc/sysconfig/iptables", "/etc/sysconfig/ip6tables"),
)
_BUILT_IN = ("INPUT", "FORWARD", "OUTPUT", "PREROUTING", "POSTROUTING")
# By the name of a chain or a table: whose it is.
_OWNERS = (
    (UFW, r"ufw6?-.*"),
    (FIREWALLD, r"firewalld|(?:IN|FWD[IO]?|FWDI|FWDO|PRE|POST|FORWARD|INPUT|OUTPUT)_(?:\w+|direct|ZONES.*)"),
    (DOCKER, r"DOCKER.*|docker-bridges"),
    ("mailcow's netfilter", r"MAILCOW"),
    ("fail2ban", r"f2b-.*"),
    ("CrowdSec", r"crowdsec.*|CROWDSEC.*"),
    ("CSF", r"(?:LOCAL|DENY|ALLOW)(?:INPUT|OUTPUT)|ALLOWIN|DENYIN|LOGDROPIN|INVDROP|SYNFLOOD"),
    ("Shorewall", r"net2fw|net-fw|shorewall.*|smurfs|logdrop"),
    ("firehol", r"in_world.*"),
)
# What firewalld with FirewallBackend=iptables puts beside the jumps to its chains.
_OF_FIREWALLD = pattern(
    r"-A (?:INPUT|FORWARD|OUTPUT) (?:-[io] lo -j ACCEPT"
    r"|-m conntrack --ctstate RELATED,ESTABLISHED(?:,DNAT)? -j ACCEPT"
    r"|-m conntrack --ctstate INVALID (?:-j DROP|.*-j LOG .*STATE_INVALID_DROP.*)"
    r"|.*-j LOG .*FINAL_REJECT.*"
    r"|-j REJECT --reject-with icmp6?-(?:host|adm)-prohibited)"
)
_ROUNDABOUT = ("fail2ban", "CrowdSec", DOCKER, "mailcow's netfilter")


class Ufw(NamedTuple):
    """ufw: whether its rules are in force, and whether it has any for IPv6, which it else shuts altogether.
    What it does with packets is read from the rules."""

    active: bool
    ipv6: bool


class Tools(NamedTuple):
    """What writes rules here. `ufw` is None where it is not installed; `own_nft` are tables that no program
    known here wrote; `kinds` which kinds of iptables hold rules; `names` all programs whose rules are in
    force, those that only ban addresses aside."""

    ufw: Ufw | None
    firewalld: bool
    own_nft: tuple[Table, ...]
    kinds: tuple[str, ...]
    names: tuple[str, ...]
    usual: str


def tools(facts: Facts) -> Tools:
    """Reads the rules, and ufw's files. Raises HostError."""
    known = facts.get(filters)
    chains = known.rules.chains.values()
    # `ufw disable` empties its chains and leaves them, with the jumps to them, until the next restart.
    ufw = _ufw(facts, any(chain.rules and _by_name(chain) == UFW for chain in chains))
    firewalld = any(_by_name(chain) == FIREWALLD for chain in chains)
    own_nft = tuple(
        dict.fromkeys(
            chain.table for chain in chains
            if chain.table.owner == "nft" and not _by_name(chain) and _matters(chain)
        )
    )  # fmt: skip
    kinds = tuple(dict.fromkeys(chain.table.owner for chain in chains if _used(chain)))
    names = [name for name, there in ((UFW, ufw and ufw.active), (FIREWALLD, firewalld)) if there]
    names += [NFT] if own_nft else []
    if not (ufw and ufw.active) and any(_plain_iptables(chain) for chain in chains):
        names.append(IPTABLES)
    others = {_by_name(chain) for chain in chains if chain.rules}
    names += sorted(others - {"", UFW, FIREWALLD, *_ROUNDABOUT})
    return Tools(
        ufw, firewalld, own_nft, tuple(one for one in kinds if one != "nft"), tuple(names), known.usual
    )


def _by_name(chain: Chain) -> str:
    for owner, named in _OWNERS:
        if re.fullmatch(named, chain.table.name) or re.fullmatch(named, chain.name):
            return owner
    return ""


def _matters(chain: Chain) -> bool:
    """Whether it can stop a packet that comes in or passes."""
    filters_packets = chain.kind == "filter" and chain.hook in ("ingress", "prerouting", "input", "forward")
    routed = chain.table.family not in ("bridge", "arp")
    return filters_packets and routed and bool(chain.rules or chain.policy == "drop")


def _used(chain: Chain) -> bool:
    return chain.table.name in TABLES and bool(chain.rules or (chain.hook and chain.policy == "drop"))


def _plain_iptables(chain: Chain) -> bool:
    """Whether somebody wrote rules for input with iptables itself."""
    if chain.table.owner == "nft" or chain.name != "INPUT" or chain.table.name != "filter":
        return False
    theirs = FIREWALLD in _lived_in(chain)
    own = [
        rule for rule in chain.rules
        if not _jumps_to_known(rule.text) and not (theirs and _OF_FIREWALLD.fullmatch(rule.text))
    ]  # fmt: skip
    return bool(own) or chain.policy == "drop"


def _jumps_to_known(text: str) -> bool:
    target = re.search(r" -[jg] (\S+)", text)
    return bool(target and any(re.fullmatch(pattern, target[1]) for _, pattern in _OWNERS))


def _ufw(facts: Facts, active: bool) -> Ufw | None:
    try:
        defaults = facts.host.text(UFW_DEFAULTS)
    except HostError:
        return Ufw(True, True) if active else None
    said = dict(re.findall(r'(?m)^([A-Z_0-9]+)="?([^"\n]*)"?\s*$', defaults))
    return Ufw(active, said.get("IPV6", "").lower() == "yes")


def is_left_out(place: Place, known: Tools) -> bool:
    """Whether ufw drops this because it is told to leave IPv6 alone: no rule of its own can let it in."""
    of_v6 = place.rule is None and place.chain.table.family == "ip6"
    return of_v6 and bool(known.ufw and not known.ufw.ipv6) and owner_of(place, known) == UFW


def owner_of(place: Place, known: Tools) -> str:
    """Whose rule this is: ufw, firewalld, Docker, nftables, iptables, or another program by name."""
    named = _by_name(place.chain)
    if named:
        return named
    if place.chain.table.owner == "nft":
        return NFT
    # ufw sets the policies of the chains that it lives in.
    ufw = known.ufw and known.ufw.active and place.chain.name in _BUILT_IN
    if ufw and (place.rule is None or _jumps_to_known(place.rule.text)):
        return UFW
    others = _lived_in(place.chain)
    if place.rule and FIREWALLD in others and _OF_FIREWALLD.fullmatch(place.rule.text):
        return FIREWALLD
    if place.chain.name == "FORWARD" and place.rule is None and DOCKER in others:
        return DOCKER
    return IPTABLES


def _lived_in(chain: Chain) -> set[str]:
    """Which programs have a jump in this chain."""
    return {
        owner
        for rule in chain.rules
        for owner, pattern in _OWNERS
        if (target := re.search(r" -[jg] (\S+)", rule.text)) and re.fullmatch(pattern, target[1])
    }
