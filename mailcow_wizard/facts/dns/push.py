"""What to publish, and at which server: the table's rows that are missing or wrong, as the zone's server has
them at this moment."""

from __future__ import annotations

from mailcow_wizard.facts.dns.decide import Data, Entry, Left, There, decide
from mailcow_wizard.facts.dns.delegation import WAIT_S, Zone, addresses_of
from mailcow_wizard.facts.dns.domain_records import domains
from mailcow_wizard.facts.dns.expected import PATH, TTL
from mailcow_wizard.facts.dns.mail_server import MailServer
from mailcow_wizard.facts.dns.merging import Merged, merged_policy
from mailcow_wizard.facts.dns.message import NOERROR, NXDOMAIN, Answer, answer, folded
from mailcow_wizard.facts.dns.reverse_asked import reverse_asked
from mailcow_wizard.facts.dns.spf import Opinion, spf
from mailcow_wizard.facts.dns.table import Row, is_blank, is_sender, joined_sender, table
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.replies import DnsQuestion, DnsReply
from mailcow_wizard.language import _
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mailcow_wizard.facts.dns.decide import LeftKind, Merge

TO_PUBLISH = ("missing", "wrong")
_IN_AN_ALIAS_S_WAY = ("A", "AAAA", "TXT", "MX", "SRV")
_MOST_PRIMARIES = 8


class Push(NamedTuple):
    """What the wizard publishes, and what it leaves to a person, each in the order of need."""

    entries: tuple[Entry, ...]
    left: tuple[Left, ...]


class Place(NamedTuple):
    """The server that changes of a name go to, and the zone that it has; or why none is known."""

    zone: str = ""
    server: str = ""
    trouble: str = ""


class _Need(NamedTuple):
    """Rows that share name and type."""

    check: str
    subject: str
    rows: tuple[Row, ...]

    @property
    def name(self) -> str:
        return self.rows[0].expected.name

    @property
    def type(self) -> str:
        return self.rows[0].expected.type


def push(facts: Facts) -> Push:
    """Looks at the table, and then at the servers that take changes. Raises HostError."""
    server = facts.get(domains).server
    rows = facts.get(table)
    done: list[Entry] = []
    left: list[Left] = list(_unknown(server))
    needs = []
    for need in _needs(facts, server, rows):
        words = _words(facts, need)
        if words:
            row = need.rows[0]
            optional = not row.expected.value or row.expected.level == "optional"
            kind: LeftKind = "not now" if optional and row.state.kind != "wrong" else "by hand"
            left.append(Left(need.check, need.subject, need.name, need.type, words, kind))
        else:
            needs.append(need)
    places = _places(facts, needs)
    reached = [one for one in needs if not places[one.name].trouble]
    left += [
        Left(one.check, one.subject, one.name, one.type, places[one.name].trouble, "no answer")
        for one in needs
        if places[one.name].trouble
    ]
    for need, there in zip(reached, _there(facts, reached, places), strict=True):
        place = places[need.name]
        if isinstance(there, str):
            left.append(Left(need.check, need.subject, need.name, need.type, there, "no answer"))
            continue
        about = Entry(
            *(need.check, need.subject, need.name, need.type, place.zone, place.server, (), "", ()), ttl=TTL
        )
        wanted = tuple(one.expected for one in need.rows)
        found = decide(wanted, there, about, _merge(facts, rows, need))
        if isinstance(found, Entry):
            done.append(found)
        elif found:
            left.append(found)
    return Push(tuple(done), tuple(left))


def check_of(row: Row, server: MailServer) -> tuple[str, str]:
    """The check that judges a row, and its subject."""
    expected = row.expected
    if expected.type == "PTR":
        address = next((one for one in server.addresses if _reverse(one) == expected.name), expected.name)
        return "dns.ptr", address
    if expected.type in ("A", "AAAA"):
        return f"dns.{expected.type.lower()}", expected.name
    if expected.type == "CNAME":
        return f"dns.{expected.name.partition('.')[0]}", expected.domain
    if expected.type == "TXT":
        if expected.name == f"_dmarc.{expected.domain}":
            return "dns.dmarc", expected.domain
        if expected.name.endswith(f"._domainkey.{expected.domain}"):
            return "dns.dkim", expected.domain
        return ("dns.srv" if expected.value == PATH else "dns.spf"), expected.domain
    return f"dns.{expected.type.lower()}", expected.domain


def _reverse(address: str) -> str:
    import ipaddress

    return ipaddress.ip_address(address).reverse_pointer


