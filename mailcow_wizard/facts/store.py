"""Facts of one run: each source is asked once, however many checks need it."""

from __future__ import annotations

import threading
from collections.abc import Callable

from mailcow_wizard.host.door import Host
from mailcow_wizard.model import Settings
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any, TypeVar

    Fact = TypeVar("Fact")


class _Answer:
    """One source's answer, or the exception that it ended with."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.known = False
        self.value: Any = None
        self.error: Exception | None = None


class Facts:
    """Answers of one machine in one run. A source is a function of this store; sources may use others."""

    def __init__(self, host: Host, settings: Settings | None = None) -> None:
        self.host = host
        self.settings = settings or Settings()
        self._answers: dict[Callable[..., Any], _Answer] = {}
        self._lock = threading.Lock()

    def get(self, source: Callable[[Facts], Fact]) -> Fact:
        """The source's value, asked for at the first call; raises what the source raised, each time."""
        with self._lock:
            answer = self._answers.setdefault(source, _Answer())
        with answer.lock:
            if not answer.known:
                try:
                    answer.value = source(self)
                except Exception as error:
                    answer.error = error
                answer.known = True
        if answer.error is not None:
            raise answer.error
        value: Fact = answer.value
        return value
