"""A step on a message's way, as the server that took it in writes it down (Received, RFC 5321, 4.4)."""

from __future__ import annotations

import ipaddress
import re

from mailcow_wizard.patterns import pattern
from mailcow_wizard.requirements_network import LOCAL_NETWORKS, PRIVATE_NETWORKS
from mailcow_wizard.typed import NamedTuple

_CLAUSES = pattern(r"received\s*:\s*from\s(.*?)\sby\s+([^\s;()]+)", re.IGNORECASE | re.DOTALL)
# Behind the sender's name and address stands how it came, with names of ciphers.
_HOW = pattern(r"\((?:using|version=)", re.IGNORECASE)
_BY = pattern(r"received\s*:\s*(?:\S.*?\s)?by\s+([^\s;()]+)", re.IGNORECASE | re.DOTALL)
_WORDS = pattern(r"[a-z0-9_.-]+", re.IGNORECASE)
_LITERAL = pattern(r"[\[(](?:ipv6:)?([0-9a-f.:]{2,45})[\])]", re.IGNORECASE)
_TLS = pattern(r"\b(?:version=)?TLSv?(\d)(?:[._](\d))?\b", re.IGNORECASE)
_WITH = pattern(r"\bwith\s+(?:utf8)?(?:e?smtp|lmtp)(sa?|a)?\b", re.IGNORECASE)
_LMTP = pattern(r"\bwith\s+(?:utf8)?lmtp", re.IGNORECASE)
_INSIDE = tuple(map(ipaddress.ip_network, (*PRIVATE_NETWORKS, *LOCAL_NETWORKS)))
_SELF = "localhost"
_SHORT_SECOND_LEVEL = 3
_COUNTRY = 2


class Hop(NamedTuple):
    """`names` are those of who handed it in (its greeting, its reverse name), `address` its address, `inside`
    that this one is nobody's outside; `by` is who took it, `tls` over which version of TLS (`none`: over
    none; empty: not said). `text` is the whole line."""

    names: tuple[str, ...] = ()
    address: str = ""
    by: str = ""
    tls: str = ""
    text: str = ""

    @property
    def delivers(self) -> bool:
        """Whether it was only handed to the place that keeps mailboxes."""
        return bool(_LMTP.search(self.text))

    @property
    def inside(self) -> bool:
        """Whether it was handed on within one house: from a private address, or from none that is named."""
        if not self.address:
            return not self.names
        address = ipaddress.ip_address(self.address)
        return any(address in one for one in _INSIDE)


def hop(line: str) -> Hop:
    """Reads a whole header."""
    clauses = _CLAUSES.match(line)
    if not clauses:
        taken = _BY.match(line)
        return Hop(by=taken[1].rstrip(".").lower() if taken else "", tls=_tls(line), text=line)
    source = _HOW.split(clauses[1])[0]
    address = next(filter(None, map(_address, (*_LITERAL.findall(source), *source.split()[:1]))), "")
    named = dict.fromkeys(one.strip(".").lower() for one in _WORDS.findall(source))
    names = tuple(one for one in named if "." in one and not _address(one) and not one.startswith(_SELF))
    return Hop(names, address, clauses[2].rstrip(".").lower(), _tls(line), line)


def same_house(one: str, other: str) -> bool:
    """Whether two names have one registered domain, as far as that can be told without a list of them."""
    return bool(one) and _registered(one) == _registered(other)


def _registered(name: str) -> str:
    labels = name.lower().rstrip(".").split(".")
    short = len(labels) > 2 and len(labels[-1]) == _COUNTRY and len(labels[-2]) <= _SHORT_SECOND_LEVEL
    return ".".join(labels[-3 if short else -2 :])


def _tls(line: str) -> str:
    version = _TLS.search(line)
    if version:
        return f"TLS {version[1]}.{version[2] or 0}"
    way = _WITH.search(line)
    if not way:
        return ""
    return "TLS" if "s" in (way[1] or "").lower() else "none"


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return ""
