"""The table of records for a face: read as a whole, asked anew in parts; what is to be published; domains."""

from __future__ import annotations

from collections.abc import Sequence

from mailcow_wizard.engine.session import Session
from mailcow_wizard.facts.dns.again import again
from mailcow_wizard.facts.dns.domain_records import domains
from mailcow_wizard.facts.dns.mail_server import MailServer
from mailcow_wizard.facts.dns.overview import Overview, overview
from mailcow_wizard.facts.dns.table import Row, is_sender, table
from mailcow_wizard.facts.identity import domain_of
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.language import _
from mailcow_wizard.names import NotAName, mail_domain
from mailcow_wizard.typed import NamedTuple


class Records(NamedTuple):
    """The server, the rows in the order of need, the facts that they came from, and what becomes of each name
    on the certificate."""

    server: MailServer
    rows: tuple[Row, ...]
    facts: Facts
    overview: Overview


def read(session: Session) -> Records:
    """Asks for everything. Raises HostError."""
    if session.settings.offline:
        raise HostError(_("name servers are not asked with --offline"))
    facts = session.new_facts()
    found = facts.get(overview)
    return Records(facts.get(domains).server, found.rows, facts, found)


def read_again(session: Session, records: Records, rows: Sequence[Row]) -> tuple[Row, ...]:
    """Asks for some rows, in any order. Raises HostError.

    A zone's servers are those found first, where there are some: a way from the root for each round would
    ask other people's servers, and find the same.
    """
    known = [one for one in rows if one.seen.answered and not one.seen.zone.problem]
    lost = [one for one in rows if one not in known]
    return _evaluated(
        session,
        (
            *(again(records.facts, records.server, known) if known else ()),
            *(again(session.new_facts(), records.server, lost) if lost else ()),
        ),
    )


def _evaluated(session: Session, rows: tuple[Row, ...]) -> tuple[Row, ...]:
    """The same; an SPF record that is there and alone is right where all that it names is asked, too."""
    if not any(is_sender(one.expected) and one.state.holds for one in rows):
        return rows
    told = session.new_facts().get(table)
    known = {one.expected.domain: one for one in told if is_sender(one.expected)}
    return tuple(
        one._replace(state=new.state, right=new.right, expected=new.expected)
        if is_sender(one.expected) and one.state.holds and (new := known.get(one.expected.domain))
        else one
        for one in rows
    )


def to_publish(rows: Sequence[Row]) -> tuple[Row, ...]:
    """What is missing, is needed or recommended, and can be published by whoever has the zone."""
    return tuple(one for one in rows if one.state.kind == "missing" and _ours(one))


def to_correct(rows: Sequence[Row]) -> tuple[Row, ...]:
    """What is published and wrong, and can be corrected by whoever has the zone."""
    return tuple(one for one in rows if one.state.kind == "wrong" and one.expected.type != "PTR")


def for_provider(rows: Sequence[Row]) -> tuple[Row, ...]:
    """The names of addresses that are not right and are needed: the provider sets them."""
    names = (one for one in rows if one.expected.type == "PTR" and one.expected.level != "optional")
    return tuple(one for one in names if one.state.kind in ("missing", "wrong"))


def nothing_published(rows: Sequence[Row]) -> bool:
    """Whether no record is there yet, as far as can be told."""
    mine = [one for one in rows if one.expected.type != "PTR"]
    return bool(mine) and all(one.state.kind == "missing" for one in mine)


def _ours(row: Row) -> bool:
    expected = row.expected
    return expected.type != "PTR" and expected.level != "optional" and bool(expected.value)


def mail_domains(session: Session) -> tuple[str, ...]:
    """The mail domains; the one that follows from the server's name where none was said."""
    if session.settings.domains:
        return session.settings.domains
    name = session.hostname().name
    return (domain_of(name),) if "." in name else ()


def added(known: Sequence[str], typed: str) -> tuple[str, ...]:
    """The domains with one more. Raises NotAName, whose text says why it cannot be one of them."""
    new = mail_domain(typed)
    if new in known:
        raise NotAName(_("{new} is in the list already", new=new))
    return (*known, new)


def keep_domains(session: Session, kept: tuple[str, ...]) -> None:
    """Remembers the domains for this and later sessions. Raises HostError where they cannot be written."""
    name = session.answers.hostname or session.settings.hostname
    session.keep(session.answers._replace(hostname=name, domains=kept))
