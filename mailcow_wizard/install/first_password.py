"""The password that every mailcow starts with: what comes next after an install, not a failure of it."""

from __future__ import annotations

from mailcow_wizard.model import Finding

CHECK = "mail.admin-password"
"""What looks for it."""
FIX = "reset-admin"
"""What gives the administrator another one."""
MENDED_BY = f"./wizard fix {CHECK} {FIX}"
"""The same as a command line."""


def is_still_there(finding: Finding) -> bool:
    """The finding says so, and nobody has acknowledged it."""
    return finding.id == CHECK and finding.status == "fail" and finding.acknowledged is None
