"""What the screens show: steps, their rows, where the cursor is. Knows nothing of Textual."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from mailcow_wizard import checks
from mailcow_wizard.language import _
from mailcow_wizard.model import SEVERITIES, STEP_OF_TOPIC, STEPS, Event, Finding, Listed, Step
from mailcow_wizard.typed import NamedTuple

WELCOME = Step("welcome", _("Welcome"), _("what this is, and what the server is called"))
SUMMARY = Step("summary", _("Summary"), _("what blocks, what to mend next, what was not looked at"))

INSTALL = "install"
"""The step whose rows are the stages of an install, and no checks."""

_URGENT = ("crashed", "fail", "warn", "unknown")
"""What asks for somebody's attention, in this order."""
_WORST_FIRST = (
    *_URGENT,
    *("running", "working", "noted", "waiting"),
    *("skipped", "pass"),
)


class Row(NamedTuple):
    """One line of a list: a check, and its finding once there is one; or a stage of an install, whose state
    is `told`."""

    check: Listed
    finding: Finding | None
    told: str = ""

    @property
    def status(self) -> str:
        """The finding's status; `running` while there is none, `noted` where it was acknowledged."""
        if self.told or self.finding is None:
            return self.told or "running"
        return self.finding.status if self.finding.acknowledged is None else "noted"

    @property
    def shown(self) -> str:
        """The status as the list shows it: what fails and stops an install is told apart."""
        stops = self.status == "fail" and not self.told and self.finding is not None
        return "blocks" if stops and self.finding and self.finding.severity == "blocks" else self.status


