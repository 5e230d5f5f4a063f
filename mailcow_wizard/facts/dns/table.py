"""The table of all records: what should be published against what is, each with its state."""

from __future__ import annotations

from mailcow_wizard.facts.dns import expected as wanted
from mailcow_wizard.facts.dns.certificate import is_refused
from mailcow_wizard.facts.dns.delegation import Zone
from mailcow_wizard.facts.dns.dkim import is_key_record, shortcoming
from mailcow_wizard.facts.dns.dmarc import dmarc
from mailcow_wizard.facts.dns.domain_records import DomainRecords, Domains, domains
from mailcow_wizard.facts.dns.expected import Expected
from mailcow_wizard.facts.dns.host_records import host_records
from mailcow_wizard.facts.dns.mail_server import MailServer, mail_server
from mailcow_wizard.facts.dns.merging import Merged, asks_for, merged_sender, says_mx
from mailcow_wizard.facts.dns.published import Seen
from mailcow_wizard.facts.dns.reverse import reverse_name, reverse_names
from mailcow_wizard.facts.dns.signing import signing_keys
from mailcow_wizard.facts.dns.spf import Opinion, spf
from mailcow_wizard.facts.dns.spf import texts as senders
from mailcow_wizard.facts.dns.spf_check import MOST_VOID, policies
from mailcow_wizard.facts.dns.state import State, state, texts
from mailcow_wizard.facts.network.ipv6 import leads_nowhere
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.language import _
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from mailcow_wizard.facts.dns.signing import SigningKey
    from mailcow_wizard.facts.dns.state import Right


class Row(NamedTuple):
    """A record that should be published, what is published, its state, and what is right for one server."""

    expected: Expected
    seen: Seen
    state: State
    right: Right

    @property
    def value(self) -> str:
        """What to publish: a text that is right as it is stays so, and the expected value else."""
        said = [one for one in texts(self.seen) if _is_of(self.expected, one)]
        if self.expected.type == "TXT" and len(said) == 1 and self.state.kind not in ("wrong", "missing"):
            return said[0]
        return self.expected.value

    @property
    def ttl(self) -> int:
        """For how many seconds what is published may be kept; 0 where nothing is."""
        kept = [
            one.ttl for heard in self.seen.answered for one in heard.records if one.name == self.seen.name
        ]
        return max(kept, default=0)


def table(facts: Facts) -> tuple[Row, ...]:
    """All rows in the order of need: the server's own, then each domain's. Raises HostError."""
    known = facts.get(domains)
    rows = (
        *_of_server(facts, known.server),
        *(_by_holder(facts, row) for one in known.records for row in _of_domain(known, one.domain)),
    )
    return tuple(_by_opinion(facts, rows, row) for row in rows)


def _of_server(facts: Facts, server: MailServer) -> list[Row]:
    records = facts.get(host_records)
    rows = [
        row_of(server, one, records.a if one.type == "A" else records.aaaa)
        for one in wanted.of_server(server)
    ]
    rows += _to_remove(server, records.aaaa)
    rows += [
        row_of(server, Expected("", server.name, seen.type, "", "required", why), seen)
        for seen in (records.a, records.aaaa)
        if (why := _unknown(server, seen.type))
    ]
    reverses = (one.seen for one in facts.get(reverse_names).reverses)
    rows += [row_of(server, _pointer(server, seen.name), seen) for seen in reverses]
    return [_not_yet(facts, row) if _is_of_v6(row.expected) and row.expected.value else row for row in rows]


def _unknown(server: MailServer, type: str) -> str:
    """Why an address that the name should have is not known; empty where it is, or none is to be."""
    ours = server.v4 if type == "A" else server.v6
    if ours.public or (type == "AAAA" and not server.may_have_v6):
        return ""
    return _(
        "the public IPv{family} address of this server is not known: {trouble}",
        family=ours.family,
        trouble=ours.trouble,
    )


