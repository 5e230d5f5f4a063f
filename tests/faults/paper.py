"""A machine on paper that plans change: what its files hold, what was run, and which calls go wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from mailcow_wizard.host.files.changing import Changed, Changing, Seen
from mailcow_wizard.host.processes.doing import Setting
from mailcow_wizard.model import Command, Edit, Plan
from tests.faults.faults import ERRORS

Ran = tuple[int, tuple[str, ...]]
"""A command that was run, and the step that it was run for."""
GARBAGE = b"\x00\x1b[31m lorem = ipsum\n"


class Fault(NamedTuple):
    """Call number `place` goes wrong: an error (`late`: though it was done), a short or garbled answer, or an
    exit code."""

    place: int
    name: str
    late: bool = False


NAMES = (*ERRORS, "short read", "garbage", "exit 1", "signal 9")
FAULTS = tuple((name, late) for name in NAMES for late in ((False, True) if name in ERRORS else (False,)))


class Paper(Changing):
    """`faults` are for its next calls."""

    def __init__(self, plan: Plan) -> None:
        self.files: dict[str, bytes | None] = {}
        for step in plan.steps:
            if isinstance(step, Edit):
                self.files.setdefault(step.path, step.before)
        self.ran: list[Ran] = []
        self.calls = 0
        self.faults: Sequence[Fault] = ()

    def _fault(self) -> Fault | None:
        self.calls += 1
        found = next((one for one in self.faults if one.place == self.calls), None)
        if found and found.name in ERRORS and not found.late:
            raise ERRORS[found.name]
        return found

    def look(self, path: str) -> Seen:
        fault = self._fault()
        content = self.files.get(path)
        if fault and content is not None:
            if fault.name == "short read":
                content = content[: len(content) // 2]
            elif fault.name == "garbage":
                content = GARBAGE
        if fault and fault.late:
            raise ERRORS[fault.name]
        return Seen(path, content, 0o644, 0, 0)

    def replace(
        self, path: str, before: bytes | None, after: bytes | None, new: Seen | None, tag: str
    ) -> None:
        fault = self._fault()
        if self.files.get(path) != before:
            raise Changed(f"{path} was changed since it was shown")
        self.files[path] = after
        if fault and fault.late:
            raise ERRORS[fault.name]

    def run(
        self,
        argv: tuple[str, ...],
        timeout: float,
        listen: Callable[[str], None],
        mark: str,
        note: Callable[[int], None],
        setting: Setting | None = None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> int:
        fault = self._fault()
        note(4711)
        listen("it says something")
        if fault and fault.name in ("exit 1", "signal 9"):
            return 1 if fault.name == "exit 1" else -9
        self.ran.append((int(mark.rpartition(".")[2]), argv))
        if fault and fault.late:
            raise ERRORS[fault.name]
        return 0

    def mode(self, path: str) -> int:
        return len(self.ran)  # another whenever anything was run

    def missing_directories(self, path: str) -> tuple[str, ...]:
        return ()

    def sweep(self, path: str, tag: str) -> None:
        return

    def remove_directories(self, paths: tuple[str, ...]) -> None:
        return

    def wait_for(self, pid: int, mark: str, seconds: float) -> None:
        return

    def is_mended(self, plan: Plan) -> bool:
        """Whether all that the plan does is done."""
        last = {step.path: step.after for step in plan.steps if isinstance(step, Edit)}
        wanted = [(number, step.argv) for number, step in enumerate(plan.steps) if isinstance(step, Command)]
        return all(self.files[path] == after for path, after in last.items()) and _in_order(wanted, self.ran)

    def is_as_before(self, plan: Plan) -> bool:
        """Whether its files are as they were, and what was run was taken back afterwards."""
        first: dict[str, bytes | None] = {}
        for step in plan.steps:
            if isinstance(step, Edit):
                first.setdefault(step.path, step.before)
        back = all(self.files[path] == before for path, before in first.items())
        return back and all(
            self._taken_back(number, step)
            for number, step in enumerate(plan.steps)
            if isinstance(step, Command)
        )

    def _taken_back(self, number: int, step: Command) -> bool:
        done = (number, step.argv)
        if done not in self.ran or step.undo_optional:
            return True
        # A restart is its own way back; one that was not begun is then run once.
        if step.argv in step.undo and self.ran.count(done) == 1:
            return True
        after = self.ran[self.ran.index(done) + 1 :]
        return _in_order([(number, one) for one in step.undo], after)


def _in_order(wanted: Sequence[Ran], ran: Sequence[Ran]) -> bool:
    left = iter(ran)
    return all(one in left for one in wanted)


def quiet(kind: str, number: int, text: str) -> None:
    """Hears what the work says."""
