"""A finding as plain values (contract: an element of `checks`), and back."""

from __future__ import annotations

from mailcow_wizard.language import called, pgettext
from mailcow_wizard.model import Acknowledgement, Evidence, Finding, Fix
from mailcow_wizard.own_name import uncalled
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_SENTENCES = ("title", "summary", "needed", "found", "why")


def status_word(status: str) -> str:
    """A status within a sentence."""
    return {
        "pass": pgettext("a status", "pass"),
        "warn": pgettext("a status", "warn"),
        "fail": pgettext("a status", "fail"),
        "unknown": pgettext("a status", "unknown"),
        "skipped": pgettext("a status", "skipped"),
        "crashed": pgettext("a status", "crashed"),
    }[status]


def of_finding(finding: Finding) -> dict[str, Any]:
    """One finding as an object."""
    fields = finding._asdict()
    fields["evidence"] = [one._asdict() for one in finding.evidence]
    fields["fixes"] = [one._asdict() for one in finding.fixes]
    fields["remedies"] = list(finding.remedies)
    fields["acknowledged"] = finding.acknowledged._asdict() if finding.acknowledged else None
    return fields


def retold_finding(fields: dict[str, Any]) -> dict[str, Any]:
    """A finding that was stored as English, in the language that is spoken."""
    from mailcow_wizard.retelling import retold, retold_source

    told = _with(fields, retold)
    told["evidence"] = [{**one, "what": retold_source(str(one["what"]))} for one in told["evidence"]]
    return told


def named_finding(fields: dict[str, Any]) -> dict[str, Any]:
    """A finding that was kept in the language that it was found in, with the name that this program has
    here."""
    return _with(fields, called)


def nameless_finding(fields: dict[str, Any]) -> dict[str, Any]:
    """A finding without the name that this program has here: the next to read it may have another."""
    return _with(fields, uncalled)


def _with(fields: dict[str, Any], told: Callable[[str], str]) -> dict[str, Any]:
    return {
        **fields,
        **{name: told(str(fields[name])) for name in _SENTENCES if fields.get(name)},
        "evidence": [{**one, "value": told(str(one["value"]))} for one in fields["evidence"]],
        "remedies": [told(str(one)) for one in fields["remedies"]],
        "fixes": [{**one, "title": told(str(one["title"]))} for one in fields["fixes"]],
    }


def from_fields(fields: dict[str, Any]) -> Finding:
    """The finding that `of_finding` wrote."""
    acknowledged = fields["acknowledged"]
    return Finding(
        **{
            **fields,
            "evidence": tuple(Evidence(**one) for one in fields["evidence"]),
            "fixes": tuple(Fix(**one) for one in fields["fixes"]),
            "remedies": tuple(fields["remedies"]),
            "acknowledged": Acknowledgement(**acknowledged) if acknowledged else None,
        }
    )
