"""Mending: what can be done about a finding, doing it, taking it back, finishing what was interrupted.

The work is done by a process of its own, which goes on when the face is gone; the face follows its log.
"""

from __future__ import annotations

from collections.abc import Callable

from mailcow_wizard import fixes
from mailcow_wizard.engine import lock
from mailcow_wizard.engine.ending import check_writable, how_it_ended
from mailcow_wizard.engine.findings import from_fields, retold_finding
from mailcow_wizard.engine.hard_links import of_offers
from mailcow_wizard.engine.journal import Change, Found, Journal
from mailcow_wizard.engine.runner import join
from mailcow_wizard.engine.runner import look as judge
from mailcow_wizard.engine.selection import UnknownSelector, select
from mailcow_wizard.engine.session import Session
from mailcow_wizard.engine.undo.database import keep_database
from mailcow_wizard.engine.undo.gone import keep_gone
from mailcow_wizard.engine.undo.interrupting import interrupts
from mailcow_wizard.engine.undo.later import target_below
from mailcow_wizard.engine.undo.ports import keep_taken
from mailcow_wizard.engine.undo.taking_up import taken_up
from mailcow_wizard.engine.undo.target import needless
from mailcow_wizard.engine.work import CONFIRMED
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.fixes import Offer
from mailcow_wizard.host import invoker
from mailcow_wizard.host.errors import Denied, HostError
from mailcow_wizard.host.files.changing import Changed, Changing
from mailcow_wizard.host.processes import detached
from mailcow_wizard.language import STORED, _
from mailcow_wizard.model import Command, Edit, Finding, Plan
from mailcow_wizard.retelling import retold
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Any, Literal, TypeAlias

    from mailcow_wizard.model import PlanStep

    ProgressKind = Literal["step", "output", "done", "failed", "undone", "check", "confirm", "stopping"]
    Listen: TypeAlias = Callable[["Progress"], None]
else:
    ProgressKind = str

_PAUSE_S = 0.03
_HUNG_UP = 129


class NotNow(HostError):
    """A change is not in the state for what was asked; the text says which it is in."""


class Progress(NamedTuple):
    """What the work says while it goes on, in one harmless line without secrets.

    `step` begins step number `step` (from 0) and `done`, `failed` or `undone` end it; `output` is a line that
    its command printed; `check` says that the check runs again (`step` is -1); `confirm` that it waits, for
    as many seconds as `text` says, to be confirmed; `stopping` that it was asked to stop (once), where `text`
    is the change.
    """

    kind: ProgressKind
    step: int
    text: str


class Outcome(NamedTuple):
    """How it ended: the change's id and state, the check's new finding (None: it was not run), and why it
    did not succeed (empty: it did)."""

    change: str
    state: str
    finding: Finding | None
    error: str


class Look(NamedTuple):
    """What a check found, and the facts that it was judged by."""

    findings: tuple[Finding, ...]
    facts: Facts

    def offers(self, finding: Finding) -> tuple[Offer, ...]:
        """What can be done about one of the findings, best first."""
        return offers_for(finding, self.facts)


def look(session: Session, check_id: str) -> Look:
    """Looks at the machine with this check. Raises UnknownSelector where no check has this id."""
    chosen = [one for one in select((check_id,)) if one.id == check_id]
    if not chosen:
        raise UnknownSelector(check_id)
    facts = session.new_facts()
    return Look(session.prepare(chosen, facts, lambda event: None).run(), facts)


def offers(session: Session, check_id: str, subject: str | None = None) -> tuple[Offer, ...]:
    """What can be done about what this check finds now, best first. Raises UnknownSelector."""
    seen = look(session, check_id)
    return next((seen.offers(one) for one in seen.findings if subject in (None, one.subject)), ())


def offers_for(finding: Finding, facts: Facts) -> tuple[Offer, ...]:
    """What can be done about a finding that was made of these facts, best first."""
    if not finding.fixes:
        return ()
    check = next(one for one in select((finding.id,)) if one.id == finding.id)
    try:
        for judgement in judge(check, facts):
            if join(check, judgement).subject == finding.subject:
                return of_offers(facts.host, fixes.offers(check.id, judgement, facts))
    except HostError:
        return ()
    return ()


def works(plan: Plan) -> bool:
    """Whether the plan does anything by itself, and not only says what a person should do."""
    return any(
        isinstance(step, Command) or (isinstance(step, Edit) and step.before != step.after)
        for step in plan.steps
    )


def apply(session: Session, plan: Plan, listen: Listen, back: bool = False) -> Outcome:
    """Makes the change; blocks until it is made. `back`: a change that fails takes itself back at once.

    Raises HostError where nothing was begun: Changed (a file is not what the plan saw: plan again), Locked
    (another wizard is changing this machine), CannotWrite, Denied (needs root), NotNow (nothing to do).
    A step that fails is an Outcome: its state is `failed`, or `undone` with `back`.
    Interrupted (KeyboardInterrupt, SystemExit) it has the work stop, waits until what was done is taken back,
    and raises that; interrupted twice, or by a hangup, it leaves at once, and the work goes on.
    """
    changing = _changing(session, plan.needs_root)
    if not works(plan):
        raise NotNow(_("there is nothing to do"))
    journal = Journal(session.state)
    held = lock.take(session.state, beside=lock.of_plan(plan, session.settings.directory))
    try:
        at = invoker.utc(session.host.now())
        change = journal.add(plan, found(changing, plan), at, session.settings._asdict())
        return _started(session, journal, change, "apply-or-back" if back else "apply", held, listen)
    finally:
        held.close()


