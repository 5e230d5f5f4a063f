"""One wizard changes the machine at a time; all may look."""

from __future__ import annotations

import json

from mailcow_wizard.host import detached, flock
from mailcow_wizard.host.door import HostError
from mailcow_wizard.host.state import StateDirectory
from mailcow_wizard.language import _
from mailcow_wizard.typed import NamedTuple

INSTALL = "install"
"""What stands in a change's place while mailcow is installed: the changes of that are its own."""


class Holder(NamedTuple):
    """Who changes the machine at this moment: a process, and the change that it makes ("": not known yet)."""

    pid: int
    change: str


class Locked(HostError):
    """Another wizard is changing this machine."""

    def __init__(self, holder: Holder) -> None:
        what = _(" (change {change})", change=holder.change) if holder.change else ""
        if holder.change == INSTALL:
            what = _(" (it installs mailcow)")
        who = _("process {pid}", pid=holder.pid) if holder.pid else _("another process")
        super().__init__(_("another wizard is changing this machine: {who}{what}", who=who, what=what))
        self.holder = holder


class Lock:
    """The lock of a state directory, held."""

    def __init__(self, lock: flock.Flock, change: str) -> None:
        self._lock = lock
        self.tell(change)

    @property
    def descriptor(self) -> int:
        """The open file, to hand on to another process."""
        return self._lock.descriptor

    def tell(self, change: str) -> None:
        """Says which change is made, by this process."""
        self._lock.say(json.dumps({"pid": detached.own_pid(), "change": change}))

    def hand_over(self, change: str) -> None:
        """Says which change another process is about to make, which takes the lock over."""
        self._lock.say(json.dumps({"pid": 0, "change": change}))

    def close(self) -> None:
        """Gives it up."""
        self._lock.close()


def take(state: StateDirectory, change: str = "") -> Lock:
    """Takes the lock, for a change where that is known.

    Raises Locked, or HostError where the state directory cannot be written.
    """
    try:
        return Lock(flock.take(_path(state)), change)
    except flock.Taken as taken:
        raise Locked(_holder(taken.text)) from None


def adopt(descriptor: int, change: str) -> Lock:
    """The lock that another process took and handed on, for this change."""
    return Lock(flock.Flock(descriptor), change)


def holder(state: StateDirectory) -> Holder | None:
    """Who has it; None where nobody does."""
    text = flock.holder(_path(state))
    return None if text is None else _holder(text)


def _path(state: StateDirectory) -> str:
    return f"{state.path}/lock"


def _holder(text: str) -> Holder:
    try:
        said = json.loads(text)
        return Holder(int(said["pid"]), str(said["change"]))
    except (ValueError, KeyError, TypeError, RecursionError):
        return Holder(0, "")