def _to_remove(server: MailServer, seen: Seen) -> list[Row]:
    """An address of IPv6 that the name has, and is not to have."""
    if server.may_have_v6:
        return []
    note = (
        _("none, unless this server's is named with --address")
        if server.unnamed
        else _("none as long as IPv6 is not used")
    )
    row = row_of(server, Expected("", server.name, "AAAA", "", "required", note), seen)
    return [row] if row.state.kind in ("wrong", "not everywhere yet") else []


def _is_of_v6(expected: Expected) -> bool:
    return expected.type == "AAAA" or expected.name.endswith(".ip6.arpa")


def _not_yet(facts: Facts, row: Row) -> Row:
    """An address of IPv6 or its name that is not right, where IPv6 leads nowhere: neither need be there, and
    any address would lead others astray."""
    if row.state.kind not in ("missing", "wrong") or not facts.get(leads_nowhere):
        return row
    expected = row.expected
    if expected.type == "PTR" or row.state.kind == "missing":
        expected = expected._replace(level="optional")
    if expected.type == "AAAA":
        expected = expected._replace(value="", note=_("none as long as IPv6 leads nowhere"))
    return row._replace(expected=expected)


def _pointer(server: MailServer, name: str) -> Expected:
    return Expected("", name, "PTR", f"{server.name}.", "required", _("your provider publishes this one"))


def unasked(facts: Facts) -> tuple[Row, ...]:
    """What should be published, and of nobody is asked what is. Raises NoName."""
    server, keys = facts.get(mail_server), facts.get(signing_keys)
    rows = (
        *wanted.of_server(server),
        *(_pointer(server, reverse_name(one)) for one in server.addresses),
        *(row for domain in server.domains for row in wanted.of_domain(server, domain, keys[domain])),
    )
    nowhere = Zone("", ())
    return tuple(row_of(server, one, Seen(one.name, one.type, nowhere)) for one in rows)


def _of_domain(known: Domains, domain: str) -> list[Row]:
    records = next(one for one in known.records if one.domain == domain)
    rows = (
        row_of(known.server, one, seen_of(known.server, records, one))
        for one in wanted.of_domain(known.server, domain, records.key)
    )
    return [_by_key(row, records.key) for row in rows]


def _by_key(row: Row, key: SigningKey) -> Row:
    """A DKIM key that receivers use is right, and may be noted for what is not as it could be."""
    expected = row.expected
    if not row.state.holds or not expected.name.endswith(f"._domainkey.{expected.domain}"):
        return row
    note = shortcoming(row.value, key)
    return row._replace(expected=expected._replace(note=note)) if note else row


def _by_holder(facts: Facts, row: Row) -> Row:
    """A policy of DMARC that is missing and need not be there: that of a domain above holds."""
    expected = row.expected
    if row.state.kind != "missing" or expected.name != f"_dmarc.{expected.domain}":
        return row
    try:
        above = next(one.inherited for one in facts.get(dmarc) if one.domain == expected.domain)
    except HostError:
        return row
    if above.found_by != "all" or not wanted.right_policy(above.policies):
        return row
    note = _("that of {holder} holds, and one of its own would take its place", holder=above.domain)
    return row._replace(expected=expected._replace(value="", level="optional", note=note))


def is_sender(expected: Expected) -> bool:
    """Whether this is a domain's SPF record."""
    return expected.type == "TXT" and expected.name == expected.domain


def _by_opinion(facts: Facts, rows: tuple[Row, ...], row: Row) -> Row:
    """An SPF record is not right by being the only one: it lets this server send, and not everybody. Whom it
    names by records that are themselves not right yet is seen when they are."""
    expected, found = row.expected, senders(row.seen)
    if not is_sender(expected) or not row.state.holds or not found:
        return row
    text = found[0]
    told = next(one for one in facts.get(spf) if one.domain == expected.domain)
    lacking = {text: _lacks(rows, expected, text, opinion) for text, opinion in told.opinions.items()}

    def right(values: tuple[str, ...]) -> bool:
        return row.right(values) and not any(lacking.get(one) for one in policies(values))

    held = state(row.seen, right)
    if held.kind in ("not everywhere yet", "split view"):
        return row._replace(state=held, right=right)
    text = found[0]
    opinion, lacks = told.opinions.get(text), lacking.get(text)
    if opinion and not lacks and (told.unseen or not opinion.own):
        server = facts.get(mail_server)
        unseen = "A" if server.v4 in told.unseen or not told.unseen else "AAAA"
        noted = expected._replace(note=_unknown(server, unseen))
        return row._replace(expected=noted, state=State("could not ask"))
    if not lacks:
        return row
    noted = expected._replace(value=lacks.text or expected.value, note=lacks.words)
    if lacks.unknown:
        return row._replace(expected=noted, state=State("could not ask"))
    return Row(noted, row.seen, State("wrong"), lambda values: row.right(values) and text not in values)


