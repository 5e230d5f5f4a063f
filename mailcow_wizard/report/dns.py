"""The table of DNS records as JSON, as lines for people, and as zone files (RFC 1035, 5)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mailcow_wizard import __version__
from mailcow_wizard.facts.dns.certificate import APART, NOT_ASKED
from mailcow_wizard.facts.dns.decide import quoted
from mailcow_wizard.facts.dns.expected import TTL
from mailcow_wizard.facts.dns.overview import Overview
from mailcow_wizard.facts.dns.table import Row
from mailcow_wizard.facts.identity import domain_of
from mailcow_wizard.harmless import harmless
from mailcow_wizard.language import _, heard, pgettext
from mailcow_wizard.report.document import SCHEMA
from mailcow_wizard.typed import TYPE_CHECKING
from mailcow_wizard.wrapping import behind, wrapped

if TYPE_CHECKING:
    from typing import Any

_WIDEST = 40
KINDS = {
    "right": _("right"),
    "missing": _("missing"),
    "wrong": _("wrong"),
    "not everywhere yet": _("not everywhere yet"),
    "split view": _("split view"),
    "could not ask": _("could not ask"),
}
"""The states of a record, for people."""
FATES = {
    "asked for": _("asked for"),
    "left out": _("left out"),
    "refused": _("refused"),
    "open": pgettext("a certificate's name", "open"),
}
"""What becomes of a name on the certificate, for people."""
CERTIFICATE = _("What mailcow does for its certificate")


def of_overview(found: Overview) -> dict[str, Any]:
    """The document of `dns`: the table, and the fate of each name on the certificate (null: not known)."""
    known = found.certificate
    names = (
        [{name: harmless(value) for name, value in one._asdict().items()} for one in known.verdicts]
        if known
        else None
    )
    return {**of_table(found.rows), "certificate": names}


def of_table(rows: Sequence[Row]) -> dict[str, Any]:
    """The table's document (contract: `dns`)."""
    return {"schema": SCHEMA, "version": __version__, "records": [_record(one) for one in rows]}


def _record(row: Row) -> dict[str, Any]:
    expected = row.expected
    return {
        "name": expected.name,
        "type": expected.type,
        "value": row.value,
        "ttl": row.ttl or TTL,
        "state": row.state.kind,
        "level": expected.level,
        "domain": expected.domain or None,
        "published": [harmless(one) for one in (*row.seen.aliases, *row.seen.values)],
        "note": expected.note or None,
    }


def lines(rows: Sequence[Row], columns: int = 0) -> Iterator[str]:
    """The table for people: a heading for the server and each domain, then a record a line; what is said of a
    record has a line of its own where it goes beyond so many columns (0: never).

    The value stands at the end of its line and is never wrapped, so that it can be copied.
    """
    width = min(_WIDEST, max((len(one.expected.name) for one in rows), default=0))
    heading = None
    room = max((len(KINDS[one.state.kind]) for one in rows), default=0)
    for row in rows:
        if row.expected.domain != heading:
            if heading is not None:
                yield ""
            heading = row.expected.domain
            yield heading or _("The server")
        yield from _lines(row, room, width, columns)


def overview_lines(found: Overview, columns: int = 0) -> Iterator[str]:
    """The table, and below it what becomes of each name on the certificate; for a terminal of so many columns
    (0: nothing is wrapped)."""
    yield from lines(found.rows, columns)
    yield ""
    yield from certificate_lines(found, columns)


def certificate_lines(found: Overview, columns: int = 0) -> Iterator[str]:
    """The names that mailcow will try for its certificate, each with its fate and the reason."""
    known = found.certificate
    yield CERTIFICATE
    if known is None:
        yield from wrapped(_("  it could not be asked: {trouble}", trouble=heard(found.trouble)), columns)
    elif not known.asks:
        yield from wrapped(f"  {NOT_ASKED}", columns)
    else:
        width = min(_WIDEST, max((len(one.name) for one in known.verdicts), default=0))
        room = max((len(FATES[one.fate]) for one in known.verdicts), default=0)
        for one in known.verdicts:
            yield from behind(f"  {FATES[one.fate]:<{room}}  {one.name:<{width}}", one.words, columns)
        if known.apart:
            yield from wrapped(f"  {APART}", columns)


def _lines(row: Row, room: int, width: int, columns: int) -> list[str]:
    expected = row.expected
    value = quoted(row.value) if expected.type == "TXT" and row.value else row.value
    head = f"  {KINDS[row.state.kind]:<{room}}  {expected.name:<{width}} {expected.type:<5}"
    head = f"{head} {value} " if value else head
    return behind(head, f"({expected.note})", columns) if expected.note else [head.rstrip()]


def zone_files(rows: Sequence[Row]) -> Iterator[str]:
    """A zone file for each zone, with all of its records; one zone's is loaded by name servers as it is.

    What is not known yet, and the provider's reverse names, stand there as comments.
    """
    yield _("; Add these records to your zone. Do not put this file in the place of a zone that has others.")
    provider = [one for one in rows if one.expected.type == "PTR"]
    mine = [one for one in rows if one.expected.type != "PTR"]
    for zone in dict.fromkeys(_zone(one) for one in mine):
        yield from _zone_file(zone, [one for one in mine if _zone(one) == zone])
    for row in provider:
        yield f"; {row.expected.name}. PTR {row.expected.value} ({row.expected.note})"


def _zone(row: Row) -> str:
    """The zone that a record belongs to; where it is not delegated yet, the mail domain's."""
    zone, name = row.seen.zone.name, row.expected.name
    if "." in zone and (name == zone or name.endswith(f".{zone}")):
        return zone
    return row.expected.domain or domain_of(name)


def _zone_file(zone: str, rows: Sequence[Row]) -> Iterator[str]:
    served = rows[0].seen.zone
    servers = [one.name for one in served.servers] if served.name == zone else []
    yield f"$ORIGIN {zone}."
    yield f"$TTL {TTL}"
    yield f"@ SOA {servers[0] if servers else 'ns1.' + zone}. hostmaster.{zone}. 1 7200 3600 1209600 {TTL}"
    yield from (f"@ NS {one}." for one in servers)
    if not servers:
        yield "@ NS ns1 ; " + _("your name server's name and address belong into this line and the next")
        yield "ns1 A 192.0.2.1"
    yield from (_entry(one, zone) for one in rows)


def _entry(row: Row, zone: str) -> str:
    name, type = _relative(row.expected.name, zone), row.expected.type
    if not row.value:
        return f"; {name} {type}: {row.expected.note}"
    return f"{name} {type} {quoted(row.value) if type == 'TXT' else row.value}"


def _relative(name: str, zone: str) -> str:
    return "@" if name == zone else name.removesuffix(f".{zone}")
