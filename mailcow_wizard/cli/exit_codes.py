"""Exit codes (contract)."""

from __future__ import annotations

from collections.abc import Iterable

from mailcow_wizard.model import Finding
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from mailcow_wizard.engine.memory import Difference

OK = 0
FAIL = 1
WARN = 2
UNKNOWN = 3
USAGE = 64
DEFECT = 70
CANNOT_WRITE = 73
OUTPUT = 74
LOCKED = 75
NEEDS_ROOT = 77
HUNG_UP = 129
INTERRUPTED = 130
TERMINATED = 143

_FIRST_THAT_APPLIES = (("crashed", DEFECT), ("fail", FAIL), ("warn", WARN), ("unknown", UNKNOWN))


def of_findings(findings: Iterable[Finding]) -> int:
    """The code of a run: the worst that was found; skipped and acknowledged findings do not count."""
    seen = {one.status for one in findings if one.acknowledged is None}
    return next((code for status, code in _FIRST_THAT_APPLIES if status in seen), OK)


def of_differences(
    differences: Iterable[Difference], findings: Iterable[Finding], again: Iterable[Finding] = ()
) -> int:
    """The code of a comparison: the worst of what is worse than before or new, or was acknowledged then and
    counts `again`, so that an old trouble that stays is no news. One that crashed is a defect all along."""
    worse = {(one.id, one.subject) for one in differences if one.worse}
    worse |= {(one.id, one.subject) for one in again}
    return of_findings(one for one in findings if (one.id, one.subject) in worse or one.status == "crashed")
