"""kill -9 at any instant of making a change, taking it back and going on with it: nothing is half written.

The long version (the issue's 500 instants): WIZARD_KILLS=500 tests/run tests/real/test_killed.py
"""

import contextlib
import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from changes import Place, nothing
from lab.inside import children, wait_until

from mailcow_wizard.engine import lock, mending
from mailcow_wizard.engine.journal import Journal
from mailcow_wizard.model import Edit

KILLS = int(os.environ.get("WIZARD_KILLS", "60"))
ROUNDS = 4
"""So often a change is killed at most before it is left to itself."""

Task = Callable[[], object]


@pytest.mark.parametrize("part", range(10))
def test_killed_at_any_instant(part: int, tmp_path: Path) -> None:
    chance = random.Random(part)
    for number in range(part, KILLS, 10):
        _one(Place(tmp_path / str(number)), chance)


def _one(place: Place, chance: random.Random) -> None:
    """Kills one change, then its recovery, some times; in the end it is left to end."""
    session = place.session()
    began = [lambda: mending.apply(session, place.plan, nothing)]
    if chance.random() < 0.3:
        began[0]()
        assert place.look() == place.after
        began = [lambda: mending.take_back(session, "1", nothing)]
    _killed(place, began[0], chance)
    for _ in range(chance.randrange(ROUNDS)):
        way = _way(place, chance)
        if way is None:
            break
        _killed(place, way, chance)
    _to_its_end(place, chance)


def _killed(place: Place, task: Task, chance: random.Random) -> None:
    """Does the task in another process, kills that and the one that does its work, and looks around."""
    face = os.fork()
    if face == 0:
        with contextlib.suppress(BaseException):
            task()
        os._exit(0)
    # Half of the instants are where the work is: starting Python takes most of the time.
    if chance.random() < 0.5:
        wait_until(lambda: _works(place) or _ended(face), 5, pause=0.001)
        time.sleep(chance.random() * 0.06)
    else:
        time.sleep(chance.random() * 0.25)
    workers = children(face)
    for pid in chance.sample([*workers, face], len(workers) + 1):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(face, 0)
    assert wait_until(lambda: lock.holder(place.session().state) is None, 60), "the lock outlived its holder"
    _is_whole(place)


def _works(place: Place) -> bool:
    """Whether the work of the newest change goes on at this moment."""
    holder = lock.holder(place.session().state)
    return holder is not None and holder.change != ""


def _ended(face: int) -> bool:
    return os.waitid(os.P_PID, face, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _is_whole(place: Place) -> None:
    """Every file is the old or the new one, and the journal says what was under way."""
    # A command of the killed one may be at work for a moment.
    wait_until(lambda: not (place.root / ".unit").exists(), 5)
    found = place.look()
    for name in {*place.before, *place.after}:
        allowed = [there[name] for there in (place.before, place.after) if name in there]
        assert found.get(name) in allowed or (len(allowed) == 1 and name not in found), name
    for change in Journal(place.session().state).list():
        assert change.state in ("interrupted", "applied", "undone")


def _way(place: Place, chance: random.Random) -> Task | None:
    """One of the two ways out, where the change was interrupted."""
    session = place.session()
    left = mending.unfinished(session)
    if not left:
        return None
    work = chance.choice((mending.finish, mending.take_back))
    return lambda: work(session, left[0].id, nothing)


def _to_its_end(place: Place, chance: random.Random) -> None:
    session = place.session()
    way = _way(place, chance)
    if way is not None:
        way()
    changes = Journal(session.state).list()
    state = changes[0].state if changes else "undone"
    assert place.look() == (place.after if state == "applied" else place.before), state
    if state == "applied":
        outcome = mending.take_back(session, "1", nothing)
        assert (outcome.state, outcome.error) == ("undone", "")
    assert place.look() == place.before
    assert place.directories() == {"etc"}
    assert all(not isinstance(step, Edit) or ".part" not in step.path for step in place.plan.steps)
