"""Some rows of the table asked anew, without the rest of it: for who waits until they are right."""

from __future__ import annotations

from collections.abc import Sequence

from mailcow_wizard.facts.dns import reverse
from mailcow_wizard.facts.dns.domain_records import DomainRecords
from mailcow_wizard.facts.dns.expected import Expected
from mailcow_wizard.facts.dns.mail_server import MailServer
from mailcow_wizard.facts.dns.published import Wanted, look
from mailcow_wizard.facts.dns.table import Row, is_sender, row_of, seen_of
from mailcow_wizard.facts.store import Facts


def again(facts: Facts, server: MailServer, rows: Sequence[Row]) -> tuple[Row, ...]:
    """These rows as they are now. Which servers a zone has is asked once in a store. Raises HostError."""
    wanted = {
        (one.expected.name, type): _wanted(server, one.expected, type)
        for one in rows
        for type in _types(one.expected)
    }
    seen = dict(zip(wanted, look(facts, tuple(wanted.values())), strict=True))
    found = []
    for row in rows:
        expected = row.expected
        here = {type: seen[expected.name, type] for type in _types(expected)}
        if expected.domain:
            below = expected.name.removesuffix(expected.domain).removesuffix(".")
            records = DomainRecords(expected.domain, {(below, type): one for type, one in here.items()})
            right = row.right if is_sender(expected) else None
            found.append(row_of(server, expected, seen_of(server, records, expected), right))
        else:
            found.append(row_of(server, expected, here[expected.type]))
    return tuple(found)


def _types(expected: Expected) -> tuple[str, ...]:
    """What is asked for a row: an alias is found in the answer for what it leads to."""
    return ("A", "AAAA") if expected.type == "CNAME" else (expected.type,)


def _wanted(server: MailServer, expected: Expected, type: str) -> Wanted:
    if type == "PTR":
        return reverse.wanted(expected.name)
    return Wanted(expected.name, type, expected.domain or server.within)
