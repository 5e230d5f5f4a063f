"""Faults while a fix is planned, done and taken back: each plan of the machines, each call, each fault.

Never anything but the door's errors, never "applied" or "undone" when it is not, and whatever happened: with
a machine that answers again the journal takes all of it back.
"""

import functools
import random
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from mailcow_wizard.engine import runner, work
from mailcow_wizard.engine.journal import Found, Journal
from mailcow_wizard.engine.work import Work
from mailcow_wizard.fixes import offers
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.files.state import StateDirectory
from mailcow_wizard.model import Command, Edit, Plan
from tests.answering import Machine
from tests.faults.faults import NAMES as ANSWERS
from tests.faults.faults import fault
from tests.faults.paper import FAULTS, Fault, Paper, quiet
from tests.fuzz.targets_door import machines

pytestmark = pytest.mark.seeded

REPLANNED, SAMPLE, PAIRS = 12, 70, 35
UNCERTAIN = ("short read", "garbage", "ENOENT", "EACCES", "exit 1", "signal 9")


class Offered(NamedTuple):
    """A plan, of which machine and finding it is, and what making it asked."""

    machine: Machine
    check: str
    subject: str | None
    plan: Plan
    asked: tuple[str, ...]


@functools.cache
def offered() -> tuple[Offered, ...]:
    """All plans of the machines' findings."""
    return tuple(one for machine in machines() for one in _offered(machine))


def _offered(machine: Machine) -> Iterator[Offered]:
    host = machine.host()
    facts = host.facts()
    for check in machine.checks:
        for judgement in runner.look(check, facts):
            if judgement.status == "pass":
                continue
            for offer in offers(check.id, judgement, facts):
                host.asked.clear()
                try:
                    plan = offer.plan()
                except HostError:
                    continue
                yield Offered(machine, check.id, judgement.subject, plan, tuple(host.asked))


# --- planning ---


def replanned(one: Offered, key: str, name: str) -> list[Plan]:
    """The same fix planned while one answer goes wrong: no plan at all is an answer, too."""
    host = one.machine.host()
    facts = host.facts()
    check = next(check for check in one.machine.checks if check.id == one.check)
    judgements = [judged for judged in runner.look(check, facts) if judged.subject == one.subject]
    plans = []
    host.instead = {key: fault(name)}
    for judgement in judgements:
        try:
            for offer in offers(check.id, judgement, facts):
                if offer.fix.id == one.plan.fix:
                    plans.append(offer.plan())
        except HostError:
            continue
    return plans


def test_plans_under_faults() -> None:
    cases = [(one, key, name) for one in offered() for key in one.asked for name in ANSWERS]
    assert len(cases) > 300
    for one, key, name in random.Random(3).sample(cases, REPLANNED):
        for plan in replanned(one, key, name):
            # A plan made of a wrong answer is refused where the file is not what it saw.
            machine = Paper(one.plan)
            for step in plan.steps:
                if isinstance(step, Edit) and step.path in machine.files:
                    truth = machine.files[step.path]
                    assert step.before == truth or step.before != step.after


@pytest.mark.long
def test_all_plans_under_every_fault() -> None:
    for one in offered():
        for key in one.asked:
            for name in ANSWERS:
                replanned(one, key, name)


# --- doing and taking back ---


def attempt(place: Path, plan: Plan, doing: tuple[Fault, ...], undoing: tuple[Fault, ...]) -> str:
    """What is wrong after the plan was done and taken back with these faults; empty: nothing."""
    machine, journal = Paper(plan), Journal(StateDirectory(str(place)))
    found = {number: Found(0o644, 0, 0, ()) for number, one in enumerate(plan.steps) if isinstance(one, Edit)}
    change = journal.add(plan, found, "2026-01-02T03:04:05Z", {})
    machine.faults = doing
    done = Work(machine, journal, change, quiet, frozenset())
    done.apply(lambda: False)
    if done.standing.state not in ("applied", "failed"):
        return f"is {done.standing.state} after it was done"
    if done.standing.state == "applied" and not machine.is_mended(plan):
        return "said to be applied, and is not"
    if journal.get(change).state != done.standing.state:
        return f"the journal says {journal.get(change).state}"
    machine.calls, machine.faults = 0, undoing
    back = Work(machine, journal, change, quiet, frozenset())
    back.take_back()
    if back.standing.state == "undone" and not machine.is_as_before(plan):
        return "said to be undone, and is not"
    if back.standing.state == "applied" and not machine.is_mended(plan):
        return "said to be as it was made, and is not"
    if journal.get(change).state != back.standing.state:
        return f"the journal says {journal.get(change).state} after it was taken back"
    machine.faults = ()
    if back.standing.state != "undone":
        back = Work(machine, journal, change, quiet, frozenset())
        back.take_back()
    if (journal.get(change).state, back.standing.state) != ("undone", "undone"):
        return f"is not taken back: {back.standing.error}"
    return "" if machine.is_as_before(plan) else "taken back, and not as before"


