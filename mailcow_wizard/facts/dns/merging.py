"""SPF and DMARC records of a domain that sends already: what they say stays, what lacks is added. Pure."""

from __future__ import annotations

from mailcow_wizard.facts.dns.dmarc import POLICIES, VERSION, mistakes
from mailcow_wizard.facts.dns.spf import Opinion
from mailcow_wizard.facts.dns.spf_check import MOST_LOOKUPS, UNNAMED
from mailcow_wizard.facts.dns.spf_record import BadRecord, Sender, expanded, policy
from mailcow_wizard.language import _
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection


_ANY = "192.0.2.1"
"""Stands for a sender's address, where a macro asks for it."""


class Merged(NamedTuple):
    """A record that keeps what it said and says what was missing; empty where that cannot be had, and `words`
    say what a person should do. `unknown`: nobody could say whether anything is missing."""

    text: str
    words: str = ""
    unknown: bool = False


def merged_sender(domain: str, text: str, opinion: Opinion, by_mx: bool) -> Merged | None:
    """An SPF record that also lets this server send; None where it does already, and not everybody.

    `by_mx` says that the domain's MX is published and leads to all of the server's addresses, so that the
    word `mx` names them; else each address is named.
    """
    own = [verdict for _unused, verdict in opinion.own]
    broken = next((one for one in own if one.result == "permerror"), None)
    if broken:
        return Merged(
            "",
            _(
                "the SPF record of {domain} is not valid: {why}. Correct it: {text}",
                domain=domain,
                why=broken.why,
                text=text,
            ),
        )
    passing = [one.term for one in opinion.strangers if one.result == "pass"]
    if any(not one or _name(one) == "all" for one in passing):
        return Merged(
            "",
            _(
                "the SPF record of {domain} lets everybody send; end it with -all or ~all: {text}",
                domain=domain,
                text=text,
            ),
        )
    wide = next((one for one in (*passing, *(one.wide for one in opinion.strangers)) if one), "")
    if wide:
        return Merged(
            "",
            _(
                "the SPF record of {domain} lets a large part of the internet send by '{term}'. Take that "
                "word away: {text}",
                domain=domain,
                term=wide,
                text=text,
            ),
        )
    unasked = next((one for one in own if one.result == "temperror"), None)
    if unasked:
        return Merged(
            "",
            _(
                "whether the SPF record of {domain} names this server is not known: {why}",
                domain=domain,
                why=unasked.why,
            ),
            unknown=True,
        )
    refused = [(address, one) for address, one in opinion.own if one.result in UNNAMED]
    if not refused:
        return _open(domain, opinion)
    for address, verdict in refused:
        if verdict.term and _name(verdict.term) != "all":
            return Merged(
                "",
                _(
                    "the SPF record of {domain} says by '{term}' that {address} may not send. Take "
                    "that word away if it is no longer meant: {text}",
                    domain=domain,
                    term=verdict.term,
                    address=address,
                    text=text,
                ),
            )
    lookups = max((one.lookups for one in (*opinion.strangers, *own)), default=0)
    if by_mx and lookups < MOST_LOOKUPS:
        return _with(domain, text, ["mx"])
    return _with(domain, text, [f"{'ip6' if ':' in one else 'ip4'}:{one}" for one, _unused in refused])


def _open(domain: str, opinion: Opinion) -> Merged | None:
    """Of a record that lets this server send: that nobody could say whether it lets everybody."""
    unasked = next((one for one in opinion.strangers if one.result == "temperror"), None)
    if unasked is None:
        return None
    words = _(
        "whether the SPF record of {domain} lets everybody send is not known: {why}",
        domain=domain,
        why=unasked.why,
    )
    return Merged("", words, unknown=True)


def says_mx(text: str) -> bool:
    """Whether an SPF record lets the domain's own mail exchangers send, whichever they are."""
    return any(word.lower() in ("mx", "+mx") for word in text.split(" ")[1:])


def asks_for(text: str, domain: str, exchangers: Collection[str], hosts: Collection[str]) -> bool:
    """Whether a valid SPF record of `domain` names anybody by these records, which may not be right yet: mail
    exchangers of these domains, addresses of these hosts, or what another record at or below them says."""
    read = policy(text)
    asked = [(one.name, one.domain or domain) for one in read.terms]
    asked += [("redirect", read.redirect)] if read.redirect else []
    sender = Sender(_ANY, domain, "postmaster", domain)
    places = [(name, expanded(place, sender, domain, lambda: domain)) for name, place in asked]
    return any(_leads_to(name, place, exchangers, hosts) for name, place in places)


def _leads_to(name: str, place: str, exchangers: Collection[str], hosts: Collection[str]) -> bool:
    if name in ("all", "ip4", "ip6"):
        return False
    if name in ("a", "mx"):
        return place in (hosts if name == "a" else exchangers)
    if name == "ptr":
        return any(f".{one}".endswith(f".{place}") for one in hosts)
    return any(f".{place}".endswith(f".{one}") for one in (*exchangers, *hosts))


def _name(term: str) -> str:
    return term.lstrip("+-~?").partition(":")[0].partition("/")[0].lower()


def _with(domain: str, text: str, added: list[str]) -> Merged:
    """The record with these words before what ends it: `all`, or another domain that takes over."""
    words = text.split(" ")
    ends = [
        place
        for place, word in enumerate(words)
        if _name(word) == "all" or word.lower().startswith("redirect=")
    ]
    place = ends[0] if ends else len(words)
    while not ends and place > 1 and not words[place - 1]:
        place -= 1
    merged = " ".join([*words[:place], *added, *words[place:]])
    try:
        policy(merged)
    except BadRecord as error:
        return Merged(
            "",
            _(
                "the SPF record of {domain} is not valid: {error}. Correct it: {text}",
                domain=domain,
                error=error,
                text=text,
            ),
        )
    return Merged(merged)


def merged_policy(domain: str, text: str) -> Merged | None:
    """A DMARC record whose tags are kept and whose policy is valid; None where it is valid already.

    A policy that receivers cannot read is `none` to them (RFC 7489, 6.6.3), and so it becomes that.
    """
    if not mistakes(text):
        return None
    tail = [one.strip() for one in text.split(";")[1:]]
    parts = [one for one in tail if one]
    first = next((place for place, one in enumerate(parts) if _tag(one) == "p"), len(parts))
    asked = "".join(parts[first : first + 1])
    valid = asked.partition("=")[2].strip().lower() in POLICIES
    # Of two policies nobody knows which is meant: the second stays, and is a mistake below.
    others = [_with_scheme(one) for place, one in enumerate(parts) if place != first]
    merged = "; ".join([f"v={VERSION}", asked if valid else "p=none", *others])
    if text.rstrip().endswith(";"):
        merged += ";"
    left = mistakes(merged)
    if left:
        return Merged(
            "",
            _(
                "the DMARC record of {domain} is not valid: {left}. Correct it: {text}",
                domain=domain,
                left="; ".join(left),
                text=text,
            ),
        )
    return Merged(merged)


def _tag(part: str) -> str:
    return part.partition("=")[0].strip().lower()


def _with_scheme(part: str) -> str:
    """Mail addresses of `rua` and `ruf` are URIs; one that is bare can mean nothing else."""
    name, equals, value = part.partition("=")
    if name.strip().lower() not in ("rua", "ruf"):
        return part
    addresses = (one.strip() for one in value.split(","))
    said = [f"mailto:{one}" if "@" in one and ":" not in one else one for one in addresses]
    return f"{name}{equals}{','.join(said)}" if said != value.split(",") else part
