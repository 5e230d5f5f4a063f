"""Facts of one run: each source is asked once, however many checks need it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable

from mailcow_wizard.host.door import Host
from mailcow_wizard.model import Settings
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any, Concatenate, ParamSpec, TypeVar

    Fact = TypeVar("Fact")
    Arguments = ParamSpec("Arguments")


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
        self._answers: dict[tuple[Callable[..., Any], tuple[Any, ...]], _Answer] = {}
        self._lock = threading.Lock()

    def get(
        self,
        source: Callable[Concatenate[Facts, Arguments], Fact],
        *arguments: Arguments.args,
        **none: Arguments.kwargs,
    ) -> Fact:
        """The source's value for these arguments, asked for at the first call; raises what it raised.

        Arguments are given by place, so that one question has one answer.
        """
        with self._lock:
            answer = self._answers.setdefault((source, arguments), _Answer())
        with answer.lock:
            if not answer.known:
                try:
                    answer.value = source(self, *arguments, **none)
                except Exception as error:
                    answer.error = error
                answer.known = True
        if answer.error is not None:
            raise answer.error
        value: Fact = answer.value
        return value

    def known(self, source: Callable[[Facts], Fact]) -> Fact | None:
        """What a source has answered already; None where it has not, or could not. Waits for nothing."""
        with self._lock:
            answer = self._answers.get((source, ()))
        value: Fact | None = answer.value if answer and answer.known and answer.error is None else None
        return value

    def begin(self, *calls: tuple[Any, ...]) -> None:
        """Asks several sources at the same time, each given with its arguments, and waits for all of them.

        What one of them raised is raised by the `get` that asks for it afterwards.
        """
        distinct = tuple(dict.fromkeys(calls))
        others = [threading.Thread(target=self._quietly, args=one, daemon=True) for one in distinct[1:]]
        for thread in others:
            thread.start()
        for one in distinct[:1]:
            self._quietly(*one)
        for thread in others:
            thread.join()

    def _quietly(self, source: Any, *arguments: Any) -> None:
        with contextlib.suppress(Exception):
            self.get(source, *arguments)