def calls(place: Path, plan: Plan) -> tuple[int, int]:
    """How many calls doing it and taking it back make."""
    machine, journal = Paper(plan), Journal(StateDirectory(str(place)))
    change = journal.add(plan, {}, "2026-01-02T03:04:05Z", {})
    one = Work(machine, journal, change, quiet, frozenset())
    one.apply(lambda: False)
    assert (one.standing.state, machine.is_mended(plan)) == ("applied", True)
    count, machine.calls = machine.calls, 0
    one.take_back()
    assert (one.standing.state, machine.is_as_before(plan)) == ("undone", True)
    return count, machine.calls


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for a service on paper."""
    monkeypatch.setattr(work, "pause", lambda seconds: None)


def plans() -> tuple[Plan, ...]:
    """Those that do something, and can be taken back."""
    some = {one.plan.fix: one.plan._replace(confirm=0.0) for one in offered() if one.plan.reversible}
    return tuple(one for one in some.values() if any(isinstance(step, Edit | Command) for step in one.steps))


def cases(place: Path) -> Iterator[tuple[Plan, tuple[Fault, ...], tuple[Fault, ...]]]:
    """Every call of every plan with every fault."""
    for number, plan in enumerate(plans()):
        doing, undoing = calls(place / f"calls-{number}", plan)
        for name, late in FAULTS:
            yield from ((plan, (Fault(one, name, late),), ()) for one in range(1, doing + 1))
            yield from ((plan, (), (Fault(one, name, late),)) for one in range(1, undoing + 1))


def test_each_plan_can_be_done_and_taken_back(tmp_path: Path) -> None:
    assert len(plans()) >= 12
    for number, plan in enumerate(plans()):
        assert attempt(tmp_path / str(number), plan, (), ()) == "", plan.fix


def test_a_file_that_cannot_be_written_leaves_the_change_as_it_is(tmp_path: Path) -> None:
    """Where a command was to be taken back besides, nobody knows how far that came."""
    edit, command = Edit("/etc/x", b"a\n", b"b\n"), Command(("run", "it"), (("run", "back"),))
    for steps, wanted in (((edit,), "applied"), ((edit, command), "failed")):
        plan = Plan("system.swap", None, "test", "A test", steps, "low", True, True, "It is b.")
        machine, journal = Paper(plan), Journal(StateDirectory(str(tmp_path / wanted)))
        change = journal.add(plan, {0: Found(0o644, 0, 0, ())}, "2026-01-02T03:04:05Z", {})
        Work(machine, journal, change, quiet, frozenset()).apply(lambda: False)
        before = journal.standing(change)
        machine.calls, machine.faults = 0, (Fault(2 if wanted == "applied" else 3, "ENOSPC"),)
        back = Work(machine, journal, change, quiet, frozenset())
        back.take_back()
        assert (back.standing.state, bool(back.untouched)) == (wanted, wanted == "applied")
        assert machine.files["/etc/x"] == b"b\n"
        assert (journal.standing(change) == before) is (wanted == "applied")


def test_some_faults(tmp_path: Path) -> None:
    every = list(cases(tmp_path))
    assert len(every) > 1000
    for number, (plan, doing, undoing) in enumerate(random.Random(4).sample(every, SAMPLE)):
        assert attempt(tmp_path / str(number), plan, doing, undoing) == "", (plan.fix, doing, undoing)


def _pair(
    chance: random.Random, every: list[tuple[Plan, tuple[Fault, ...], tuple[Fault, ...]]]
) -> tuple[Plan, tuple[Fault, ...], tuple[Fault, ...]]:
    plan, doing, undoing = chance.choice(every)
    others = [one for one in every if one[0] is plan]
    _, more, back = chance.choice(others)
    return plan, (*doing, *more), (*undoing, *back)


def test_some_pairs(tmp_path: Path) -> None:
    # A file is read whole or not at all, and a command that failed is not taken for done where its way back
    # is not installed, or fails itself.
    certain = [name for name, _ in FAULTS if name not in UNCERTAIN]
    every = [one for one in cases(tmp_path) if all(fault.name in certain for fault in (*one[1], *one[2]))]
    chance = random.Random(5)
    for number in range(PAIRS):
        plan, doing, undoing = _pair(chance, every)
        assert attempt(tmp_path / str(number), plan, doing, undoing) == "", (plan.fix, doing, undoing)


@pytest.mark.long
def test_every_fault(tmp_path: Path) -> None:
    wrong = [
        (plan.fix, doing, undoing, said)
        for number, (plan, doing, undoing) in enumerate(cases(tmp_path))
        if (said := attempt(tmp_path / str(number), plan, doing, undoing))
    ]
    assert wrong == []
