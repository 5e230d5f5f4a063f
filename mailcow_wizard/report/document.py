"""The JSON documents (contract). Their schema is in `schema.py`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from mailcow_wizard import __version__
from mailcow_wizard.engine.findings import from_fields, of_finding
from mailcow_wizard.host import invoker
from mailcow_wizard.model import STATUSES, Check, Finding
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from mailcow_wizard.engine.memory import Difference

SCHEMA = 1


def of_run(hostname: str, started: float, duration: float, findings: Sequence[Finding]) -> dict[str, Any]:
    """A run's document; `started` in seconds since 1970, `duration` in seconds."""
    return {
        "schema": SCHEMA,
        "version": __version__,
        "hostname": hostname,
        "started": invoker.utc(started),
        "duration_ms": round(duration * 1000),
        "summary": summary(findings),
        "checks": [of_finding(one) for one in findings],
    }


def of_differences(differences: Sequence[Difference]) -> list[dict[str, Any]]:
    """What is different from the run before (contract: `changes` of `check --changes`)."""
    return [one._asdict() for one in differences]


def summary(findings: Sequence[Finding]) -> dict[str, int]:
    """How many findings have each status."""
    counts = Counter(one.status for one in findings)
    return {status: counts[status] for status in STATUSES}


def of_list(checks: Sequence[Check]) -> dict[str, Any]:
    """What would be checked, without results."""
    rows = [
        {
            "id": one.id,
            "step": one.step,
            "title": one.title,
            "needed": one.needed,
            "why": one.why,
            "doc": one.doc,
            "severity": one.severity,
        }
        for one in checks
    ]
    return {"schema": SCHEMA, "version": __version__, "checks": rows}


def findings_of(document: dict[str, Any]) -> tuple[Finding, ...]:
    """The findings of a run's document, as `of_run` wrote it."""
    return tuple(from_fields(one) for one in document["checks"])
