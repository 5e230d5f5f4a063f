"""A change of real files, with real commands, while the kernel refuses one call, or all from one on.

Then, as a new process that finds the journal: everything can be taken back.
"""

import errno
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from changes import Place

from mailcow_wizard.engine import mending
from mailcow_wizard.engine.journal import Journal
from mailcow_wizard.engine.work import Work
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.files.changing import Changing
from tests.faults.kernel import Kernel, faulty
from tests.faults.paper import quiet

pytestmark = pytest.mark.seeded

ERRORS = (
    *(errno.ENOENT, errno.EACCES, errno.EIO, errno.ENOSPC, errno.EMFILE, errno.EINTR, errno.EROFS),
    *(errno.ENOTSUP, errno.EDQUOT),
)
SAMPLE = 14


def do(place: Place) -> str:
    """Makes the change as a fix does, taken back at once where it fails; how it ends (empty: not begun)."""
    journal, changing = Journal(place.session().state), Changing()
    try:
        found = mending.found(changing, place.plan)
        change = journal.add(place.plan, found, "2026-01-02T03:04:05Z", {})
        work = Work(changing, journal, change, quiet, frozenset())
    except HostError:
        return ""
    work.apply(lambda: False)
    if work.standing.state == "failed":
        work.take_back(work.standing.error)
    return work.standing.state


def take_back(place: Place) -> str:
    """Takes the only change back, as a new process that finds the journal; how it ends."""
    session = place.session()
    journal = Journal(session.state)
    try:
        mending.backward(session, "1")
        work = Work(Changing(), journal, "1", quiet, frozenset())
    except HostError as error:
        return f"not begun: {error}"
    work.take_back()
    return work.standing.state


def well(place: Place) -> str:
    """With a kernel that obeys again: what is wrong with the change's journal, or with taking it back."""
    changes = Journal(place.session().state).list()
    if not changes:
        return "" if place.look() == place.before else "something was changed, and is not written down"
    if changes[0].state != "undone" and (said := take_back(place)) != "undone":
        return f"is not taken back: {said}"
    return "" if place.look() == place.before else "said to be undone, and is not"


def disturbed(root: Path, kernel: Kernel, undo: bool) -> str:
    """What is wrong after this; empty: nothing."""
    place = Place(root)
    if undo:
        assert do(place) == "applied"
    with faulty(kernel):
        said = (take_back if undo else do)(place)
    if said == "applied" and place.look() != place.after:
        return "said to be applied, and is not"
    # Who hears that nothing is there any more believes it; what is left is taken away by the next start.
    blind = kernel.lasting and kernel.error == errno.ENOENT
    if said in ("undone", "") and not undo and not blind and place.look() != place.before:
        return f"said to be {said or 'not begun'}, and is something else"
    return well(place)


def count(root: Path, undo: bool) -> int:
    """How many calls there are to refuse."""
    place, kernel = Place(root), Kernel()
    if undo:
        do(place)
    with faulty(kernel):
        said = (take_back if undo else do)(place)
    assert said == ("undone" if undo else "applied")
    return kernel.count


def kernels(root: Path, undo: bool) -> list[Callable[[], Kernel]]:
    """Every call with every error, once and from there on."""

    def made(place: int, error: int, lasting: bool) -> Callable[[], Kernel]:
        return lambda: Kernel(place, error, lasting)

    calls = range(1, count(root, undo) + 1)
    return [made(one, error, lasting) for one in calls for error in ERRORS for lasting in (False, True)]


@pytest.mark.parametrize("undo", [False, True], ids=["doing", "taking back"])
def test_some_calls(tmp_path: Path, undo: bool) -> None:
    every = kernels(tmp_path / "count", undo)
    assert len(every) > 1000
    for one in random.Random(6).sample(every, SAMPLE):
        kernel = one()
        assert disturbed(tmp_path / "place", kernel, undo) == "", vars(kernel)


def test_a_file_that_is_once_not_found_is_not_gone(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("content")
    with faulty(Kernel()) as calls:
        Changing().look(str(path))
    said = []
    for place in range(1, calls.count + 1):
        with faulty(Kernel(place, errno.ENOENT)):
            try:
                said.append(Changing().look(str(path)).content)
            except HostError:
                continue
    assert None not in said
    assert len(said) < calls.count


@pytest.mark.long
@pytest.mark.parametrize("undo", [False, True], ids=["doing", "taking back"])
def test_every_call(tmp_path: Path, undo: bool) -> None:
    wrong = []
    for one in kernels(tmp_path / "count", undo):
        kernel = one()
        if said := disturbed(tmp_path / "place", kernel, undo):
            wrong.append((vars(kernel), said))
    assert wrong == []
