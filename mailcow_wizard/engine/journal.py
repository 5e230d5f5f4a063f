"""The journal: what the wizard changed on this machine, written before it is changed.

Each change has a number and a directory of its own in the state directory. Its readable part holds no
secret; old and new contents of files lie beside it, readable by their owner only.
"""

from __future__ import annotations

from mailcow_wizard.host.state import StateDirectory
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Any, Literal

    State = Literal["planned", "applying", "applied", "undoing", "undone", "interrupted", "failed"]
else:
    State = str


class Change(NamedTuple):
    """A change as it can be shown. `at` is ISO 8601 in UTC.

    `state`: planned, applying and undoing are under way at this moment; interrupted: the work was killed;
    failed: a step failed and what was done before it is still there. `steps` are the plan's steps as the
    contract's JSON has them; `error` is why it failed; `result` the check's finding afterwards, as JSON.
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
    result: dict[str, Any] | None = None

    @property
    def unfinished(self) -> bool:
        """Whether it waits for somebody to finish it or to take it back."""
        return self.state in ("interrupted", "failed")


class Journal:
    """The changes of one state directory. Looking never needs the lock."""

    def __init__(self, state: StateDirectory) -> None:
        self._state = state

    def list(self) -> tuple[Change, ...]:
        """All changes, newest first."""
        raise NotImplementedError

    def get(self, change: str) -> Change:
        """The change of this id. Raises Missing."""
        raise NotImplementedError
