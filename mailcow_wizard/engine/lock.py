"""One wizard changes the machine at a time; all may look.

The lock of a state directory says who is at work there. Root's wizards hold others beside it, which those
that keep their state elsewhere find taken: of mailcow's directory, and of the machine, where more of it is
changed.
"""

from __future__ import annotations

import json

from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.files import common_locks, flock
from mailcow_wizard.host.files.state import StateDirectory
from mailcow_wizard.host.processes import detached
from mailcow_wizard.language import _
from mailcow_wizard.model import Command, Plan
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_PATIENCE_S = 3.0
"""For so long a wizard waits for another one's change: most are shorter."""

INSTALL = "install"
"""What stands in a change's place while mailcow is installed: the changes of that are its own."""


class Holder(NamedTuple):
    """Who changes the machine at this moment: a process, the change that it makes ("": not known yet), and
    its state directory ("": not known)."""

    pid: int
    change: str
    state: str = ""


class Locked(HostError):
    """Another wizard is changing this machine; `elsewhere`: it has a state directory of its own."""

    def __init__(self, holder: Holder, elsewhere: bool = False) -> None:
        what = _(" (change {change})", change=holder.change) if holder.change else ""
        if holder.change == INSTALL:
            what = _(" (it installs mailcow)")
        who = _("process {pid}", pid=holder.pid) if holder.pid else _("another process")
        said = _("another wizard is changing this machine: {who}{what}", who=who, what=what)
        if elsewhere and holder.state:
            said = _("{said}; see it with --state-dir {place}", said=said, place=holder.state)
        super().__init__(said)
        self.holder = holder


class Lock:
    """The locks that are held, that of the state directory first."""

    def __init__(self, state: StateDirectory, locks: Sequence[flock.Flock], change: str) -> None:
        self._state = state.path
        self._locks = tuple(locks)
        self.tell(change)

    @property
    def descriptors(self) -> tuple[int, ...]:
        """The open files, to hand on to another process."""
        return tuple(one.descriptor for one in self._locks)

    def tell(self, change: str) -> None:
        """Says which change is made, by this process."""
        self._say(Holder(detached.own_pid(), change, self._state))

    def hand_over(self, change: str) -> None:
        """Says which change another process is about to make, which takes the locks over."""
        self._say(Holder(0, change, self._state))

    def _say(self, holder: Holder) -> None:
        for one in self._locks:
            one.say(json.dumps(holder._asdict()))

    def close(self) -> None:
        """Gives them up."""
        for one in reversed(self._locks):
            one.close()


def of_plan(plan: Plan, directory: str) -> tuple[str, ...]:
    """The locks that a change takes beside that of its state directory: what only writes files, or does not
    need root, changes nothing but what lies in mailcow's directory."""
    machine = plan.needs_root and any(isinstance(one, Command) for one in plan.steps)
    return _paths(directory, machine)


def of_install(directory: str) -> tuple[str, ...]:
    """The locks that an install takes beside that of its state directory."""
    return _paths(directory, machine=True)


def _paths(directory: str, machine: bool) -> tuple[str, ...]:
    paths = (common_locks.of_directory(directory), common_locks.of_machine() if machine else "")
    return tuple(filter(None, paths))


def take(state: StateDirectory, change: str = "", beside: Iterable[str] = ()) -> Lock:
    """Takes the lock, and those of these paths, for a change where that is known.

    Raises Locked, or HostError where one of them cannot be had: the state directory cannot be written, or
    this process may have no more open files.
    """
    held: list[flock.Flock] = []
    try:
        held.append(flock.take(_path(state)))
        held += _common(beside)
    except HostError as error:
        elsewhere = bool(held)
        for one in held:
            one.close()
        if not isinstance(error, flock.Taken):
            raise
        raise Locked(_holder(error.text), elsewhere) from None
    return Lock(state, held, change)


def _common(paths: Iterable[str]) -> list[flock.Flock]:
    """Where one cannot be made nobody else has it. Raises Taken, HostError, and then has none."""
    held: list[flock.Flock] = []
    for path in paths:
        try:
            held.append(flock.take(path, _PATIENCE_S))
        except flock.Nowhere:
            continue
        except HostError:
            for one in held:
                one.close()
            raise
    return held


def adopt(state: StateDirectory, descriptors: Iterable[int], change: str) -> Lock:
    """The locks that another process took and handed on, for this change."""
    return Lock(state, [flock.Flock(one) for one in descriptors], change)


def holder(state: StateDirectory) -> Holder | None:
    """Who has it; None where nobody does."""
    text = flock.holder(_path(state))
    if text is not None:
        return _holder(text)
    # Whoever removes the directory under the hands of who is at work leaves the machine's lock.
    machine = common_locks.of_machine()
    beside = _holder((flock.holder(machine) if machine else "") or "")
    return beside if beside.state == state.path else None


def _path(state: StateDirectory) -> str:
    return f"{state.path}/lock"


def _holder(text: str) -> Holder:
    try:
        said = json.loads(text)
        return Holder(int(said["pid"]), str(said["change"]), str(said.get("state", "")))
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return Holder(0, "")
