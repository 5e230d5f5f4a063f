"""Does the steps of a change, and takes them back; the journal is always a step ahead of the machine."""

from __future__ import annotations

import json
from collections.abc import Callable

from mailcow_wizard.engine import readable
from mailcow_wizard.engine.diff import hide
from mailcow_wizard.engine.journal import Journal, Mark, Standing, State
from mailcow_wizard.engine.undo.target import needless, target
from mailcow_wizard.harmless import harmless
from mailcow_wizard.host.errors import Denied, HostError, Missing, Unending
from mailcow_wizard.host.files.changing import Changing, Seen
from mailcow_wizard.host.processes.commands import without_env
from mailcow_wizard.host.processes.detached import pause
from mailcow_wizard.language import _
from mailcow_wizard.model import Command, Edit, Manual
from mailcow_wizard.patterns import pattern
from mailcow_wizard.redaction import of_command
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from mailcow_wizard.model import PlanStep

    Tell = Callable[[str, int, str], None]

_RUNNING = "running"
CONFIRMED = "confirmed"
"""The file beside a change that says that somebody confirmed it."""
_LOOK_S = 0.1
_OWN = -1
# A service that ends as soon as it was started has done so within a second; one that is tried again and
# again by systemd is given ten.
_TRIES = 10
_PAUSE_S = 1.0
# For dpkg's lock apt waits where it is told to, for that of its lists never, nor does dpkg for its own;
# without them they have done nothing.
_TAKEN = pattern(
    r"^(?:E|dpkg: error): (Could not get lock \S{1,200}/apt/lists/lock.*|dpkg frontend lock was locked.*)"
)
_TAKEN_S = 120.0
_TAKEN_PAUSE_S = 3.0


class _Ended(HostError):
    """A command came to its end, and not to a good one."""


