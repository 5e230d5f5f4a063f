"""Answers of the door as the checks get them: of each kind of question a few are answered with any bytes, and
all checks that ask them judge what comes."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any

from mailcow_wizard.engine import runner
from mailcow_wizard.host.network.conversation import Spoken, Tripped
from mailcow_wizard.host.recording.codec import unpack
from mailcow_wizard.host.replies import Certificate, DnsReply, HttpReply, Ran, TimeAnswer
from tests import demo_machine, installed_machine
from tests.answering import Instead, Machine
from tests.fuzz.target import DEEP, DIGITS, Target, text

# Kinds of questions, and the shape of what answers them.
_KINDS: dict[str, Any] = {
    "read": bytes,
    "kept": bytes,
    "run": Ran,
    "http": HttpReply,
    "fetch": HttpReply,
    "ask_dns": DnsReply,
    "ask_time": tuple[TimeAnswer, ...],
    "converse": Spoken,
    "send_and_find": Tripped,
    "certificate": Certificate,
    "names": tuple[str, ...],
    "resolve": str,
    "variable": str,
}
# Answers of different kinds within one target are told apart by their first byte.
_MOST = 256
_SPLIT = b"\x1d"


class Mistake(AssertionError):
    """A check crashed."""


@functools.cache
def machines() -> tuple[Machine, ...]:
    """The machines whose answers are exchanged."""
    return (
        Machine("demo", demo_machine.DemoMachine, demo_machine.document),
        Machine("installed", installed_machine.InstalledMachine, installed_machine.document),
    )


def made_of(answer: Any, data: bytes) -> Any:
    """An answer of the same shape, with these bytes as what was said."""
    if isinstance(answer, bytes):
        return data
    if isinstance(answer, str):
        return text(data)
    if isinstance(answer, Ran):
        code, _, said = data.partition(_SPLIT) if _SPLIT in data else (b"", b"", data)
        out, _, err = said.partition(_SPLIT)
        return Ran(code[0] if code else answer.code, text(out), text(err))
    if isinstance(answer, HttpReply | DnsReply | Spoken | Tripped | Certificate | TimeAnswer):
        return _FIELDS[type(answer)](answer, data)
    if isinstance(answer, tuple):
        if answer and isinstance(answer[0], TimeAnswer):
            return tuple(made_of(one, data) for one in answer)
        return tuple(sorted(text(data).split("\0")))
    return answer


_FIELDS: dict[type, Callable[[Any, bytes], Any]] = {
    HttpReply: lambda was, data: was._replace(body=data),
    DnsReply: lambda was, data: was._replace(packet=data, error=""),
    TimeAnswer: lambda was, data: was._replace(packet=data, error=""),
    Certificate: lambda was, data: was._replace(der=data),
    Spoken: lambda was, data: _spoken(was, data),
    Tripped: lambda was, data: was._replace(text=text(data), headers=tuple(text(data).splitlines())),
}


def _spoken(was: Spoken, data: bytes) -> Spoken:
    """Parts in turn: the greeting, the certificate, each reply."""
    greeting, *rest = data.split(_SPLIT)
    der = rest[0] if rest else was.der
    return was._replace(greeting=text(greeting), der=der, replies=tuple(text(one) for one in rest[1:]))


def said_in(answer: Any) -> bytes:
    """The bytes from which `made_of` makes this very answer."""
    if isinstance(answer, bytes):
        return answer
    if isinstance(answer, Ran):
        parts = (bytes((answer.code & 255,)), answer.out.encode(), answer.err.encode())
        return _SPLIT.join(parts)
    if isinstance(answer, HttpReply):
        return answer.body
    if isinstance(answer, DnsReply | TimeAnswer):
        return answer.packet
    if isinstance(answer, Certificate):
        return answer.der
    if isinstance(answer, Spoken):
        replies = (one.encode() for one in answer.replies)
        return _SPLIT.join((answer.greeting.encode(), answer.der, *replies))
    if isinstance(answer, Tripped):
        return "\n".join((answer.text, *answer.headers)).encode()
    if isinstance(answer, tuple):
        return (
            answer[0].packet if answer and isinstance(answer[0], TimeAnswer) else "\0".join(answer).encode()
        )
    return str(answer).encode()


class _Place:
    """One question of one machine."""

    def __init__(self, machine: Machine, key: str) -> None:
        self.machine = machine
        self.key = key
        call = key.partition(" ")[0]
        self.answer = unpack(_KINDS[call], machine.answers[key]["value"])

    def judge(self, data: bytes) -> None:
        """Lets the checks judge a machine that answers this. Raises Mistake."""
        change: Instead = lambda answer: made_of(self.answer, data)  # noqa: E731
        facts = self.machine.host(dict.fromkeys(self._keys, change)).facts()
        for check in self.machine.uses.get(self.key, ()):
            for one in runner.look(check, facts):
                runner.join(check, one)
                if one.status == "crashed":
                    raise Mistake(f"{check.id} over {self.key}: {one.summary}")

    @functools.cached_property
    def _keys(self) -> tuple[str, ...]:
        """All questions about names are answered alike: asking several servers is one question."""
        if not self.key.startswith("ask_dns"):
            return (self.key,)
        begin = " ".join(self.key.split(" ", 3)[:3])
        return tuple(one for one in self.machine.answers if one.startswith(begin))


def _places() -> dict[str, list[_Place]]:
    """The questions, by kind and by what they are about."""
    found: dict[str, list[_Place]] = {}
    seen: set[str] = set()
    for machine in machines():
        for key, said in machine.answers.items():
            call = key.partition(" ")[0]
            users = machine.uses.get(key, ())
            if call not in _KINDS or "value" not in said or not (users or call == "ask_dns"):
                continue
            same = f"{machine.name if key in ('kept reach',) else ''}{json.dumps(said)}"
            about = key.split(" ")[2] if call == "ask_dns" else users[0].id.partition(".")[0]
            group = f"door {call} {about}"
            # What both machines say alike is asked of one; of records of one type some are enough.
            if f"{group} {same}" in seen or (call == "ask_dns" and len(found.get(group, ())) >= 8):
                continue
            seen.add(f"{group} {same}")
            found.setdefault(group, []).append(_Place(machine, key))
    return found


def _feed(places: list[_Place]) -> Callable[[bytes], object]:
    def feed(data: bytes) -> None:
        if data:
            places[data[0] % len(places)].judge(data[1:])

    return feed


def targets() -> tuple[Target, ...]:
    """A target for each kind of question and what it is about."""
    made = []
    for name, places in sorted(_places().items()):
        assert len(places) <= _MOST, name
        seeds = [bytes((n,)) + said_in(one.answer) for n, one in enumerate(places)]
        odd = [bytes((n,)) + more for n in range(len(places)) for more in (DEEP, DIGITS)][:16]
        made.append(Target(name, _feed(places), (*seeds, *odd, b"")))
    return tuple(made)
