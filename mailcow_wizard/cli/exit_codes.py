"""Exit codes (contract)."""

from collections.abc import Iterable

from mailcow_wizard.model import Finding

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