class Work:
    """The work on one change. `tell` hears its progress: kind, number of the step, text."""

    def __init__(
        self, changing: Changing, journal: Journal, change: str, tell: Tell, secrets: frozenset[str]
    ) -> None:
        self._changing = changing
        self._journal = journal
        self._change = change
        self._plan = journal.plan(change)
        self._found = journal.found(change)
        self._secrets = secrets | readable.secrets_of_plan(self._plan)
        self._tell_plain = tell
        self.standing = journal.standing(change)
        self.unconfirmed = False
        self.untouched = ""
        """Why nothing was taken back, where all is as it was before that was tried."""
        self._left: set[int] = set()
        self._stopped: Callable[[], bool] = lambda: False

    def apply(self, stopped: Callable[[], bool]) -> None:
        """Does the steps that are not done; ends at the first that fails. `standing` tells how it ended.

        Where the plan wants it, somebody has to confirm in the end; `unconfirmed` tells that nobody did.
        """
        self._stopped = stopped
        try:
            self._await_command()
            self._stand(state="applying", doing="apply", error="")
            for number, step in enumerate(self._plan.steps):
                if self.standing.marks[number] == "done":
                    continue
                if self._stopped():
                    raise HostError(_("stopped, as was asked for"))
                self._one(number, step)
            if self._plan.confirm:
                self._await_confirmation()
            self._stand(state="applied")
        except HostError as error:
            self._tell("failed", self._under_way(), str(error))
            self._stand_if_possible(state="failed", error=self._shown(str(error)))

    def _await_confirmation(self) -> None:
        """Waits until somebody says that all is well: who was cut off cannot."""
        seconds = self._plan.confirm
        self.unconfirmed = True
        self._tell("confirm", _OWN, f"{seconds:.0f}")
        for _unused in range(round(seconds / _LOOK_S)):
            if self._journal.kept(self._change, CONFIRMED) is not None:
                self.unconfirmed = False
                return
            if self._stopped():
                raise HostError(_("stopped, as was asked for"))
            pause(_LOOK_S)
        raise HostError(_("nobody confirmed within {seconds:.0f} seconds", seconds=seconds))

    def _one(self, number: int, step: PlanStep) -> None:
        self._mark(number, "begun")
        self._tell("step", number, readable.line(step, self._secrets))
        try:
            if isinstance(step, Edit):
                self._edit(number, step)
            elif isinstance(step, Command):
                self._command(number, step.argv, step.timeout)
        except Unending:
            raise  # it goes on: whoever takes it back waits for it first
        except HostError:
            self._mark_if_possible(number, "failed")
            raise
        self._mark(number, "done")
        self._tell("done", number, "")

    def _edit(self, number: int, step: Edit) -> None:
        self._changing.sweep(step.path, self._tag(number))
        # After a kill it may be done already.
        if self._changing.look(step.path).content != step.after:
            new = Seen(step.path, None, step.mode, _OWN, _OWN)
            self._changing.replace(step.path, step.before, step.after, new, self._tag(number))

    def _command(self, number: int, argv: tuple[str, ...], timeout: float) -> None:
        code = self._run(number, argv, timeout)
        if code:
            command = readable.words(without_env(argv), self._secrets)[0]
            raise _Ended(
                _("{command} was ended by signal {number}", command=command, number=-code)
                if code < 0
                else _("{command} failed with exit code {code}", command=command, code=code)
            )

    def _run(self, number: int, argv: tuple[str, ...], timeout: float) -> int:
        """Its exit code; while another process has apt's lists or dpkg, as at night or after a boot, it is
        tried again."""
        mark = f"{self._change}.{number}"

        def note(pid: int) -> None:
            about = {"pid": pid, "mark": mark, "timeout": timeout}
            self._journal.keep(self._change, _RUNNING, json.dumps(about).encode())

        told: set[str] = set()
        waited = 0.0
        while True:
            said: set[str] = set()

            def listen(line: str, said: set[str] = said, told: set[str] = told) -> None:
                said.add(line)
                if line not in told:
                    self._tell("output", number, of_command(argv, line))

            code = self._changing.run(argv, timeout, listen, mark, note)
            taken = next(filter(None, map(_TAKEN.match, said)), None)
            if not code or not taken or waited >= _TAKEN_S or self._stopped():
                return code
            if not waited:
                why = _("waits up to {seconds:.0f} s: {why}", seconds=_TAKEN_S, why=taken[1])
                self._tell("output", number, why)
            told = said
            pause(_TAKEN_PAUSE_S)
            waited += _TAKEN_PAUSE_S

    def _await_command(self) -> None:
        """A command of a killed run may still go on: it ends first."""
        said = self._journal.kept(self._change, _RUNNING)
        if said is None or "begun" not in (*self.standing.marks, *self.standing.back):
            return
        try:
            about = json.loads(said)
            self._changing.wait_for(about["pid"], about["mark"], about["timeout"])
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            return

    def take_back(self, why: str = "") -> None:
        """Takes back what was done, in reverse order, as far as it can be; `standing` tells how it ended. A
        change that is made stays so where it is known that nothing was changed."""
        was = self.standing
        try:
            self._await_command()
        except HostError as error:
            # What a command does that still runs cannot be taken back yet.
            self._tell("failed", self._under_way(), str(error))
            self._stand_if_possible(state="failed", error=self._shown(str(error)))
            return
        self._stand_if_possible(state="undoing", doing="undo", error=why)
        failures = []
        try:
            passed = needless(self._changing, self._plan.steps, self.standing.marks)
        except HostError:
            passed = frozenset()
        for number in reversed(range(len(self._plan.steps))):
            mark, back = self.standing.marks[number], self.standing.back[number]
            if mark == "waiting" or back == "done" or number in passed:
                continue
            try:
                self._one_back(number, self._plan.steps[number])
            except HostError as error:
                self._mark_back(number, "failed")
                self._tell("failed", number, str(error))
                failures.append(str(error))
        said = self._shown("; ".join(failures)) or why
        if failures and was.state == "applied" and self._is_untouched():
            self.untouched = said
            self._write_if_possible(was)
            return
        self._stand_if_possible(state="failed" if failures else "undone", error=said)

    def _is_untouched(self) -> bool:
        """Whether what was tried to be taken back is all as it was."""
        return all(
            mark == "waiting"
            or isinstance(step, Manual)
            or number in self._left
            or (isinstance(step, Edit) and self._stands(step))
            for number, (step, mark) in enumerate(zip(self._plan.steps, self.standing.back, strict=True))
        )

    def _stands(self, step: Edit) -> bool:
        try:
            now = self._changing.look(step.path).content
        except HostError:
            return False
        try:
            return target(step, now) != now
        except HostError:
            return True  # lines of others

    def _one_back(self, number: int, step: PlanStep) -> None:
        mark = self.standing.marks[number]
        self._mark_back(number, "begun")
        if isinstance(step, Edit):
            self._edit_back(number, step, failed=mark == "failed")
        elif isinstance(step, Command):
            # Of a command that did not end well nobody knows what there is to take back.
            self._command_back(number, step, tolerant=step.undo_optional or mark != "done")
        self._mark_back(number, "done")
        if not isinstance(step, Manual):
            self._tell("undone", number, readable.line(step, self._secrets))

    def _edit_back(self, number: int, step: Edit, failed: bool) -> None:
        self._changing.sweep(step.path, self._tag(number))
        seen = self._changing.look(step.path)
        # An edit that failed was not done, unless its content is there.
        done = not failed or seen.content == step.after
        kept = self._journal.kept(self._change, f"{number}.back")
        if done and (kept is None or seen.content != kept):
            wanted = target(step, seen.content)
            if wanted != seen.content:
                if wanted is not None and wanted != step.before:
                    self._journal.keep(self._change, f"{number}.back", wanted)
                self._changing.replace(
                    step.path, seen.content, wanted, self._as_found(number, step), self._tag(number)
                )
        if step.before is None and number in self._found:
            self._changing.remove_directories(self._found[number].lacked)

    def _as_found(self, number: int, step: Edit) -> Seen:
        found = self._found.get(number)
        if found is None or step.before is None:
            return Seen(step.path, None, step.mode, _OWN, _OWN)
        return Seen(step.path, None, found.mode, found.uid, found.gid)

    def _command_back(self, number: int, step: Command, tolerant: bool) -> None:
        failures = []
        self._left.add(number)
        for argv in step.undo:
            self._tell("output", number, readable.line(Command(argv), self._secrets))
            modes = self._modes(argv)
            try:
                self._command(number, argv, step.timeout)
                self._left.discard(number)
            except HostError as error:
                # One that could not be started did nothing, nor did a chmod of files that are as they were.
                if not isinstance(error, Missing | Denied) and (not modes or self._modes(argv) != modes):
                    self._left.discard(number)
                # One that did not come to its end says nothing of what there was to take back.
                tolerant = tolerant and isinstance(error, _Ended | Missing | Denied)
                failures.append(str(error))
                if tolerant:
                    self._tell("output", number, str(error))
        if failures and not tolerant:
            raise HostError("; ".join(failures))
        if step.proofs:
            self._prove(number, step)

    def _modes(self, argv: tuple[str, ...]) -> tuple[int, ...]:
        """The modes of the files that a chmod is about; none for other commands."""
        return tuple(map(self._changing.mode, argv[2:])) if argv[0] == "chmod" else ()

    def _prove(self, number: int, step: Command) -> None:
        """Waits until all proofs hold, twice in a row: a service may end a moment after it was started."""
        steady = False
        for _unused in range(_TRIES):
            failing = [one for one in step.proofs if not self._holds(number, one.argv, step.timeout)]
            if steady and not failing:
                return
            steady = not failing
            pause(_PAUSE_S)
        raise HostError("; ".join(one.otherwise for one in failing or step.proofs))

    def _holds(self, number: int, argv: tuple[str, ...], timeout: float) -> bool:
        try:
            self._command(number, argv, timeout)
        except HostError:
            return False
        return True

    def _tag(self, number: int) -> str:
        return f"mailcow-wizard-{self._change}-{number}"

    def _under_way(self) -> int:
        """The number of the step that failed, or the next one."""
        marks = self.standing.marks
        return next((place for place, mark in enumerate(marks) if mark != "done"), len(marks) - 1)

    def _tell(self, kind: str, step: int, text: str) -> None:
        self._tell_plain(kind, step, self._shown(text))

    def _shown(self, text: str) -> str:
        return harmless(hide(text, self._secrets))

    def _stand(self, state: State | None = None, doing: str | None = None, error: str | None = None) -> None:
        now = self.standing
        self._write(
            now._replace(
                state=now.state if state is None else state,
                doing=now.doing if doing is None else doing,
                error=now.error if error is None else error,
            )
        )

    def _mark(self, number: int, mark: Mark) -> None:
        marks = list(self.standing.marks)
        marks[number] = mark
        self._write(self.standing._replace(marks=tuple(marks)))

    def _write(self, standing: Standing) -> None:
        # What is known here counts on, also where it could not be written.
        self.standing = standing
        self._journal.write(self._change, standing)

    def _stand_if_possible(self, state: State, error: str, doing: str | None = None) -> None:
        """Taking back goes on where the journal cannot be written any more: what is there stays true."""
        try:
            self._stand(state, doing, error)
        except HostError:
            return

    def _write_if_possible(self, standing: Standing) -> None:
        try:
            self._write(standing)
        except HostError:
            return

    def _mark_if_possible(self, number: int, mark: Mark) -> None:
        try:
            self._mark(number, mark)
        except HostError:
            return

    def _mark_back(self, number: int, mark: Mark) -> None:
        back = list(self.standing.back)
        back[number] = mark
        self._write_if_possible(self.standing._replace(back=tuple(back)))
