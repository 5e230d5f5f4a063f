"""Acknowledgements: somebody has seen a finding and accepts it, for a reason and until a day.

A finding stays what it is and stays shown; it only no longer counts in exit codes and verdicts.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence

from mailcow_wizard.host import invoker
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.host.files import flock
from mailcow_wizard.host.files.state import StateDirectory
from mailcow_wizard.language import _
from mailcow_wizard.model import Acknowledgement, Finding
from mailcow_wizard.patterns import pattern
from mailcow_wizard.typed import NamedTuple

_FILE = "acknowledgements"
_PATIENCE_S = 10.0
_STATUSES = ("warn", "fail", "unknown")
_DAY = pattern(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Entry(NamedTuple):
    """What is accepted: a check and one of its subjects, or all of them (None)."""

    check: str
    subject: str | None
    acknowledgement: Acknowledgement

    @property
    def key(self) -> tuple[str, str | None]:
        """What tells it from others."""
        return self.check, self.subject


class NotADay(ValueError):
    """It is no day on which an acknowledgement can end; the text says why."""


def read_day(text: str, today: str) -> str:
    """A day to come, as `2027-01-31`. Raises NotADay."""
    try:
        parsed = time.strptime(text, "%Y-%m-%d")
    except ValueError:
        raise NotADay(_("'{text}' is not a day such as 2027-01-31", text=text[:40])) from None
    # Days are compared as text, and strftime writes the year 999 with three digits.
    day = f"{parsed.tm_year:04}-{parsed.tm_mon:02}-{parsed.tm_mday:02}"
    if day < today:
        raise NotADay(_("{day} is over: in UTC it is {today}", day=day, today=today))
    return day


def holds(until: str | None, day: str) -> bool:
    """Whether what is acknowledged until then holds on this day; `until` may have been written by hand, and
    nobody knows when that ends which is no day."""
    return until is None or (bool(_DAY.fullmatch(until)) and until >= day)


def today() -> str:
    """Today in UTC, as `2026-11-27`."""
    return time.strftime("%Y-%m-%d", time.gmtime(invoker.now()))


def acknowledgement(reason: str, until: str | None) -> Acknowledgement:
    """One made now by whoever runs this."""
    at = invoker.utc(invoker.now())
    return Acknowledgement(reason, invoker.name(), at, until)


class Acknowledgements:
    """Those that are kept in a state directory, also those that are over; `given` counts beside them."""

    def __init__(self, state: StateDirectory, given: Sequence[Entry] = ()) -> None:
        self._state = state
        self._given = tuple(given)
        self.entries: tuple[Entry, ...] = _read(state.load(_FILE))

    def of(self, check: str, subject: str | None) -> Acknowledgement | None:
        """The one that holds today for this finding: that of its subject before that of all."""
        day = today()
        for wanted in ((check, subject), (check, None)):
            for one in (*self._given, *self.entries):
                if one.key == wanted and holds(one.acknowledgement.until, day):
                    return one.acknowledgement
        return None

    def mark(self, findings: Sequence[Finding]) -> tuple[Finding, ...]:
        """The findings, with what was acknowledged of them; what is right needs none."""
        if not self.entries and not self._given:
            return tuple(findings)
        return tuple(
            one._replace(acknowledged=self.of(one.id, one.subject)) if one.status in _STATUSES else one
            for one in findings
        )

    def over(self, findings: Sequence[Finding]) -> tuple[Entry, ...]:
        """Those whose day is over, and whose findings count again."""
        day = today()
        ended = [one for one in self.entries if not holds(one.acknowledgement.until, day)]
        counting = [one for one in findings if one.status in _STATUSES and one.acknowledged is None]
        return tuple(
            one
            for one in ended
            if any(one.key in ((finding.id, finding.subject), (finding.id, None)) for finding in counting)
        )

    def put(self, entry: Entry) -> None:
        """Keeps it, in the place of an earlier one. Raises HostError where it cannot be written."""
        with self._alone():
            self._save((*(one for one in self.entries if one.key != entry.key), entry))

    def take_over(self, given: Sequence[Entry]) -> None:
        """Keeps these; what is kept with the same words already stays as it is. Raises HostError."""
        for one in given:
            kept = next((entry.acknowledgement for entry in self.entries if entry.key == one.key), None)
            new = one.acknowledgement
            if kept is None or (kept.reason, kept.until) != (new.reason, new.until):
                self.put(one)

    def remove(self, check: str, subject: str | None) -> bool:
        """Forgets it; False where there is none. Raises HostError where it cannot be written."""
        if not any(one.key == (check, subject) for one in self.entries):
            return False
        with self._alone():
            self._save(tuple(one for one in self.entries if one.key != (check, subject)))
        return True

    def trouble(self) -> str:
        """Why what is kept cannot be read; empty where it can."""
        if not self._state.has(_FILE) or isinstance(self._state.load(_FILE), list):
            return ""
        path = f"{self._state.path}/{_FILE}.json"
        return _("{path} cannot be read, and stays as it is; move it away to begin anew", path=path)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Nobody else writes meanwhile, and `entries` are those that are kept at this moment."""
        with contextlib.closing(flock.take(f"{self._state.path}/{_FILE}.lock", _PATIENCE_S)):
            trouble = self.trouble()
            if trouble:
                raise HostError(trouble)
            self.entries = _read(self._state.load(_FILE))
            yield

    def _save(self, entries: tuple[Entry, ...]) -> None:
        rows = [
            {"check": one.check, "subject": one.subject, **one.acknowledgement._asdict()} for one in entries
        ]
        kept = self._state.load(_FILE)
        strange = [one for one in kept if _entry(one) is None] if isinstance(kept, list) else []
        # A newer wizard may have written rows that are not understood here.
        self._state.save(_FILE, [*rows, *strange])
        self.entries = entries


def _read(saved: object) -> tuple[Entry, ...]:
    """The entries of the file, as far as they have the shape that they should have."""
    rows = saved if isinstance(saved, list) else []
    return tuple(entry for row in rows if (entry := _entry(row)))


def _entry(row: object) -> Entry | None:
    if not isinstance(row, dict):
        return None
    texts = [row.get(name) for name in ("check", "reason", "by", "at")]
    check, reason, by, at = (one if isinstance(one, str) else "" for one in texts)
    subject, until = row.get("subject"), row.get("until")
    if not check or not reason or not isinstance(subject, str | None) or not isinstance(until, str | None):
        return None
    return Entry(check, subject, Acknowledgement(reason, by, at, until))