def _lacks(rows: tuple[Row, ...], expected: Expected, text: str, opinion: Opinion) -> Merged | None:
    """What an SPF record lacks; None: nothing, or no more than other records that are not right yet."""
    joined = joined_sender(rows, expected, text, opinion)
    if joined is None or not joined.text or all(_named(rows, expected)):
        return joined
    exchangers, hosts = (
        {one.expected.name for one in rows if one.expected.type in types}
        for types in (("MX",), ("A", "AAAA", "CNAME"))
    )
    return None if asks_for(text, expected.domain, exchangers, hosts) else joined


def is_blank(row: Row) -> bool:
    """Whether it is the row of an address that is not known."""
    return row.state.kind == "could not ask" and row.expected.type in ("A", "AAAA") and not row.expected.value


def joined_sender(rows: tuple[Row, ...], expected: Expected, text: str, opinion: Opinion) -> Merged | None:
    """The SPF record `text` of a domain with this server added to it; None where nothing is to be changed."""
    merged = merged_sender(expected.domain, text, opinion, all(_named(rows, expected)))
    waits = says_mx(text) and _exchanger(rows, expected).state.kind == "missing"
    if waits and merged and (merged.text or any(one.void > MOST_VOID for _unused, one in opinion.own)):
        # It will name this server, and find what it asks for, as soon as the mail exchanger is published.
        return None
    return merged


def _exchanger(rows: tuple[Row, ...], expected: Expected) -> Row:
    return next(one for one in rows if (one.expected.name, one.expected.type) == (expected.domain, "MX"))


def _named(rows: tuple[Row, ...], expected: Expected) -> list[bool]:
    """Whether each record that leads from a domain's `mx` to all of the server's addresses is right, of those
    that are to be there."""
    known = [one for one in rows if not one.expected.domain and one.expected.value]
    addresses = [one for one in known if one.expected.type in ("A", "AAAA")]
    return [one.state.holds for one in (_exchanger(rows, expected), *addresses)]


def seen_of(server: MailServer, records: DomainRecords, expected: Expected) -> Seen:
    """What is published where a mail domain's record is expected."""
    below = expected.name.removesuffix(records.domain).removesuffix(".")
    if expected.type == "CNAME":
        return wanted.client_record(server, records, below)
    return records.at(below, expected.type)


def row_of(server: MailServer, expected: Expected, seen: Seen, right: Right | None = None) -> Row:
    """An expected record with what is published, judged: by `right` where that is known already."""
    right = right or wanted.right(server, expected, seen)
    found = state(seen, right)
    if expected.type in ("A", "AAAA") and _unknown(server, expected.type):
        found = State("could not ask")
    if found.holds and is_refused(seen):
        found = State("not everywhere yet", 0, tuple(one.server for one in seen.public))
    # Other texts at the same name (a site verification) are no wrong record of this kind.
    if found.kind == "wrong" and expected.type == "TXT" and not _of_the_kind(expected, seen):
        found = State("missing")
    return Row(expected, seen, found, right)


def _of_the_kind(expected: Expected, seen: Seen) -> bool:
    return any(_is_of(expected, one) for one in texts(seen))


def _is_of(expected: Expected, text: str) -> bool:
    """Whether a text is a record of the kind that is expected there."""
    if expected.name.endswith(f"._domainkey.{expected.domain}"):
        return is_key_record(text)
    return text.lower().startswith(expected.value.partition(" ")[0].partition(";")[0].lower())