def _unknown(server: MailServer) -> list[Left]:
    """The address records that cannot be written because the address is not known."""
    return [
        Left(
            f"dns.{type.lower()}",
            server.name,
            server.name,
            type,
            _(
                "the public {kind} address of this server is not known: {trouble}. Say it with --address",
                kind=kind,
                trouble=found.trouble,
            ),
        )
        for type, kind, found, used in (
            ("A", "IPv4", server.v4, True),
            ("AAAA", "IPv6", server.v6, server.uses_v6),
        )
        if used and not found.public
    ]


def _needs(facts: Facts, server: MailServer, rows: tuple[Row, ...]) -> list[_Need]:
    grouped: dict[tuple[str, str], list[Row]] = {}
    refusing = {one.domain for one in facts.get(spf) if _refuses(one.opinions)}
    for row in rows:
        kind, expected = row.state.kind, row.expected
        if is_blank(row):
            continue  # `_unknown` tells of it
        if kind in (*TO_PUBLISH, "could not ask") or (
            is_sender(expected) and row.state.holds and expected.domain in refusing
        ):
            # A domain may be the server's own name: A and MX of one name are records of their own.
            grouped.setdefault((expected.name, expected.type), []).append(row)
    return [_Need(*check_of(some[0], server), tuple(some)) for some in grouped.values()]


def _refuses(opinions: Mapping[str, Opinion]) -> bool:
    """Whether one of the records does not let all of our mail through, or lets everybody's."""
    return any(
        any(verdict.result != "pass" for _unused, verdict in one.own)
        or any(verdict.result == "pass" for verdict in one.strangers)
        for one in opinions.values()
    )


def _words(facts: Facts, need: _Need) -> str:
    """Why a record is not one to be pushed; empty where it is."""
    expected = need.rows[0].expected
    if expected.type == "SRV" and facts.settings.dns_provider:
        return _(
            "each provider writes these in its own way; enter it there by hand, if wanted: {value}",
            value=expected.value,
        )
    if expected.type == "PTR":
        return facts.get(reverse_asked).words(need.subject)
    return "" if expected.value else expected.note


# --- the servers ---


def _places(facts: Facts, needs: list[_Need]) -> dict[str, Place]:
    """Where changes of each name go: to the server that was given, else to the zone's primary."""
    names = tuple(dict.fromkeys(one.name for one in needs))
    if not names:
        return {}
    if facts.settings.dns_server:
        return dict(zip(names, _at_given(facts, names, facts.settings.dns_server), strict=True))
    zones = {one.name: one.rows[0].seen.zone for one in needs}
    primaries = {zone.name: _primary(facts, zone) for zone in dict.fromkeys(zones.values())}
    return {name: primaries[zones[name].name] for name in names}


def _at_given(facts: Facts, names: tuple[str, ...], server: str) -> tuple[Place, ...]:
    heard = _ask(facts, tuple(DnsQuestion(name, "SOA", (server,), recursive=False) for name in names))
    return tuple(_in_zone(name, server, one) for name, one in zip(names, heard, strict=True))


def _in_zone(name: str, server: str, heard: Answer) -> Place:
    """The zone of a name as this server has it: its SOA comes with every answer."""
    if not heard.code:
        return Place(trouble=_("{server} gives no answer: {error}", server=server, error=heard.error))
    zone = next((one.name for one in (*heard.records, *heard.authority) if one.type == "SOA"), "")
    mine = heard.code in (NOERROR, NXDOMAIN) and heard.authoritative
    if mine and "." in zone and (name == zone or name.endswith(f".{zone}")):
        return Place(zone, server)
    return Place(
        trouble=_(
            "{server} does not have the zone of {name} ({value})",
            server=server,
            name=name,
            value=heard.explained or heard.code,
        )
    )


def _primary(facts: Facts, zone: Zone) -> Place:
    """The server that the zone's SOA names, if it answers for the zone; else the first of its servers."""
    if zone.problem or "." not in zone.name:
        problem = zone.problem or _("the domain is not delegated to a name server yet")
        return Place(
            trouble=_("{problem}. With --server it can be pushed to one all the same", problem=problem)
        )
    told = _ask(facts, (DnsQuestion(zone.name, "SOA", zone.addresses, recursive=False),))[0]
    soa = next((one.value for one in told.records if one.type == "SOA"), "")
    first = soa.partition(" ")[0]
    known = next((one.addresses for one in zone.servers if one.name == first), ())
    if first and not known:
        known = addresses_of(facts, (first,))[0]
    tried = tuple(dict.fromkeys((*known, *zone.addresses)))[:_MOST_PRIMARIES]
    heard = _ask(facts, tuple(DnsQuestion(zone.name, "SOA", (one,), recursive=False) for one in tried))
    places = [_in_zone(zone.name, one, said) for one, said in zip(tried, heard, strict=True)]
    good = next((one for one in places if not one.trouble), None)
    return good or next(
        iter(places), Place(trouble=_("{zone} has no name server that could be asked", zone=zone.name))
    )