class Board:
    """Steps and findings of this sitting."""

    def __init__(self, steps: Sequence[str], offline: bool = False) -> None:
        """Steps by id; their checks come with `add`. `offline`: what is skipped may be there all the same."""
        self._offline = offline
        self._checks: dict[str, Listed] = {}
        self._by_step: dict[str, list[Listed]] = {}
        self._findings: dict[str, tuple[Finding, ...]] = {}
        self._before: dict[str, tuple[Finding, ...]] = {}
        self.stages: Sequence[Row] = ()
        self._counted: dict[str, Counter[str]] = {}
        self._runs = 0
        self._run_of: dict[str, int] = {}
        present = set(steps)
        self.steps: tuple[Step, ...] = (WELCOME, *(one for one in STEPS if one.id in present), SUMMARY)
        self.not_looked_at: tuple[Step, ...] = tuple(one for one in STEPS if one.id not in present)

    def add(self, checks: Sequence[Listed]) -> None:
        """Adds checks that are new, whose rows are `running` until something is heard of them."""
        for check in checks:
            if check.id in self._checks:
                continue
            self._checks[check.id] = check
            self._by_step.setdefault(check.step, []).append(check)
        self._counted.clear()

    def ask(self, checks: Iterable[Listed]) -> int:
        """These run again: their rows are `running` from now on. The number of that run, for `hear`."""
        self._counted.clear()
        self._runs += 1
        for check in checks:
            self._forget(check.id)
            self._run_of[check.id] = self._runs
        return self._runs

    def hear(self, event: Event, run: int = 0) -> None:
        """Takes up what the runner says; of a check that was asked again since, the older answer counts no
        more: it may be of the time before a change. `run` is its number, 0 the first one's."""
        if run < self._run_of.get(event.check, 0):
            return
        self._counted.clear()
        if event.kind == "started":
            self._forget(event.check)
        elif event.kind == "finished":
            self._findings[event.check] = event.findings

    def keep(self, checks: Iterable[Listed]) -> None:
        """They do not run again after all: what was found before counts."""
        self._counted.clear()
        for check in checks:
            if before := self._before.get(check.id):
                self._findings[check.id] = before

    def _forget(self, check: str) -> None:
        if found := self._findings.pop(check, ()):
            self._before[check] = found

    def mark(self, mark: Callable[[Sequence[Finding]], tuple[Finding, ...]]) -> None:
        """Renews what is acknowledged of the findings."""
        self._counted.clear()
        for check, findings in self._findings.items():
            self._findings[check] = mark([one._replace(acknowledged=None) for one in findings])

    def checks(self) -> tuple[Listed, ...]:
        """All checks, in the order of the steps."""
        return tuple(self._checks.values())

    def checks_of(self, step: str) -> tuple[Listed, ...]:
        """The checks of a step."""
        return tuple(self._by_step.get(step, ()))

    def rows(self, step: str) -> list[Row]:
        """The lines of a step; of the summary: all that is not right, worst first."""
        if step == SUMMARY.id:
            return self._to_mend()
        if step == INSTALL:
            return list(self.stages)
        return [row for check in self.checks_of(step) for row in self._rows_of(check)]

    def _rows_of(self, check: Listed) -> list[Row]:
        return [Row(check, finding) for finding in self._findings.get(check.id, ())] or [Row(check, None)]

    def _to_mend(self) -> list[Row]:
        rows = [row for check in self._checks.values() for row in self._rows_of(check)]
        return sorted((row for row in rows if row.status not in ("pass", "skipped")), key=self._urgency)

    def _urgency(self, row: Row) -> tuple[int, int]:
        """Its place in the summary; what runs again stays where it was, and the cursor with it."""
        before = () if row.finding else self._before.get(row.check.id, ())
        return min((_urgency(Row(row.check, one)) for one in before), default=_urgency(row))

    def skipped(self) -> list[Row]:
        """The checks that were not made, for none of their subjects."""
        by_check = [self._rows_of(check) for check in self._checks.values()]
        return [rows[0] for rows in by_check if all(row.status == "skipped" for row in rows)]

    def unanswered(self) -> tuple[Listed, ...]:
        """The checks that have no finding yet."""
        return tuple(check for id, check in self._checks.items() if id not in self._findings)

    def left(self) -> tuple[Listed, ...]:
        """The checks without a finding that were asked only once: of those that were asked again an answer is
        on its way."""
        return tuple(check for check in self.unanswered() if check.id not in self._run_of)

    @property
    def is_elsewhere(self) -> bool:
        """Whether this machine's mailcow is in another directory than is looked at, and none is
        installed: the one advice that the check of mailcow.conf has."""
        return any(one.severity == "advice" for one in self._findings.get("config.present", ()))

    def running(self) -> int:
        """How many checks have no finding yet."""
        return len(self.unanswered())

    @property
    def answered(self) -> bool:
        """Whether the checks are known, and each has a finding."""
        return bool(self._checks) and not self.running()

    def counts(self, step: str = "") -> Counter[str]:
        """How many rows have each status, in a step or in all that have checks."""
        if step == INSTALL:
            return Counter(row.status for row in self.stages)
        if step not in self._counted:
            self._counted[step] = self._count(step)
        return self._counted[step]

    def _count(self, step: str) -> Counter[str]:
        with_checks = [one.id for one in self.steps[1:-1] if one.id != INSTALL]
        steps = [step] if step and step != SUMMARY.id else with_checks
        return Counter(row.status for one in steps for row in self.rows(one))

    def state(self, step: str) -> str:
        """A step's state is its worst row's; `none` where there are no rows.

        What is skipped because it is not there (IPv6, say) stops no install and is nothing to mend, so a step
        most of whose rows pass has passed; with no packet sent it was not looked at, and that is no pass.
        """
        if step == WELCOME.id:
            return "none"
        if step == INSTALL and not self.stages:
            return "waiting"
        if not self._checks:
            return "running"
        counts = self.counts(step)
        found = worst(counts)
        mostly = counts["pass"] > counts["skipped"] and not self._offline
        return "pass" if found == "skipped" and mostly else found

    def findings(self) -> tuple[Finding, ...]:
        """All findings so far, in the order of the steps."""
        return tuple(one for check in self._checks for one in self._findings.get(check, ()))


def new_board(offline: bool = False) -> Board:
    """The steps of this wizard, with no check in them yet."""
    return Board([*(STEP_OF_TOPIC.get(topic, topic) for topic in checks.TOPICS), INSTALL], offline)


def worst(counts: "Counter[str] | Iterable[str]") -> str:
    """The worst of some statuses."""
    present = set(counts)
    return next((status for status in _WORST_FIRST if status in present), "none")


def most_urgent(rows: Sequence[Row]) -> int | None:
    """The first of the rows that most need attention, by its number; None where none does."""
    urgent = [number for number, row in enumerate(rows) if row.status in _URGENT]
    return min(urgent, key=lambda number: _urgency(rows[number]), default=None)


def _urgency(row: Row) -> tuple[int, int]:
    severity = row.finding.severity if row.finding else row.check.severity
    return (_WORST_FIRST.index(row.status), SEVERITIES.index(severity))
