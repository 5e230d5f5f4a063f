"""Where the locks lie that all wizards of a machine have in common, wherever each keeps its state."""

from __future__ import annotations

import os

_RUN = "/run"
_PLACE = f"{_RUN}/mailcow-wizard"
_LENGTH = 16


def of_machine() -> str:
    """The path of the machine's lock; empty where this user may change no machine."""
    return f"{_PLACE}/machine-{_network()}" if _is_here() else ""


def of_directory(directory: str) -> str:
    """The path of the lock of mailcow's directory, wherever links to it lie; empty as in `of_machine`."""
    import hashlib  # it takes 4 MiB of memory, and who only looks needs none of it

    if not _is_here():
        return ""
    real = os.path.realpath(directory).encode("utf-8", "surrogateescape")
    return f"{_PLACE}/directory-{_network()}-{hashlib.sha256(real).hexdigest()[:_LENGTH]}"


def _is_here() -> bool:
    return os.geteuid() == 0 and os.path.isdir(_RUN)


def _network() -> int:
    """What tells machines apart that share a directory /run, as containers may: each has its own network."""
    try:
        return os.stat("/proc/self/ns/net").st_ino
    except OSError:
        return 0