def _ask(facts: Facts, questions: tuple[DnsQuestion, ...]) -> tuple[Answer, ...]:
    return tuple(answer(one) for one in facts.host.ask_dns(questions, WAIT_S)) if questions else ()


# --- what they have ---


def _there(facts: Facts, needs: list[_Need], places: dict[str, Place]) -> list[There | str]:
    """What the server of each name has there, all asked at once, with what wildcards would answer; why it is
    not known where the server does not say."""
    asked: dict[tuple[str, str, str], None] = {}
    for need in needs:
        place = places[need.name]
        for type in _types(need):
            for name in (need.name, *_wildcards(need.name, place.zone)):
                asked[place.server, name, type] = None
    questions = tuple(DnsQuestion(name, type, (server,), recursive=False) for server, name, type in asked)
    replies = facts.host.ask_dns(questions, WAIT_S) if questions else ()
    found = {key: _data(reply, key[1], key[2]) for key, reply in zip(asked, replies, strict=True)}
    silent = {key[:2]: said for key, reply in zip(asked, replies, strict=True) if (said := _unsaid(reply))}
    return [
        silent.get((places[need.name].server, need.name)) or _own(need, places[need.name], found)
        for need in needs
    ]


def _unsaid(reply: DnsReply) -> str:
    """Why a server does not say what it has; empty where it does."""
    heard = answer(reply)
    if heard.code in (NOERROR, NXDOMAIN):
        return ""
    return _(
        "{server} gives no answer: {error}",
        server=reply.server,
        error=heard.error or heard.explained or heard.code,
    )


def _types(need: _Need) -> tuple[str, ...]:
    return (need.type, *(_IN_AN_ALIAS_S_WAY if need.type == "CNAME" else ("CNAME",)))


def _wildcards(name: str, zone: str) -> tuple[str, ...]:
    """The wildcards that could answer for a name, the closest first."""
    above = name
    found = []
    while above != zone and "." in above:
        above = above.partition(".")[2]
        found.append(f"*.{above}")
    return tuple(found)


def _own(need: _Need, place: Place, found: dict[tuple[str, str, str], tuple[Data, ...]]) -> There:
    def own(type: str) -> tuple[Data, ...]:
        records = found[place.server, need.name, type]
        same = {one.text for one in records}
        for wildcard in _wildcards(need.name, place.zone):
            if same and {one.text for one in found[place.server, wildcard, type]} == same:
                return ()
        return records

    aliases = tuple(one.plain for one in own("CNAME"))
    if need.type == "CNAME":
        return There((), aliases, tuple(type for type in _IN_AN_ALIAS_S_WAY if own(type) and not aliases))
    return There(own(need.type), aliases)


def _data(reply: DnsReply, name: str, type: str) -> tuple[Data, ...]:
    """The records of this very name and type in a packet; none where it cannot be read."""
    import dns.exception
    import dns.message
    import dns.rdatatype

    try:
        message = dns.message.from_wire(reply.packet, ignore_trailing=True)
    except (dns.exception.DNSException, ValueError, IndexError):
        return ()
    found = []
    for group in message.answer:
        if dns.rdatatype.to_text(group.rdtype) == type and folded(group.name.to_text()) == name:
            for one in group:
                text = one.to_text()
                plain = " ".join(folded(word) for word in text.split(" "))
                if type == "TXT":
                    plain = b"".join(one.strings).decode("utf-8", "replace")
                found.append(Data(text, plain, group.ttl))
    return tuple(sorted(found))


# --- merging ---


def _merge(facts: Facts, rows: tuple[Row, ...], need: _Need) -> Merge:
    expected = need.rows[0].expected

    def merge(text: str) -> Merged | None:
        if need.check == "dns.dmarc":
            return merged_policy(expected.domain, text)
        if need.check != "dns.spf":
            return Merged(
                "",
                _(
                    "it is '{text}', and should be '{value}'. Correct it where the zone is kept",
                    text=text,
                    value=expected.value,
                ),
            )
        known = next(one for one in facts.get(spf) if one.domain == expected.domain)
        if text not in known.opinions:
            return Merged(
                "",
                _(
                    "the SPF record of {domain} changes at this moment; push again later",
                    domain=expected.domain,
                ),
            )
        return joined_sender(rows, expected, text, known.opinions[text])

    return merge
