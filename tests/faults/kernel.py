"""Calls of the kernel that go wrong, one of them or all from one on: as our own modules make them."""

from __future__ import annotations

import builtins
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

CALLS = (
    *("open", "read", "pread", "write", "rename", "unlink", "mkdir", "rmdir", "lstat", "stat", "fstat"),
    *("readlink", "fsync", "fchmod", "fchown", "chmod", "listxattr", "getxattr", "setxattr", "removexattr"),
    *("memfd_create", "ftruncate", "listdir", "scandir", "urandom", "dup"),
)


class Kernel:
    """Counts the calls; call number `place` fails with `error`, or with `lasting` all from there on."""

    def __init__(self, place: int = 0, error: int = 0, lasting: bool = False) -> None:
        self.count = 0
        self.place, self.error, self.lasting = place, error, lasting

    def _fails(self) -> bool:
        caller = sys._getframe(2).f_globals.get("__name__", "")
        if not caller.startswith("mailcow_wizard."):
            return False
        self.count += 1
        return self.count >= self.place > 0 if self.lasting else self.count == self.place

    def wrapped(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """The call, when it is not the one that fails."""

        def made(*arguments: Any, **named: Any) -> Any:
            if self._fails():
                raise OSError(self.error, os.strerror(self.error))
            return call(*arguments, **named)

        return made


@contextmanager
def faulty(kernel: Kernel) -> Iterator[Kernel]:
    """As long as this lasts the calls go through `kernel`."""
    before = {name: getattr(os, name) for name in CALLS}
    opened = builtins.open
    try:
        for name, call in before.items():
            setattr(os, name, kernel.wrapped(call))
        builtins.open = kernel.wrapped(opened)
        yield kernel
    finally:
        builtins.open = opened
        for name, call in before.items():
            setattr(os, name, call)
