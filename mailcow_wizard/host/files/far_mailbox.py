"""The variables that name a mailbox elsewhere and hold its password, for who does not inherit them."""

from __future__ import annotations

import os
from collections.abc import Mapping

MAILBOX, IMAP, PASSWORD = (
    "MAILCOW_WIZARD_FAR_MAILBOX",
    "MAILCOW_WIZARD_FAR_IMAP",
    "MAILCOW_WIZARD_FAR_PASSWORD",
)
_NAMES = (MAILBOX, IMAP, PASSWORD)


def variables() -> dict[str, str]:
    """Those in our own environment; none where it holds no password, but the name of its file, say."""
    found = {name: os.environ[name] for name in _NAMES if os.environ.get(name)}
    return found if PASSWORD in found else {}


def adopt(found: Mapping[str, str]) -> None:
    """Takes over what somebody else's process found in its environment."""
    os.environ.update({name: value for name, value in found.items() if name in _NAMES})