def take_back(session: Session, change_id: str, listen: Listen) -> Outcome:
    """Takes a change back, an interrupted or failed one too; blocks until it is done.

    Raises HostError where nothing was begun: Conflict (lines of the change were edited since), Kept (a
    database would no longer open), Gone (what would be started was removed), Taken (somebody else has its
    port), Locked, Missing (no such change), NotNow (it is taken back already, or cannot be), Denied (needs
    root). One that stays `applied` could not be written, and nothing was changed; `error` says why.
    """
    return _again(session, change_id, listen, backward)


def finish(session: Session, change_id: str, listen: Listen) -> Outcome:
    """Goes on with an interrupted or failed change where it stopped (also with taking one back).

    Raises HostError as `take_back` does.
    """
    return _again(session, change_id, listen, forward)


def backward(session: Session, change_id: str) -> Plan:
    """What taking a change back would do now, as a plan to be shown. Raises HostError as `take_back` does."""
    journal = Journal(session.state)
    change = journal.get(change_id)
    plan = journal.plan(change_id)
    standing = journal.standing(change_id)
    if change.state == "undone":
        raise NotNow(_("change {change} was taken back already", change=change_id))
    if change.state == "applied" and not plan.reversible:
        raise NotNow(_("change {change} cannot be taken back: {plan}", change=change_id, plan=plan.title))
    changing = session.host.changing()
    steps: list[PlanStep] = []
    # A plan may edit a file twice: what the first edit is taken back from is what the second left.
    contents: dict[str, bytes | None] = {}
    found: dict[str, tuple[str, bytes | None, str]] = {}
    passed = needless(changing, plan.steps, standing.marks)
    for number, step in reversed(tuple(enumerate(plan.steps))):
        if standing.marks[number] == "waiting" or standing.back[number] == "done" or number in passed:
            continue
        if isinstance(step, Command):
            looks = (one.argv for one in step.proofs)
            steps += [Command(argv, timeout=step.timeout) for argv in (*step.undo, *looks)]
        elif isinstance(step, Edit):
            seen = changing.look(step.path)
            now = contents.setdefault(seen.path, seen.content)
            if standing.marks[number] == "failed" and now != step.after:
                continue
            wanted = contents[seen.path] = target_below(journal, changing, change_id, step, now)
            copy = "" if step.before is None else journal.path(change_id, f"{number}.before")
            found[seen.path] = step.path, found[seen.path][1] if seen.path in found else now, copy
            if wanted != now:
                steps.append(Edit(step.path, now, wanted, step.mode))
    for real, (path, now, copy) in found.items():
        keep_database(session, path, now, contents[real], copy)
    keep_gone(session, plan, standing)
    keep_taken(session, plan, standing)
    return plan._replace(
        steps=(*steps, *taken_up(session.new_facts(), steps)),
        title=_("Take back: {plan}", plan=plan.title),
        consequence="",
        interrupts=interrupts(session.new_facts(), steps),
        settle=0.0,
    )


def forward(session: Session, change_id: str) -> Plan:
    """What `finish` would do now, as a plan to be shown. Raises HostError as `finish` does."""
    journal = Journal(session.state)
    change = journal.get(change_id)
    if change.state == "applied":
        raise NotNow(_("change {change} is applied already", change=change_id))
    if change.state == "undone":
        raise NotNow(_("change {change} was taken back already", change=change_id))
    standing = journal.standing(change_id)
    if standing.doing == "undo":
        return backward(session, change_id)
    plan = journal.plan(change_id)
    left = [step for step, mark in zip(plan.steps, standing.marks, strict=True) if mark != "done"]
    return plan._replace(steps=tuple(left))


def latest(session: Session) -> Change | None:
    """The newest change, if there is one."""
    return next(iter(Journal(session.state).list()), None)


def unfinished(session: Session) -> tuple[Change, ...]:
    """The changes that were interrupted or failed, and that nobody finished or took back, newest first."""
    return tuple(one for one in Journal(session.state).list() if one.unfinished)


def follow(session: Session, change_id: str, listen: Listen) -> Outcome:
    """Joins a change that another process is making or taking back at this moment, and tells all of that from
    its beginning."""
    journal = Journal(session.state)
    journal.get(change_id)
    start, ended = journal.last_end(change_id)

    def alive() -> bool:
        holder = lock.holder(session.state)
        return holder is not None and holder.change == change_id

    return _Following(session, journal, change_id, start, alive, listen, ended=ended).run()


