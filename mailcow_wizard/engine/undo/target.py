"""How a change is taken back: what each of its files should become, whatever happened to it since."""

from __future__ import annotations

from mailcow_wizard.engine.diff import hidden
from mailcow_wizard.engine.undo.merge import Overlap, merge
from mailcow_wizard.harmless import harmless
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.language import _
from mailcow_wizard.model import Edit
from mailcow_wizard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mailcow_wizard.engine.journal import Mark
    from mailcow_wizard.host.files.changing import Changing
    from mailcow_wizard.model import PlanStep

_MOST_LINES = 20


class Conflict(HostError):
    """What the change made was edited since, so it is not taken back.

    `mine` are the lines as they are now, `theirs` as they were before the change, both without secrets.
    """

    def __init__(self, text: str, mine: tuple[str, ...] = (), theirs: tuple[str, ...] = ()) -> None:
        super().__init__(text)
        self.mine = mine
        self.theirs = theirs


def target(step: Edit, now: bytes | None) -> bytes | None:
    """What a file that is `now` should become so that this edit is taken back; None: no file.

    Lines that others edited since stay. Raises Conflict where they are the very lines of the edit.
    """
    before, after = step.before, step.after
    if now in (before, after):
        return before
    if now is None:
        if before is None:
            return None
        raise Conflict(_("{path} was removed since; it is not made again", path=step.path))
    if after is None:
        raise Conflict(_("{path} was made anew since; it stays as it is", path=step.path))
    try:
        merged = merge(after, now, before or b"")
    except Overlap as overlap:
        mine, theirs = (_lines(step.path, text) for text in (overlap.mine, overlap.theirs))
        text = _("{path}: lines of this change were edited since; they stay as they are", path=step.path)
        raise Conflict(text, mine, theirs) from None
    return None if before is None and not merged else merged


def needless(changing: Changing, steps: Sequence[PlanStep], marks: Sequence[Mark]) -> frozenset[int]:
    """The numbers of edits of a file that the plan made and took away again, as a trial copy is: where it is
    still gone, taking them back would write it and take it away once more. Raises HostError."""
    edits: dict[str, list[tuple[int, Edit]]] = {}
    for number, step in enumerate(steps):
        if isinstance(step, Edit):
            edits.setdefault(step.path, []).append((number, step))
    return frozenset(
        number
        for path, some in edits.items()
        if len(some) > 1 and some[0][1].before is None and some[-1][1].after is None
        if all(marks[number] == "done" for number, _step in some) and changing.look(path).content is None
        for number, _step in some
    )


def _lines(path: str, data: bytes) -> tuple[str, ...]:
    if not data:
        return ()
    lines = hidden(path, data.decode("utf-8", "backslashreplace")).split("\n")
    return tuple(harmless(line) for line in lines[:_MOST_LINES])
