"""Acknowledgements as a line and as a document."""

from __future__ import annotations

from collections.abc import Sequence

from mailcow_wizard import __version__
from mailcow_wizard.engine.acknowledging import Entry, holds
from mailcow_wizard.harmless import harmless
from mailcow_wizard.language import _
from mailcow_wizard.model import Acknowledgement
from mailcow_wizard.report.document import SCHEMA
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any


def line(entry: Entry, today: str) -> str:
    """One line: the check, its subject, why, who, since when, until when."""
    subject = f" [{harmless(entry.subject)}]" if entry.subject else ""
    return f"{entry.check}{subject}: {words(entry.acknowledgement, today)}"


def words(acknowledgement: Acknowledgement, today: str = "") -> str:
    """Why, who, since when, until when; over where that day was before `today`."""
    until = acknowledgement.until
    end = _(", until {until}", until=until) if until else ""
    if until and today and not holds(until, today):
        end = _(", until {until} (over)", until=until)
    by = f"{acknowledgement.by}, {acknowledgement.at[:10]}"
    return harmless(f"{acknowledgement.reason} ({by}{end})", 600)


def of_entries(entries: Sequence[Entry], today: str) -> dict[str, Any]:
    """The document of `ack`."""
    rows = [
        {
            "check": one.check,
            "subject": one.subject,
            **one.acknowledgement._asdict(),
            "holds": holds(one.acknowledgement.until, today),
        }
        for one in entries
    ]
    return {"schema": SCHEMA, "version": __version__, "acknowledgements": rows}