def confirm(session: Session, change_id: str) -> None:
    """Says that all is well after a change that waits for that. Raises NotNow where it does not wait."""
    journal = Journal(session.state)
    if not waits(session, change_id):
        raise NotNow(_("change {change} does not wait to be confirmed", change=change_id))
    journal.keep(change_id, CONFIRMED, b"")


def waits(session: Session, change_id: str) -> bool:
    """Whether a change is made, and waits at this moment to be confirmed."""
    journal = Journal(session.state)
    if journal.get(change_id).state != "applying" or not journal.plan(change_id).confirm:
        return False
    return all(one == "done" for one in journal.standing(change_id).marks)


def stop(session: Session, change_id: str) -> None:
    """Asks the work to stop after the step that is under way; what was done is then taken back."""
    holder = lock.holder(session.state)
    if holder is not None and holder.change == change_id and holder.pid:
        detached.ask_to_stop(holder.pid)


def _again(
    session: Session, change_id: str, listen: Listen, planned: Callable[[Session, str], Plan]
) -> Outcome:
    """`planned` is asked when nobody else can do anything any more, and raises what is in the way."""
    journal = Journal(session.state)
    plan = journal.plan(change_id)
    _changing(session, plan.needs_root)
    directory = journal.settings(change_id).get("directory", session.settings.directory)
    held = lock.take(session.state, beside=lock.of_plan(plan, directory))
    try:
        planned(session, change_id)
        check_writable(journal, change_id)
        undo = planned is backward or journal.standing(change_id).doing == "undo"
        task = "undo" if undo else "apply"
        return _started(session, journal, change_id, task, held, listen)
    finally:
        held.close()


def _changing(session: Session, needs_root: bool) -> Changing:
    changing = session.host.changing()
    if needs_root and session.host.user().uid != 0:
        raise Denied(_("only root can do this"))
    return changing


def found(changing: Changing, plan: Plan) -> dict[int, Found]:
    """How the plan's files are now. Raises Changed where one is not what the plan saw."""
    found: dict[int, Found] = {}
    contents: dict[str, bytes | None] = {}
    for number, step in enumerate(plan.steps):
        if not isinstance(step, Edit):
            continue
        seen = changing.look(step.path)
        if contents.setdefault(seen.path, seen.content) != step.before:
            raise Changed(_("{path} was changed since it was shown", path=step.path))
        contents[seen.path] = step.after
        found[number] = Found(seen.mode, seen.uid, seen.gid, changing.missing_directories(step.path))
    return found


def _started(
    session: Session, journal: Journal, change: str, task: str, held: lock.Lock, listen: Listen
) -> Outcome:
    held.tell(change)
    start = journal.end_of_log(change)
    words = (session.state.path, change, task, *map(str, held.descriptors))
    process = detached.start("mailcow_wizard.engine.worker", words, held.descriptors, STORED)
    held.close()
    return _Following(session, journal, change, start, lambda: not process.ended(), listen, process.pid).run()


class _Following:
    """Reads a change's log while it is written."""

    def __init__(
        self,
        session: Session,
        journal: Journal,
        change: str,
        start: int,
        alive: Callable[[], bool],
        listen: Listen,
        pid: int = 0,
        ended: dict[str, Any] | None = None,
    ) -> None:
        """`pid` is the process at work, where we started it: then it is asked to stop when we are. `ended` is
        how an earlier one ended, which counts where nothing came after it."""
        self._pid = pid
        self._ended = ended
        self._session = session
        self._journal = journal
        self._change = change
        self._at = start
        self._alive = alive
        self._listen = listen

    def run(self) -> Outcome:
        """Follows to the end."""
        leaving: BaseException | None = None
        while True:
            try:
                outcome = self._step()
            except (KeyboardInterrupt, SystemExit) as asked:
                if leaving is not None or not self._pid or getattr(asked, "code", None) == _HUNG_UP:
                    raise
                leaving = asked
                detached.ask_to_stop(self._pid)
                self._listen(Progress("stopping", -1, self._change))
                continue
            if outcome is not None:
                break
        if leaving is not None:
            raise leaving
        return outcome

    def _step(self) -> Outcome | None:
        # Asked first: what it said last is then read.
        alive = self._alive()
        events, self._at = self._journal.events(self._change, self._at)
        for event in events:
            self._ended = event if event.get("kind") == "end" else None
            if self._ended:
                continue
            self._session.note(f"change {self._change}: {event['kind']} {event['text']}".rstrip())
            text = event["text"] if event["kind"] == "output" else retold(event["text"])
            self._listen(Progress(event["kind"], event["step"], text))
        if self._ended and (self._pid or not alive):
            return self._outcome(self._ended)
        if alive:
            detached.pause(_PAUSE_S)
            return None
        state, why = how_it_ended(self._journal, self._change)
        return Outcome(self._change, state, None, why)

    def _outcome(self, end: dict[str, Any]) -> Outcome:
        result = end["result"]
        finding = from_fields(retold_finding(result)) if result else None
        self._session.note(f"change {self._change} is {end['state']}")
        return Outcome(self._change, end["state"], finding, retold(end["error"]))
