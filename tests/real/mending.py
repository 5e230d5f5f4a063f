"""Fixes applied somewhere and taken back, and what a machine looks like, to be compared."""

import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from lab.inside import Inside, wait_until

SCRIPT = "tests/lab/mend.py"

# Everything that a fix could have left behind: files and directories with mode and owner, links, contents.
_FILES = r"""
find "$@" -printf '%y %m %U %G %p %l\n' | sort
find "$@" -type f -print0 | sort -z | xargs -0 sha256sum
"""


class Snapshot(NamedTuple):
    """What a machine looks like: its files, its units (enabled, active), its listeners."""

    files: str
    units: str
    listeners: str


class Mender:
    """Fixes somewhere. `python` and `checkout` are as they are called there; `directory` is mailcow's;
    `before` is written before each command."""

    def __init__(
        self,
        place: Inside,
        python: str,
        checkout: str,
        directory: str,
        state: str,
        before: Sequence[str] = (),
    ) -> None:
        self.place = place
        self._argv = (*before, python, f"{checkout}/{SCRIPT}", directory, state)
        self._env = {"PYTHONPATH": checkout}

    def ask(self, *words: str) -> Any:
        """What the script answers."""
        done = self.place.run([*self._argv, *words], env=self._env, timeout=300)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def offered(self, check: str) -> list[str]:
        """The ids of the fixes on offer, best first."""
        return [one["id"] for one in self.ask("list", check)]

    def risk(self, check: str, fix: str) -> str:
        """The risk that a fix is offered with."""
        return next(str(one["risk"]) for one in self.ask("list", check) if one["id"] == fix)

    def plan(self, check: str, fix: str) -> dict[str, Any]:
        """A plan, or why there is none (`refused`)."""
        found: dict[str, Any] = self.ask("plan", check, fix)
        return found

    def apply(self, check: str, fix: str) -> dict[str, Any]:
        """Applies a fix, which has to end well: the check passes by itself."""
        ended: dict[str, Any] = self.ask("apply", check, fix)
        assert (ended.get("state"), ended.get("status")) == ("applied", "pass"), ended
        return ended

    def undo(self, change: str) -> dict[str, Any]:
        """Takes a change back, which has to end well."""
        ended: dict[str, Any] = self.ask("undo", change)
        assert ended.get("state") == "undone", ended
        return ended

    def there_and_back(
        self,
        check: str,
        fix: str,
        look: Callable[[], Snapshot],
        meanwhile: Callable[[], None] = lambda: None,
    ) -> None:
        """Applies a fix and takes it back; the machine looks as before, and differs in between."""
        before = look()
        change = self.apply(check, fix)["change"]
        assert look() != before
        meanwhile()
        self.undo(change)
        # Servers take up their configuration, and services their sockets, a moment after systemctl returns.
        wait_until(lambda: look() == before, 10)
        after = look()
        assert after.units == before.units
        assert after.listeners == before.listeners
        assert after.files == before.files


def snapshot(
    place: Inside, *units: str, directories: Sequence[str] = ("/etc", "/srv"), init: bool = True
) -> Snapshot:
    """The state of a machine; of processes nothing is kept that a restart changes."""
    files = place.run(["bash", "-c", _FILES, "files", *directories], timeout=60, check=True).stdout
    asked = [["systemctl", verb, unit] for unit in units for verb in ("is-enabled", "is-active")]
    states = [f"{' '.join(argv)}: {place.run(argv).stdout.strip()}" for argv in asked if init]
    sockets = (line.split()[3] for line in place.run(["ss", "-Hltn"], check=True).stdout.splitlines())
    return Snapshot(files, "\n".join(states), "\n".join(sorted(sockets)))


def commands(plan: dict[str, Any]) -> list[str]:
    """A plan's commands as lines."""
    return [" ".join(one["command"]) for one in plan["steps"] if "command" in one]


def edits(plan: dict[str, Any]) -> list[str]:
    """The files that a plan edits."""
    return [one["edit"] for one in plan["steps"] if "edit" in one]


def words(plan: dict[str, Any]) -> str:
    """All that a plan says to a person."""
    said = [one["manual"] for one in plan["steps"] if "manual" in one]
    return "\n".join([plan["title"], plan["consequence"], plan["interrupts"], *said])
