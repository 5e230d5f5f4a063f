"""What `dns --push` publishes, what it leaves to a person, and the states afterwards: lines and JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mailcow_wizard.facts.dns.decide import Entry, Left, grouped
from mailcow_wizard.facts.dns.table import Row
from mailcow_wizard.harmless import harmless
from mailcow_wizard.language import _
from mailcow_wizard.model import Finding, Plan
from mailcow_wizard.report.dns import KINDS, of_table
from mailcow_wizard.report.plan import of_fix
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

_LONGEST = 4000


def of_push(
    plan: Plan, applied: bool, change: str | None, result: Finding | None, error: str, rows: Sequence[Row]
) -> dict[str, Any]:
    """The document of `dns --push`: as `fix`, with the table as it is then."""
    return {**of_fix(plan, applied, change, result, error), "records": of_table(rows)["records"]}


def preview(entries: Sequence[Entry], left: Sequence[Left]) -> Iterator[str]:
    """Each zone with its server, and each record that comes (+) and whose text is replaced (-)."""
    heading = None
    for one in entries:
        if (one.zone, one.server) != heading:
            heading = (one.zone, one.server)
            yield harmless(
                _("{zone}, at {server}", zone=one.zone, server=one.server) if one.server else one.zone
            )
        yield from changes(one)
    if left:
        yield _("Not by the wizard")
    for words, names in grouped(left).items():
        named = ", ".join(names)
        yield f"  {harmless(f'{named}: {words}', _LONGEST)}"


def changes(entry: Entry) -> Iterator[str]:
    """The lines of one entry."""
    if entry.old:
        yield harmless(f"- {entry.name}. {entry.old_ttl} {entry.type} {entry.old}", _LONGEST)
    for data in entry.new:
        yield harmless(f"+ {entry.name}. {entry.ttl} {entry.type} {data}", _LONGEST)


def states(rows: Sequence[Row]) -> Iterator[str]:
    """What became of the records, as the zone's own servers and then resolvers have them."""
    for row in rows:
        where = _(" (not at {where})", where=", ".join(row.state.where)) if row.state.where else ""
        yield harmless(f"  {KINDS[row.state.kind]:<18} {row.expected.name} {row.expected.type}{where}")
