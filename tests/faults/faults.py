"""What can go wrong with a call of the door, and what every check then says of it."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from copy import copy
from typing import Any, NamedTuple

from mailcow_wizard.engine import runner
from mailcow_wizard.host.errors import Denied, HostError, Missing, NoAnswer, Refused, TooLarge
from mailcow_wizard.host.network.conversation import Spoken, Tripped
from mailcow_wizard.host.replies import Certificate, DnsReply, HttpReply, Probed, Ran, TimeAnswer
from tests.answering import Instead, Machine

# The kernel's errors, as the door's hosts turn them into its own.
ERRORS: dict[str, HostError] = {
    "ENOENT": Missing("it is not there"),
    "EACCES": Denied("it may not be read by this user"),
    "EIO": HostError("input/output error"),
    "ENOSPC": HostError("no space left on device"),
    "EMFILE": HostError("too many open files"),
    "EINTR": HostError("interrupted system call"),
    "ECONNREFUSED": Refused("nobody takes connections"),
    "EFBIG": TooLarge("it is larger than 1,048,576 bytes"),
    "timeout": NoAnswer("it did not answer in time"),
}
_GARBAGE = "\x00\x1b[31m²٣ lorem: ipsum=dolor\n" * 3
# The kernel's own answers, which are whole or none; and names that are keys on these machines.
_WHOLE = ("source_address", "holders", "variable", "uname", "user", "now")
NAMES = (*ERRORS, "short read", "garbage")


def _as_reply(answer: Any, error: HostError) -> Any:
    """The error in the place where calls that never raise carry it; None where the call raises."""
    if isinstance(answer, DnsReply):
        return DnsReply(answer.server, "", b"", 0.0, str(error))
    if isinstance(answer, Probed):
        silent = isinstance(error, NoAnswer)
        return Probed("silent" if silent else "failed", 1.0, text=str(error))
    if isinstance(answer, Spoken):
        return Spoken("silent" if isinstance(error, NoAnswer) else "failed", text=str(error))
    if isinstance(answer, Tripped):
        return Tripped("connect", str(error))
    return None


def _fails(error: HostError) -> Instead:
    def change(answer: Any) -> Any:
        reply = _as_reply(answer, error)
        if reply is None:
            raise copy(error)  # one that is raised again and again holds on to all that it passed
        return reply

    return change


def _half(answer: Any) -> Any:
    """What comes of it when the second half is lost."""
    if isinstance(answer, HostError):
        raise copy(answer)
    if isinstance(answer, bytes | str):
        return answer[: len(answer) // 2]
    if isinstance(answer, Ran):
        return answer._replace(out=_half(answer.out))
    if isinstance(answer, HttpReply):
        return answer._replace(body=_half(answer.body))
    if isinstance(answer, DnsReply | TimeAnswer):
        return answer._replace(packet=_half(answer.packet))
    if isinstance(answer, Certificate):
        return answer._replace(der=_half(answer.der))
    if isinstance(answer, Spoken):
        return answer._replace(outcome="reset", replies=_half(answer.replies))
    if type(answer) is tuple:
        whole = answer and isinstance(answer[0], TimeAnswer)  # one for each server that was asked
        return tuple(map(_half, answer)) if whole else answer[: len(answer) // 2]
    return answer


def _garbled(answer: Any) -> Any:
    """Nonsense of the same shape."""
    if isinstance(answer, HostError):
        raise copy(answer)
    if isinstance(answer, bytes):
        return _GARBAGE.encode()
    if isinstance(answer, str):
        return _GARBAGE
    if isinstance(answer, Ran):
        return Ran(0, _GARBAGE, _GARBAGE)
    if isinstance(answer, HttpReply):
        return answer._replace(body=_GARBAGE.encode())
    if isinstance(answer, DnsReply | TimeAnswer):
        return answer._replace(packet=_GARBAGE.encode(), error="")
    if isinstance(answer, Certificate):
        return answer._replace(der=_GARBAGE.encode())
    if isinstance(answer, Spoken):
        return answer._replace(greeting=_GARBAGE, replies=(_GARBAGE,) * len(answer.replies))
    if type(answer) is tuple:
        return tuple(map(_garbled, answer))
    return answer


def fault(name: str) -> Instead:
    """What becomes of an answer."""
    if name in ERRORS:
        return _fails(ERRORS[name])
    return _half if name == "short read" else _garbled


class Trouble(NamedTuple):
    """A check that said what it must not say: which, of whom, at which faults, and what."""

    check: str
    subject: str | None
    faults: tuple[tuple[str, str], ...]
    what: str


def disturbed(machine: Machine, *faults: tuple[str, str]) -> Iterator[Trouble]:
    """Runs the checks that ask what is disturbed, and holds what they say against the undisturbed run."""
    host = machine.host({key: fault(name) for key, name in faults})
    facts = host.facts()
    users = dict.fromkeys(check for key, _ in faults for check in machine.uses.get(key, ()))
    for check in users:
        before = {one.subject: one.status for one in machine.undisturbed[check.id]}
        for one in runner.look(check, facts):
            runner.join(check, one)
            if one.status == "crashed":
                yield Trouble(check.id, one.subject, faults, one.summary)
            if one.status == "pass":
                was = before.get(one.subject)
                yield Trouble(
                    check.id, one.subject, faults, "stays green" if was == "pass" else f"{was} turns green"
                )


def singles(machine: Machine, names: Iterable[str] = NAMES) -> Iterator[tuple[str, str]]:
    """Every call that a check makes, with every fault."""
    for key, name in itertools.product(sorted(machine.uses), names):
        if name in ERRORS or not key.startswith(_WHOLE):
            yield key, name
