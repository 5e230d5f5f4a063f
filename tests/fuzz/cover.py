"""Which lines and functions of the wizard an input leads through."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import mailcow_wizard

ROOT = str(Path(mailcow_wizard.__file__).parent) + "/"

Line = tuple[CodeType, int]


@contextlib.contextmanager
def traced() -> Iterator[set[Line]]:
    """Collects the lines that are run meanwhile, in all threads that begin then too."""
    found: set[Line] = set()

    def line(frame: FrameType, event: str, argument: Any) -> Any:
        if event == "line":
            found.add((frame.f_code, frame.f_lineno))
        return line

    def call(frame: FrameType, event: str, argument: Any) -> Any:
        return line if frame.f_code.co_filename.startswith(ROOT) else None

    before = sys.gettrace()
    threading.settrace(call)
    sys.settrace(call)
    try:
        yield found
    finally:
        sys.settrace(before)
        threading.settrace(before)  # type: ignore[arg-type]


def _forget_answers() -> None:
    """A cached function is not entered for what it was asked before, as by a test of the same process."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "mailcow_wizard":
            for value in list(vars(module).values()):
                if callable(value) and hasattr(value, "cache_clear"):
                    value.cache_clear()


@contextlib.contextmanager
def noted() -> Iterator[set[CodeType]]:
    """Collects the code that is entered meanwhile, in all threads that begin then too."""
    found: set[CodeType] = set()

    def note(frame: FrameType, event: str, argument: Any) -> None:
        found.add(frame.f_code)

    before = sys.gettrace()
    _forget_answers()
    threading.settrace(note)
    sys.settrace(note)
    try:
        yield found
    finally:
        sys.settrace(before)
        threading.settrace(before)  # type: ignore[arg-type]


def functions(entered: Iterable[CodeType]) -> set[str]:
    """The wizard's own functions of these, as `facts/system.py meminfo`."""
    own = (one for one in entered if one.co_filename.startswith(ROOT))
    return {f"{one.co_filename.removeprefix(ROOT)} {one.co_name}" for one in own}


def picked(feed: Callable[[bytes], object], seeds: Iterable[bytes], new: Iterable[bytes]) -> list[bytes]:
    """Of the new inputs those that lead through lines where neither the seeds nor shorter ones do."""
    known: set[Line] = set()
    for one in seeds:
        with traced() as lines:
            feed(one)
        known |= lines
    chosen = []
    for one in sorted(set(new), key=lambda data: (len(data), data)):
        with traced() as lines:
            feed(one)
        if not lines <= known:
            known |= lines
            chosen.append(one)
    return chosen
