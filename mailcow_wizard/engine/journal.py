"""The journal: what the wizard changed on this machine, written down before it is changed.

Each change has a number and a directory of its own in the state directory:
  change.json   what it is, for people: no secret
  steps.json    its steps as they are done, with the old modes and owners
  N.before, N.after, N.back   the contents of file number N before, after, and taken back
  progress.json how far it came
  log           what was said meanwhile, one JSON object a line
All belong to their owner only. Whatever is written is on disk before the machine is changed.
"""

from __future__ import annotations

import contextlib
import json

from mailcow_wizard.engine import lock
from mailcow_wizard.engine.readable import steps as readable_steps
from mailcow_wizard.host.errors import HostError, Missing
from mailcow_wizard.host.files.records import Records
from mailcow_wizard.host.files.state import StateDirectory
from mailcow_wizard.host.programs.paths import here
from mailcow_wizard.language import _
from mailcow_wizard.model import Command, Edit, Manual, Place, Plan, Proof
from mailcow_wizard.retelling import retold, stored
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any, Literal

    from mailcow_wizard.model import PlanStep

    State = Literal["planned", "applying", "applied", "undoing", "undone", "interrupted", "failed"]
    Mark = Literal["waiting", "begun", "done", "failed"]
else:
    State = Mark = str

_FORMAT = 1
UNDER_WAY = ("planned", "applying", "undoing")
"""States of a change that somebody works on."""
_STATES = (*UNDER_WAY, "applied", "undone", "interrupted", "failed")


class Change(NamedTuple):
    """A change as it can be shown. `at` is ISO 8601 in UTC.

    `state`: planned, applying and undoing are under way at this moment; interrupted: the work was killed;
    failed: a step failed and what was done before it is still there. `steps` are the plan's steps as the
    contract's JSON has them; `error` is why it failed; `doing` is what was under way last: `apply` or
    `undo`.
    """

    id: str
    at: str
    check: str
    subject: str | None
    fix: str
    title: str
    state: State
    reversible: bool = True
    steps: tuple[dict[str, Any], ...] = ()
    error: str = ""
    doing: str = "apply"

    @property
    def unfinished(self) -> bool:
        """Whether it waits for somebody to finish it or to take it back."""
        return self.state in ("interrupted", "failed")


class Found(NamedTuple):
    """How a file was before it was changed: mode, owner, group, and the directories that it lacked."""

    mode: int
    uid: int
    gid: int
    lacked: tuple[str, ...]


class Standing(NamedTuple):
    """How far a change came: a mark for each step, one for taking it back, and what is or was under way:
    `apply` or `undo`. `result` is the check's finding afterwards, as JSON, for who reads the record."""

    state: State
    marks: tuple[Mark, ...]
    back: tuple[Mark, ...]
    doing: str = "apply"
    error: str = ""
    result: dict[str, Any] | None = None


