"""One run of an install: the machine, how far it came, and the ways to change something."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from mailcow_wizard.engine import mending
from mailcow_wizard.engine.diff import hide, secrets_of
from mailcow_wizard.engine.findings import of_finding
from mailcow_wizard.engine.journal import Journal
from mailcow_wizard.engine.readable import words as shown_words
from mailcow_wizard.engine.session import Session
from mailcow_wizard.engine.work import Work
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.harmless import harmless
from mailcow_wizard.host import invoker
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.files.changing import Changing
from mailcow_wizard.host.processes.detached import pause
from mailcow_wizard.host.processes.doing import Setting
from mailcow_wizard.host.processes.doing import Stopped as EndedEarly
from mailcow_wizard.install.standing import Progress, Record, Running, Standing
from mailcow_wizard.language import _
from mailcow_wizard.model import Check, Finding, Plan
from mailcow_wizard.patterns import pattern
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

_TOLD_EVERY_S = 0.5
_TURN_S = 0.2
_LONGEST = 600
_COLOUR = pattern(r"\x1b\[[0-9;]*m")


class Failed(Exception):
    """A stage cannot go on; the text says why, `remedies` what helps, `findings` what was found."""

    def __init__(self, text: str, remedies: Sequence[str] = (), findings: Sequence[Finding] = ()) -> None:
        super().__init__(text)
        self.remedies = tuple(remedies)
        self.findings = tuple(findings)


class Stopped(Exception):
    """Somebody asked it to stop, and this is a place where nothing is half made."""


class Job:
    """What a stage works with. `tell` writes a line into the log; `asked` says whether it shall stop."""

    def __init__(
        self,
        session: Session,
        record: Record,
        standing: Standing,
        write: Callable[[str], None],
        asked: Callable[[], bool],
    ) -> None:
        self.session = session
        self.changing: Changing = session.host.changing()
        self.record = record
        self.standing = standing
        self.asked = asked
        self.stage = standing.stage
        self._write = write
        self._secrets: frozenset[str] = frozenset()
        self._progress_at = 0.0
        self._number = 0

    @property
    def directory(self) -> str:
        """mailcow's directory."""
        return self.standing.directory.rstrip("/")

    def facts(self) -> Facts:
        """An empty store: what is asked through it is asked anew."""
        return self.session.new_facts()

    # --- telling -----------------------------------------------------------------------------------------

    def tell(self, text: str) -> None:
        """A line of the log."""
        self._write(f"{self.stage}: {self.shown(text)}")

    def shown(self, text: str) -> str:
        """A text without secrets, colours and what else drives a terminal."""
        return harmless(_COLOUR.sub("", hide(text, self._secrets)), _LONGEST)

    def again(self, stage: str) -> None:
        """A stage that was done is done once more when the install goes on."""
        stages = self.standing.stages
        self.stand(stages=tuple(one._replace(state="waiting") if one.id == stage else one for one in stages))

    def hide(self, secrets: Sequence[str]) -> None:
        """None of these may be told from now on."""
        self._secrets |= frozenset(one for one in secrets if one)

    def read_secrets(self) -> None:
        """What mailcow.conf and what was made for it hold must not be told."""
        self.hide(tuple(self.record.secrets().values()))
        path = f"{self.directory}/mailcow.conf"
        try:
            self._secrets |= secrets_of(path, self.session.host.read(path))
        except HostError:
            return

    def progress(self, text: str, done: int = 0, whole: int = 0, now: bool = False) -> None:
        """How far the stage is; told a few times a second at most, unless `now`."""
        moment = time.monotonic()
        if not now and moment - self._progress_at < _TOLD_EVERY_S:
            return
        self._progress_at = moment
        try:
            self.record.save_progress(Progress(self.stage, self.shown(text), done, whole))
        except HostError:
            return

    # --- how it stands -----------------------------------------------------------------------------------

    def stand(self, **fields: Any) -> None:
        """Writes down how it stands. Raises HostError."""
        self.standing = self.standing._replace(**fields)
        self.record.save(self.standing)

    def mark(self, word: str) -> None:
        """Leaves a word for after a kill; on disk before this returns."""
        if word not in self.standing.marks:
            self.stand(marks=(*self.standing.marks, word))

    def unmark(self, word: str) -> None:
        """Takes it away."""
        if word in self.standing.marks:
            self.stand(marks=tuple(one for one in self.standing.marks if one != word))

    def marked(self, word: str) -> bool:
        """Whether it was left."""
        return word in self.standing.marks

    # --- doing -------------------------------------------------------------------------------------------

    def may_stop(self) -> None:
        """A safe place: raises Stopped where somebody asked for that."""
        if self.asked():
            raise Stopped

    def wait(self, seconds: float) -> None:
        """Waits, unless it is asked to stop."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.may_stop()
            pause(_TURN_S)

    def run(
        self,
        argv: tuple[str, ...],
        timeout: float,
        listen: Callable[[str], None] | None = None,
        *,
        directory: str = "/",
        variables: Mapping[str, str] | None = None,
        talkative: bool = False,
        whole: bool = False,
        patience: float = 0.0,
        watch: Callable[[], None] = lambda: None,
    ) -> int:
        """Runs a command; its exit code. What it says goes to `listen`, else into the log; `whole`: no line
        of it is cut.

        `patience`: for how long it is waited for after a kill of this program; with 0 it may be ended at any
        moment, and is when somebody asks to stop (Stopped). `watch` is called all the time while it runs.
        Raises HostError where it cannot be started or does not end in time.
        """
        self._number += 1
        mark = f"install-{self.standing.run}-{self._number}"
        self.tell(f"$ {' '.join(shown_words(argv, self._secrets))}")

        def note(pid: int) -> None:
            self.record.save(self.standing._replace(running=Running(pid, mark, patience)))

        def ended() -> bool:
            watch()
            return patience == 0 and self.asked()

        setting = Setting(directory, dict(variables or {}), talkative, whole)
        try:
            return self.changing.run(
                argv, timeout, listen or (lambda line: self.tell(f"  {line}")), mark, note, setting, ended
            )
        except EndedEarly:
            raise Stopped from None
        finally:
            self.stand(running=None)

    def settle(self) -> None:
        """What a killed run left under way comes to its end first."""
        left = self.standing.running
        if left is not None:
            if left.patience:
                self.tell(_("waits for a command of the run before"))
            self.changing.wait_for(left.pid, left.mark, left.patience)
            self.stand(running=None)
        change = self.standing.change
        if change:
            self._finish(change)

    def change(self, plan: Plan) -> None:
        """Makes a change that `undo` can take back. Raises Failed where it does not succeed; what was done of
        it is then taken back."""
        if not mending.works(plan):
            return
        self.tell(plan.title)
        if plan.interrupts:
            self.tell(_("interrupts: {what}", what=plan.interrupts))
        journal = Journal(self.session.state)
        at = self.now()
        change = journal.add(plan, mending.found(self.changing, plan), at, self.session.settings._asdict())
        self.stand(change=change, changes=(*self.standing.changes, change))
        self._finish(change)

    def _finish(self, change: str) -> None:
        """Makes a change that is written down, or goes on taking it back where that was begun. Raises Failed
        where it is not made now."""
        journal = Journal(self.session.state)
        try:
            state = journal.standing(change).state
        except HostError:
            self.stand(change="")
            return
        if state in ("applied", "undone"):
            self.stand(change="")
            return
        said: list[str] = []

        def tell(kind: str, step: int, text: str) -> None:
            journal.tell(change, {"kind": kind, "step": step, "text": text})
            if kind == "output":
                said.append(text)
                self.tell(f"  {text}")
            elif kind != "done":
                self.tell(_("failed: {why}", why=text) if kind == "failed" else text)

        work = Work(self.changing, journal, change, tell, self._secrets)
        backwards = work.standing.doing == "undo"
        if not backwards:
            work.apply(lambda: False)
        error = work.standing.error
        last = f" ({said[-1]})" if said else ""
        if work.standing.state != "applied":
            work.take_back(error)
        journal.tell(change, {"kind": "end", "state": work.standing.state, "error": error, "result": None})
        journal.close(change)
        if work.standing.state == "applied":
            self.stand(change="")
            return
        changes = tuple(one for one in self.standing.changes if one != change)
        self.stand(change="", changes=changes)
        if work.standing.state == "undone" and backwards:
            return
        left = f"; {work.standing.error}" if work.standing.error != error else ""
        raise Failed(f"{journal.plan(change).title}: {error}{last}{left}")

    # --- looking -----------------------------------------------------------------------------------------

    def look(self, checks: Sequence[Check]) -> tuple[Finding, ...]:
        """Runs checks over fresh facts."""
        return self.session.run(checks, lambda event: None).findings

    def now(self) -> str:
        """The time as ISO 8601."""
        return invoker.utc(self.session.host.now())

    def keep(self, findings: Sequence[Finding]) -> None:
        """Findings that the faces show."""
        self.stand(findings=tuple(of_finding(one) for one in findings))
