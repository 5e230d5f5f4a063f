"""What the entry asks and does before anything that costs time is imported."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import NoReturn


def close_to_others() -> None:
    """What this process makes may be changed by nobody else, whatever its caller's umask is."""
    os.umask(os.umask(0o077) | 0o022)


def hold_streams() -> None:
    """Takes the numbers of standard streams that are closed: a lock that got one would be lost in the first
    process that it is handed to. They stay of no use; what is written there fails as before."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            _hold(number)


def _hold(number: int) -> None:
    try:
        got = os.open(os.devnull, os.O_RDONLY)
    except OSError:
        return
    if got != number:
        os.close(got)


def environment() -> Mapping[str, str]:
    """The environment's variables."""
    return os.environ


def is_for_screens() -> bool:
    """Whether all three streams are a terminal that can draw."""
    return all(map(os.isatty, (0, 1, 2))) and os.environ.get("TERM", "dumb") != "dumb"


def write(data: bytes) -> None:
    """To standard output, past its buffer. Raises OSError."""
    os.write(1, data)


def end(code: int) -> NoReturn:
    """Ends the process at once."""
    # The interpreter's own end takes 5 ms of what `check ports` may take, and waits for nothing of ours.
    os._exit(code)
