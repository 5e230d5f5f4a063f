"""A machine made of a few lines, whose answers can be exchanged one by one; it tells what it was asked."""

import functools
from collections.abc import Callable
from typing import Any

from mailcow_wizard.checks import all_checks
from mailcow_wizard.engine import runner
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.door import Host
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.network.conversation import Dialogue, Spoken
from mailcow_wizard.host.recording.recorded import RecordingHost, _words, question
from mailcow_wizard.host.replies import DnsQuestion, DnsReply, Probe, Probed
from mailcow_wizard.model import Check, Judgement, Settings
from tests.demo_config import DIRECTORY

Instead = Callable[[Any], Any]
"""From an answer to the one that is given in its place; it may raise HostError."""


class Every(dict[str, Instead]):
    """The same becomes of every answer."""

    def __init__(self, change: Instead) -> None:
        super().__init__()
        self._change = change

    def __bool__(self) -> bool:
        return True

    def get(self, key: str, default: Any = None) -> Instead:
        return self._change


class Answering(RecordingHost):
    """`instead` maps a question to what becomes of its answer."""

    def __init__(self, asked: Host, instead: dict[str, Instead] | None = None) -> None:
        super().__init__(asked)
        self.instead = instead or {}
        self.asked: dict[str, None] = {}

    def _note(self, ask: Callable[[], Any], call: str, *arguments: object) -> Any:
        key = question(call, *arguments)
        self.asked[key] = None
        change = self.instead.get(key)
        try:
            answer = ask()
        except HostError as error:
            if change is None:
                raise
            answer = error
        except NotImplementedError:
            raise HostError("nobody answers that here") from None
        return answer if change is None else change(answer)

    def ask_dns(self, questions: tuple[DnsQuestion, ...], timeout: float = 3.0) -> tuple[DnsReply, ...]:
        return tuple(
            self._note(lambda one=one: self._asked.ask_dns((one,))[0], "ask_dns", *_words(one))
            for one in questions
        )

    def probe(self, probes: tuple[Probe, ...], timeout: float = 4.0) -> tuple[Probed, ...]:
        return tuple(
            self._note(lambda one=one: self._asked.probe((one,))[0], "probe", *one) for one in probes
        )

    def converse(self, dialogues: tuple[Dialogue, ...], timeout: float = 10.0) -> tuple[Spoken, ...]:
        return tuple(
            self._note(lambda one=one: self._asked.converse((one,))[0], "converse", *one) for one in dialogues
        )

    def facts(self) -> Facts:
        """A new run over this machine."""
        return Facts(self, Settings(directory=DIRECTORY))


class Machine:
    """A machine, what its checks ask and what they say when nothing is exchanged."""

    def __init__(self, name: str, make: Callable[[], Host], record: Callable[[], dict[str, Any]]) -> None:
        self.name = name
        self._asked = make()
        self._record = record
        self.checks = all_checks()

    @functools.cached_property
    def document(self) -> dict[str, Any]:
        """It, recorded: made when somebody asks, as all its checks are run for it."""
        return self._record()

    @property
    def answers(self) -> dict[str, Any]:
        """What is recorded, by question."""
        known: dict[str, Any] = self.document["answers"]
        return known

    def host(self, instead: dict[str, Instead] | None = None) -> Answering:
        """The machine, with some answers exchanged."""
        return Answering(self._asked, instead)

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
