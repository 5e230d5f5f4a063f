"""Under which name this program can be called again, by the person who started it and from where they did."""

from __future__ import annotations

import os
import sys

_FOR_EVERYBODY = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
"""Where sudo looks for commands, whatever the person's own PATH says (secure_path of sudoers)."""
_PLAIN = dict.fromkeys(map(ord, "/-._"))


def names() -> tuple[str, str]:
    """As words of a shell: for this user, and for root.

    Over ssh both are lines for the person's own machine, where nothing of this one is typed.
    """
    origin = os.environ.get("MAILCOW_WIZARD_FROM", "")
    if origin:
        return origin, os.environ.get("MAILCOW_WIZARD_FROM_ROOT") or origin
    words = _start()
    # What lies in a directory of the person's own is not found by root.
    found = _found(words[0]) if "/" not in words[0] else ""
    as_root = [found, *words[1:]] if found and os.path.dirname(found) not in _FOR_EVERYBODY else words
    return _joined(words), f"sudo {_joined(as_root)}"


def _start() -> list[str]:
    """How it was started."""
    program, launcher = sys.argv[0], os.environ.get("MAILCOW_WIZARD_NAME", "")
    archive = getattr(getattr(sys.modules.get("__main__"), "__loader__", None), "archive", "")
    if archive:
        name = os.path.basename(archive)
        return [name] if _is(_found(name), archive) else [_python(), archive]
    if launcher:
        return [launcher]
    name = os.path.basename(program)
    if name == "__main__.py":
        return [sys.executable, "-m", "mailcow_wizard"]
    return [name] if _is(_found(name), program) else [program]


def _python() -> str:
    """This Python, by its shortest name: the one that is called python3 may be another, and too old."""
    own = os.path.basename(sys.executable)
    return next((one for one in ("python3", own) if _is(_found(one), sys.executable)), sys.executable)


def _found(name: str) -> str:
    """Where a shell finds this command; empty where it finds none."""
    for directory in os.environ.get("PATH", os.defpath).split(os.pathsep):
        path = os.path.join(directory, name)
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    return ""


def _is(found: str, path: str) -> bool:
    return bool(found) and os.path.realpath(found) == os.path.realpath(path)


def _joined(words: list[str]) -> str:
    if all(one.isascii() and one.translate(_PLAIN).isalnum() for one in words):
        return " ".join(words)
    import shlex

    from mailcow_wizard.harmless import harmless

    return harmless(shlex.join(words), 300)
