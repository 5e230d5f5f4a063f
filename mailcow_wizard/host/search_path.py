"""Where commands are looked for: the system's own directories; for root what root alone can change."""

from __future__ import annotations

import os
import shutil

from mailcow_wizard.host.door import Denied, Missing
from mailcow_wizard.host.trust import changeable

DIRECTORIES = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")


def search_path() -> str:
    """PATH for what is started here; the caller's own is not trusted.

    For root without the directories into which somebody else could put a command.
    """
    return ":".join(one for one in DIRECTORIES if not changeable(one))


def which(command: str) -> str:
    """The path of a command in the system's own directories.

    Raises Missing, and Denied where this is root and the only such file could be changed by somebody else.
    """
    if os.sep in command:
        path = shutil.which(command)
        if path:
            return path
        raise Missing(f"the command {command} is not installed")
    said = ""
    for directory in DIRECTORIES:
        path = shutil.which(command, path=directory)
        if path and not (stranger := changeable(path)):
            return path
        said = said or (path and stranger) or ""
    if said:
        raise Denied(f"root does not run {command}, which others could change: {said}")
    raise Missing(f"the command {command} is not installed")