class Journal:
    """The changes of one state directory. Looking never needs the lock; whoever writes holds it."""

    def __init__(self, state: StateDirectory) -> None:
        self._state = state
        self._records = Records(state.changes)

    def look(self) -> None:
        """Raises Denied where this user may not read the journal; `list` says then that there is nothing."""
        self._records.look()

    def list(self) -> tuple[Change, ...]:
        """All changes, newest first. What cannot be read is left out."""
        holder = lock.holder(self._state)
        found = []
        for number in reversed(self._records.numbers()):
            try:
                found.append(self._change(number, holder))
            except HostError:
                continue
        return tuple(found)

    def unreadable(self) -> tuple[str, ...]:
        """The ids of the changes that `list` leaves out, newest first: damaged, or of a newer wizard."""
        known = {one.id for one in self.list()}
        return tuple(one for one in map(str, reversed(self._records.numbers())) if one not in known)

    def get(self, change: str) -> Change:
        """The change of this id. Raises Missing."""
        return self._change(self._number(change), lock.holder(self._state))

    def add(self, plan: Plan, found: Mapping[int, Found], at: str, settings: Mapping[str, Any]) -> str:
        """Writes a plan down, on disk before this returns; the new change's id. Raises HostError."""
        plan = _with(plan, stored)
        about = {
            "format": _FORMAT,
            "at": at,
            **{name: getattr(plan, name) for name in _ABOUT},
            "steps": list(readable_steps(plan)),
        }
        files = {f"{number}.{name}": data for number, name, data in _contents(plan)}
        files["change.json"] = _packed(about)
        steps = [_packed_step(step, found.get(number)) for number, step in enumerate(plan.steps)]
        files["steps.json"] = _packed({"steps": steps, "settings": dict(settings)})
        waiting: tuple[Mark, ...] = tuple("waiting" for _unused in plan.steps)
        files["progress.json"] = _packed(Standing("planned", waiting, waiting)._asdict())
        return str(self._records.add(files))

    def plan(self, change: str) -> Plan:
        """The plan of a change, with the contents of its files. Raises HostError."""
        number = self._number(change)
        about = self._read(number, "change.json")
        steps = self._read(number, "steps.json")
        with self._understood(number, "steps.json"):
            plan = Plan(
                **{name: about[name] for name in _ABOUT if name in about},
                steps=tuple(self._step(number, place, one) for place, one in enumerate(steps["steps"])),
            )
        return _with(plan, retold)

    def found(self, change: str) -> dict[int, Found]:
        """How each file was before, by the number of its step."""
        number = self._number(change)
        steps = self._read(number, "steps.json")
        with self._understood(number, "steps.json"):
            return {
                place: Found(**{**one["found"], "lacked": tuple(one["found"]["lacked"])})
                for place, one in enumerate(steps["steps"])
                if one.get("found")
            }

    def settings(self, change: str) -> dict[str, Any]:
        """The settings with which the check runs again."""
        number = self._number(change)
        steps = self._read(number, "steps.json")
        with self._understood(number, "steps.json"):
            return dict(steps["settings"])

    def standing(self, change: str) -> Standing:
        """How far the change came. Raises HostError."""
        number = self._number(change)
        said = self._read(number, "progress.json")
        with self._understood(number, "progress.json"):
            return Standing(**{**said, "marks": tuple(said["marks"]), "back": tuple(said["back"])})

    def write(self, change: str, standing: Standing) -> None:
        """Writes down how far it came; on disk before this returns. Raises HostError."""
        self._records.write(self._number(change), "progress.json", _packed(standing._asdict()))

    def keep(self, change: str, name: str, data: bytes) -> None:
        """Keeps a small file beside the change. Raises HostError."""
        self._records.write(self._number(change), name, data)

    def kept(self, change: str, name: str) -> bytes | None:
        """A file that `keep` kept; None where there is none."""
        try:
            return self._records.read(self._number(change), name)
        except HostError:
            return None

    def path(self, change: str, name: str) -> str:
        """Where a file beside the change lies."""
        return f"{self._records.path}/{change}/{name}"

    def tell(self, change: str, event: Mapping[str, Any]) -> None:
        """Adds an event to the change's log."""
        self._records.append(int(change), _packed(event).replace(b"\n", b"") + b"\n")

    def end_of_log(self, change: str) -> int:
        """Where the next event of the log will stand. What a killed process wrote half is ended there."""
        self._records.append(int(change), b"\n")
        return len(self._records.tail(int(change), 0))

    def close(self, change: str) -> None:
        """Gives free the room that was kept for the end of a change."""
        self._records.release(int(change))

    def events(self, change: str, start: int) -> tuple[tuple[dict[str, Any], ...], int]:
        """The log's events behind this byte, and where they end; half an event comes next time."""
        data = self._records.tail(int(change), start)
        whole = data[: data.rfind(b"\n") + 1]
        found = [event for line in whole.splitlines() if (event := _event(line))]
        return tuple(found), start + len(whole)

    def last_end(self, change: str) -> tuple[int, dict[str, Any] | None]:
        """Where the log goes on behind the end of the last run that came to one, and that event; 0 and None
        where none did."""
        at, place, end = 0, 0, None
        for line in self._records.tail(int(change), 0).splitlines(keepends=True):
            place += len(line)
            event = _event(line)
            if event and event.get("kind") == "end":
                at, end = place, event
        return at, end

    def _number(self, change: str) -> int:
        number = int(change) if change.isascii() and change.isdigit() and len(change) < 10 else 0
        if number not in self._records.numbers():
            raise Missing(_("there is no change {change}", change=change))
        return number

    def _change(self, number: int, holder: lock.Holder | None) -> Change:
        about = self._read(number, "change.json")
        if about.get("format", _FORMAT) != _FORMAT:
            raise HostError(_("{path} is of another version", path=self.path(str(number), "change.json")))
        said = self._read(number, "progress.json")
        try:
            return self._made_of(number, about, said, holder)
        except (KeyError, TypeError):
            raise HostError(_("{path} does not hold a change", path=self.path(str(number), ""))) from None

    def _made_of(
        self, number: int, about: dict[str, Any], said: dict[str, Any], holder: lock.Holder | None
    ) -> Change:
        state = said["state"]
        if state in UNDER_WAY and not self._is_made(number, holder):
            state = "interrupted"
        if state not in _STATES:
            raise KeyError(state)
        return Change(
            id=str(number),
            at=about["at"],
            **{name: about[name] for name in ("check", "subject", "fix", "reversible")},
            title=retold(about["title"]),
            state=state,
            steps=tuple(
                {**one, "text": retold(one["text"])} if "text" in one else one for one in about["steps"]
            ),
            error=retold(said["error"]),
            doing=said.get("doing", "apply"),
        )

    def _is_made(self, number: int, holder: lock.Holder | None) -> bool:
        """Whether a change that is under way is so at this moment, as far as that is known."""
        if holder is None:
            return False
        made = self._of_install() if holder.change == lock.INSTALL else holder.change
        return made in ("", str(number))

    def _of_install(self) -> str:
        """Which change the install makes that is under way (none: no number is this)."""
        said = self._state.load(lock.INSTALL)
        return str(said.get("change") or "none") if isinstance(said, dict) else ""

    def _read(self, number: int, name: str) -> dict[str, Any]:
        try:
            said = json.loads(self._records.read(number, name))
        except (ValueError, RecursionError):
            said = None
        if not isinstance(said, dict):
            raise HostError(_("{path} is not readable", path=self.path(str(number), name)))
        return said

    @contextlib.contextmanager
    def _understood(self, number: int, name: str) -> Iterator[None]:
        """Raises HostError where a document has not the shape that it was written in."""
        try:
            yield
        except (LookupError, TypeError, ValueError, AttributeError):
            raise HostError(_("{path} is not readable", path=self.path(str(number), name))) from None

    def _step(self, number: int, place: int, said: dict[str, Any]) -> PlanStep:
        if said["kind"] == "edit":
            before, after = (self._content(number, place, name, said[name]) for name in ("before", "after"))
            return Edit(said["path"], before, after, said["mode"])
        if said["kind"] == "command":
            undo = tuple(here(tuple(one)) for one in said["undo"])
            # Changes of older versions have neither proofs nor places.
            proofs = tuple(Proof(here(tuple(argv)), otherwise) for argv, otherwise in said.get("proofs", ()))
            places = tuple(Place(tuple(names), *where) for names, *where in said.get("places", ()))
            argv = here(tuple(said["argv"]))
            return Command(argv, undo, said["timeout"], said["undo_optional"], proofs, places)
        return Manual(said["text"])

    def _content(self, number: int, place: int, name: str, digest: str | None) -> bytes | None:
        """A content that is kept. Raises HostError where it is not what was kept: it is not written back."""
        if digest is None:
            return None
        data = self._records.read(number, f"{place}.{name}")
        if _digest(data) != digest:
            raise HostError(_("{path} is damaged", path=self.path(str(number), f"{place}.{name}")))
        return data


