"""The last run, kept for a report and for what has changed since.

A run of some checks replaces what was known of those only. Statuses are compared and nothing else, so that
measured values do not flap. What a monitoring system polls is no run to compare with: what it saw first would
be news to nobody who compares. Recorded machines have a memory of their own.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from mailcow_wizard.engine.findings import named_finding, nameless_finding
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.files.state import StateDirectory
from mailcow_wizard.language import STORED, current
from mailcow_wizard.model import Finding
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Any, TypeAlias

    Statuses: TypeAlias = dict[tuple[str, str | None], str]

_FILES = ("last-run", "last-run-recorded")
# From good to bad; what could not be found out is worse than a pass and better than a warning.
_ORDER = ("pass", "skipped", "unknown", "warn", "fail", "crashed")
_CALM = ("pass", "skipped")


class Difference(NamedTuple):
    """A finding whose status is another than in the run before; None where there was or is none."""

    id: str
    subject: str | None
    before: str | None
    after: str | None

    @property
    def worse(self) -> bool:
        """Whether this is bad news: worse than before, or new and not right."""
        if self.after in (None, *_CALM):
            return False
        return _ORDER.index(str(self.after)) > _ORDER.index(self.before or "skipped")


class Memory:
    """What is remembered of this machine, or of recorded ones."""

    def __init__(self, state: StateDirectory, recorded: bool) -> None:
        self._state = state
        self._name = _FILES[recorded]
        saved = state.load(self._name)
        kept = saved if isinstance(saved, dict) else {}
        run = kept.get("run")
        self._run: dict[str, Any] | None = run if isinstance(run, dict) else None
        self.language = str(kept.get("language") or STORED)
        """The language that its findings are told in."""
        self._statuses = _statuses(kept.get("statuses"))
        self._compared = _statuses(kept["compared"]) if "compared" in kept else self._statuses
        self._accepted = _statuses(kept.get("accepted"))

    @property
    def incomparable(self) -> bool:
        """Whether there is no run to compare with."""
        return not self._compared

    @property
    def empty(self) -> bool:
        """Whether nothing is remembered."""
        return not self._statuses

    @property
    def hostname(self) -> str:
        """The server's name in the last run; empty where there was none, or it is not known."""
        return str(self._run.get("hostname") or "") if self._run else ""

    def run(self) -> dict[str, Any] | None:
        """The document of the last run (`report.document.of_run`), None where there was none.

        Raises KeyError or TypeError where it is none of a run."""
        if self._run is None:
            return None
        return {**self._run, "checks": [named_finding(one) for one in self._run["checks"]]}

    def subjects(self, check: str) -> tuple[str | None, ...]:
        """The subjects that a check had when it was run last; empty where it was not."""
        return tuple(subject for id, subject in self._statuses if id == check)

    def differences(self, checks: Collection[str], findings: Sequence[Finding]) -> tuple[Difference, ...]:
        """What is different from the run before, of these checks, by id; what was not asked is new."""
        now = _now(findings)
        before = {key: status for key, status in self._compared.items() if key[0] in checks}
        changed = [key for key in {**now, **before} if now.get(key) != before.get(key)]
        return tuple(Difference(*key, before.get(key), now.get(key)) for key in changed)

    def counting_again(self, findings: Sequence[Finding]) -> tuple[Finding, ...]:
        """Those that were acknowledged in the run before, and are no more: as bad as they were, and news."""
        counting = (one for one in findings if one.acknowledged is None and one.status not in _CALM)
        return tuple(one for one in counting if (one.id, one.subject) in self._accepted)

    def keep(
        self, checks: Collection[str], findings: Sequence[Finding], run: dict[str, Any], polled: bool = False
    ) -> str:
        """Remembers a run of these checks, by id; why it could not be remembered, empty where it is."""
        self._statuses = {**_others(self._statuses, checks), **_now(findings)}
        if not polled:
            self._compared = {**_others(self._compared, checks), **_now(findings)}
            accepted = [one for one in findings if one.acknowledged is not None]
            self._accepted = {**_others(self._accepted, checks), **_now(accepted)}
        self._run = {**run, "checks": [nameless_finding(one) for one in run["checks"]]}
        self.language = current()
        try:
            # Not waiting for the disk: what a power cut takes away here is asked again.
            kept = {"run": self._run, "statuses": _rows(self._statuses), "language": current()}
            if self._compared != self._statuses:
                kept["compared"] = _rows(self._compared)
            if self._accepted:
                kept["accepted"] = _rows(self._accepted)
            self._state.save(self._name, kept, durable=False)
        except HostError as error:
            return str(error)
        return ""


def _now(findings: Sequence[Finding]) -> Statuses:
    return {(one.id, one.subject): one.status for one in findings}


def _others(statuses: Statuses, checks: Collection[str]) -> Statuses:
    return {key: status for key, status in statuses.items() if key[0] not in checks}


def _rows(statuses: Statuses) -> list[list[str | None]]:
    return [[*key, status] for key, status in statuses.items()]


def _statuses(rows: object) -> Statuses:
    kept: Statuses = {}
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, list) and len(row) == 3 and row[2] in _ORDER:
            id, subject, status = row
            if isinstance(id, str) and isinstance(subject, str | None):
                kept[id, subject] = status
    return kept
