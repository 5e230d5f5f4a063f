"""A recorded machine whose answers can be exchanged one by one, and that tells what it was asked."""

import functools
from collections.abc import Callable
from typing import Any

from mailcow_wizard.checks import all_checks
from mailcow_wizard.engine import runner
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.door import HostError
from mailcow_wizard.host.recorded import RecordedHost, question
from mailcow_wizard.model import Check, Judgement, Settings

Instead = Callable[[Any], Any]
"""From an answer to the one that is given in its place; it may raise HostError."""


class Answering(RecordedHost):
    """`instead` maps a question to what becomes of its answer."""

    def __init__(self, document: Any, instead: dict[str, Instead] | None = None) -> None:
        super().__init__(document)
        self.instead = instead or {}
        self.asked: dict[str, None] = {}

    def _answer(self, kind: Any, call: str, *arguments: object) -> Any:
        key = question(call, *arguments)
        self.asked[key] = None
        change = self.instead.get(key)
        if change is None:
            return super()._answer(kind, call, *arguments)
        try:
            answer = super()._answer(kind, call, *arguments)
        except HostError as error:
            answer = error
        return change(answer)

    def facts(self) -> Facts:
        """A new run over this machine."""
        return Facts(self, Settings(directory=self.directory))


class Machine:
    """A recorded machine, what its checks ask and what they say when nothing is exchanged."""

    def __init__(self, name: str, document: dict[str, Any]) -> None:
        self.name = name
        self.document = document
        self.checks = all_checks()

    @property
    def answers(self) -> dict[str, Any]:
        """What is recorded, by question."""
        known: dict[str, Any] = self.document["answers"]
        return known

    def host(self, instead: dict[str, Instead] | None = None) -> Answering:
        """The machine, with some answers exchanged."""
        return Answering(self.document, instead)

    @functools.cached_property
    def undisturbed(self) -> dict[str, tuple[Judgement, ...]]:
        """What each check says."""
        facts = self.host().facts()
        return {check.id: runner.look(check, facts) for check in self.checks}

    @functools.cached_property
    def uses(self) -> dict[str, tuple[Check, ...]]:
        """Which checks ask a question, directly or through other facts."""
        found: dict[str, list[Check]] = {}
        for check in self.checks:
            host = self.host()
            runner.look(check, host.facts())
            for key in host.asked:
                found.setdefault(key, []).append(check)
        return {key: tuple(some) for key, some in found.items()}
