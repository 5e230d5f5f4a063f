"""Fixes applied somewhere and taken back, and what a machine looks like, to be compared."""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from lab.inside import Inside

SCRIPT = "tests/lab/mend.py"

# Everything that a fix could have left behind: files with their modes, links, units, sockets.
_FILES = r"""
find -H "$@" \( -type f -o -type l \) ! -name '*.dpkg-*' -print0 | sort -z | while IFS= read -r -d '' one; do
    if [ -L "$one" ]; then printf '%s -> %s\n' "$one" "$(readlink "$one")"
    else printf '%s %s %s\n' "$(stat -c '%a %u %g' "$one")" "$(sha256sum < "$one")" "$one"; fi
done
"""


class Mender:
    """Fixes somewhere. `python` and `checkout` are as they are called there; `directory` is mailcow's."""

    def __init__(
        self,
        place: Inside,
        python: str,
        checkout: str,
        directory: str,
        state: str,
        before: Sequence[str] = (),
    ) -> None:
        self._place = place
        self._argv = (*before, python, f"{checkout}/{SCRIPT}", directory, state)
        self._env = {"PYTHONPATH": checkout}

    def ask(self, *words: str) -> Any:
        """What the script answers."""
        done = self._place.run([*self._argv, *words], env=self._env, timeout=120)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def offered(self, check: str) -> list[str]:
        """The ids of the fixes on offer, best first."""
        return [one["id"] for one in self.ask("list", check)]

    def plan(self, check: str, fix: str) -> dict[str, Any]:
        """A plan, or why there is none (`refused`)."""
        found: dict[str, Any] = self.ask("plan", check, fix)
        return found

    def apply(self, check: str, fix: str) -> dict[str, Any]:
        """How applying it ended; it has to end well."""
        ended: dict[str, Any] = self.ask("apply", check, fix)
        assert ended.get("state") == "applied", ended
        return ended

    def undo(self, change: str) -> dict[str, Any]:
        """How taking it back ended; it has to end well."""
        ended: dict[str, Any] = self.ask("undo", change)
        assert ended.get("state") == "undone", ended
        return ended


class Snapshot(NamedTuple):
    """What a machine looks like: its files (mode, owner, content), its units, its listeners."""

    files: str
    units: str
    listeners: str


def snapshot(place: Inside, units: Sequence[str], directories: Sequence[str] = ("/etc", "/srv")) -> Snapshot:
    """The state of a machine; of processes nothing is kept that a restart changes."""
    files = place.run(["bash", "-c", _FILES, "files", *directories], timeout=60, check=True).stdout
    states = [
        f"{unit} {place.run(['systemctl', 'is-enabled', unit]).stdout.strip()} "
        f"{place.run(['systemctl', 'is-active', unit]).stdout.strip()}"
        for unit in units
    ]
    sockets = (line.split()[3] for line in place.run(["ss", "-Hltn"], check=True).stdout.splitlines())
    return Snapshot(files, "\n".join(states), "\n".join(sorted(sockets)))


def commands(plan: dict[str, Any]) -> list[str]:
    """A plan's commands as lines."""
    return [" ".join(one["command"]) for one in plan["steps"] if "command" in one]


def words(plan: dict[str, Any]) -> str:
    """All that a plan says to a person."""
    said = [one["manual"] for one in plan["steps"] if "manual" in one]
    return "\n".join([plan["title"], plan["consequence"], plan["interrupts"], *said])