_ABOUT = (
    *("check", "subject", "fix", "title", "risk", "reversible", "needs_root"),
    *("consequence", "interrupts", "settle", "confirm"),
)


def _with(plan: Plan, told: Callable[[str], str]) -> Plan:
    """A plan whose sentences are told in another language."""
    return plan._replace(
        title=told(plan.title),
        consequence=told(plan.consequence),
        interrupts=told(plan.interrupts),
        steps=tuple(_step_with(one, told) for one in plan.steps),
    )


def _step_with(step: PlanStep, told: Callable[[str], str]) -> PlanStep:
    if isinstance(step, Manual):
        return Manual(told(step.text))
    if isinstance(step, Command) and step.proofs:
        return step._replace(proofs=tuple(Proof(one.argv, told(one.otherwise)) for one in step.proofs))
    return step


def _contents(plan: Plan) -> list[tuple[int, str, bytes]]:
    """The contents that are kept: number of the step, which of the two, data."""
    return [
        (number, name, data)
        for number, step in enumerate(plan.steps)
        if isinstance(step, Edit)
        for name, data in (("before", step.before), ("after", step.after))
        if data is not None
    ]


def _packed_step(step: PlanStep, found: Found | None) -> dict[str, Any]:
    if isinstance(step, Edit):
        return {
            "kind": "edit",
            "path": step.path,
            "mode": step.mode,
            "before": _digest(step.before),
            "after": _digest(step.after),
            "found": found._asdict() if found else None,
        }
    if isinstance(step, Command):
        return {"kind": "command", **step._asdict()}
    return {"kind": "manual", "text": step.text}


def _event(line: bytes) -> dict[str, Any] | None:
    """What a line of a log says; None where it is none, or was only half written."""
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) else None


def _digest(data: bytes | None) -> str | None:
    import hashlib  # it takes 4 MiB of memory, and looking at changes needs none of it

    return None if data is None else hashlib.sha256(data).hexdigest()


def _packed(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document).encode("ascii") + b"\n"
