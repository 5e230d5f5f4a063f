"""Runs checks side by side. Each has a deadline of its own; one that crashes or hangs delays no other. Those
that judge the same answer share a thread: they would wait for it together anyway.

Threads, not asyncio: importing asyncio costs as much as the whole of `check ports`, and a thread that hangs
in a system call (a dead NFS mount, a stuck /proc file) can be left behind, a coroutine cannot.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

from mailcow_wizard.engine import limits
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.harmless import harmless
from mailcow_wizard.host.errors import Denied, HostError
from mailcow_wizard.language import _, ngettext
from mailcow_wizard.model import Check, Event, Evidence, Finding, Judgement

Listen = Callable[[Event], None]
Whole = Callable[[], Sequence[Check]]
Mark = Callable[[Sequence[Finding]], tuple[Finding, ...]]

# A signal that comes in the moment before a wait begins does not end it: so none is longer, in seconds.
_SIGNALS_S = 0.25


def join(check: Check, judgement: Judgement, duration: float = 0.0) -> Finding:
    """A finding from a check and what its judge said, made harmless to show; `duration` in seconds."""
    return Finding(
        id=check.id,
        subject=None if judgement.subject is None else harmless(judgement.subject),
        step=check.step,
        title=check.title,
        status=judgement.status,
        severity=judgement.severity or check.severity,
        certainty=judgement.certainty,
        summary=harmless(judgement.summary, 200),
        needed=harmless(judgement.needed or check.needed),
        found=harmless(judgement.found),
        why=harmless(judgement.why or check.why, 800),
        doc=judgement.doc or check.doc,
        evidence=tuple(Evidence(harmless(one.what), harmless(one.value)) for one in judgement.evidence),
        remedies=tuple(harmless(remedy, 800) for remedy in judgement.remedies),
        fixes=tuple(one._replace(title=harmless(one.title)) for one in judgement.fixes),
        duration_ms=round(duration * 1000),
        stops=judgement.stops,
        left_to_install=judgement.left_to_install,
    )


def look(check: Check, facts: Facts) -> tuple[Judgement, ...]:
    """Asks and judges, and turns every way of having no answer into words. Never raises.

    One judgement, or one for each subject.
    """
    try:
        return _mended(check, _judged(check, facts), facts)
    except Exception as error:
        return (_trouble(error),)


def _judged(check: Check, facts: Facts) -> tuple[Judgement, ...]:
    judged = check.judge(facts.get(check.source))
    return (judged,) if isinstance(judged, Judgement) else tuple(judged)


def _mended(check: Check, judgements: tuple[Judgement, ...], facts: Facts) -> tuple[Judgement, ...]:
    """The same with what can be done about them, for which more may be asked."""
    return tuple(one if one.status == "pass" else _with_fixes(check, one, facts) for one in judgements)


def _trouble(error: Exception) -> Judgement:
    """What is said of a check that ended with this."""
    if isinstance(error, Denied):
        remedies = (_("Run the wizard as root: sudo ./wizard"),)
        return Judgement(
            "unknown", _("needs root: {error}", error=error), certainty="untested", remedies=remedies
        )
    if isinstance(error, HostError):
        return _could_not_look(error, error.remedies)
    return _could_not_look(error) if limits.is_reached(error) else _crashed(error)


def _with_fixes(check: Check, judgement: Judgement, facts: Facts) -> Judgement:
    """Adds what can be done about it; imported here because most runs need none of it."""
    from mailcow_wizard.fixes import offers

    try:
        return judgement._replace(fixes=tuple(one.fix for one in offers(check.id, judgement, facts)))
    except HostError:
        return judgement


def _could_not_look(error: Exception, remedies: tuple[str, ...] = ()) -> Judgement:
    said = _("could not look: {error}", error=limits.in_words(error))
    return Judgement("unknown", said, certainty="untested", remedies=remedies)


def _crashed(error: Exception) -> Judgement:
    return Judgement(
        "crashed",
        _("the wizard made a mistake here: {name}: {error}", name=type(error).__name__, error=error),
        certainty="untested",
        remedies=(_("Report this to the authors of the wizard; the other checks are not affected."),),
    )


def _by_source(checks: Sequence[Check]) -> list[list[Check]]:
    """Those that judge the same answer, together."""
    groups: dict[object, list[Check]] = {}
    for check in checks:
        groups.setdefault(check.source, []).append(check)
    return list(groups.values())


def _quickness(check: Check) -> int:
    """What waits longest begins first: strangers' servers, then servers of names, which are near and share
    their answers, then this machine."""
    if not check.network:
        return 2
    return 1 if check.id.startswith("dns.") else 0


class _Results:
    """What the checks' threads found, as they end. Importing Python's `queue` for it would take a fortieth of
    `check ports`."""

    def __init__(self) -> None:
        self._came = threading.Condition()
        self._waiting: deque[tuple[str, tuple[Finding, ...]]] = deque()

    def add(self, name: str, found: tuple[Finding, ...]) -> None:
        """Called by a check's thread."""
        with self._came:
            self._waiting.append((name, found))
            self._came.notify()

    def next(self, patience: float) -> tuple[str, tuple[Finding, ...]] | None:
        """The next one; None where none comes within `patience` seconds."""
        with self._came:
            if not self._waiting:
                self._came.wait(patience)
            return self._waiting.popleft() if self._waiting else None


class Run:
    """One run of some checks over one store of facts. `listen` is called from the thread that runs `run`;
    `mark` adds to a check's findings what was acknowledged of them. `whole` gives all the checks, once those
    that are given here have begun: to import the others takes time, in which these wait already."""

    def __init__(
        self,
        checks: Sequence[Check],
        facts: Facts,
        listen: Listen,
        mark: Mark | None = None,
        whole: Whole | None = None,
    ) -> None:
        self._checks = checks
        self._whole = whole
        self._mark = mark
        self._facts = facts
        self._listen = listen
        self._results = _Results()
        self._failed: dict[str, bool] = {}

    def run(self) -> tuple[Finding, ...]:
        """Runs all; returns the findings in the order of the checks."""
        findings: dict[str, tuple[Finding, ...]] = {}
        waiting = list(self._checks)
        chosen = {check.id for check in self._checks}
        deadlines: dict[str, tuple[Check, float, float]] = {}
        while waiting or deadlines or self._whole:
            ready = sorted((one for one in waiting if self._ready(one, chosen)), key=_quickness)
            # Checks that wait for each other are let go all the same.
            for checks in _by_source(ready if ready or deadlines else list(waiting)):
                begun = []
                for check in checks:
                    waiting.remove(check)
                    skip = self._reason_to_skip(check)
                    if skip:
                        self._finish(check, Judgement("skipped", skip, certainty="untested"), findings)
                        continue
                    now = time.monotonic()
                    deadlines[check.id] = (check, now, now + (self._facts.settings.timeout or check.deadline))
                    self._listen(Event("started", check.id))
                    begun.append(check)
                if begun:
                    self._start(begun)
            if self._whole:
                self._checks, self._whole = self._whole(), None
                waiting += [one for one in self._checks if one.id not in chosen]
                chosen = {check.id for check in self._checks}
            elif deadlines:
                self._take_one(deadlines, findings)
        self._listen(Event("done"))
        return tuple(one for check in self._checks for one in findings[check.id])

    def _ready(self, check: Check, chosen: set[str]) -> bool:
        return all(name in self._failed for name in check.after if name in chosen)

    def _reason_to_skip(self, check: Check) -> str:
        if check.network and self._facts.settings.offline:
            return _("skipped: it sends packets, and --offline was given")
        failed = [name for name in check.after if self._failed.get(name)]
        if not failed:
            return ""
        return ngettext(
            "skipped: {failed} comes first",
            "skipped: {failed} come first",
            len(failed),
            failed=", ".join(failed),
        )

    def _start(self, checks: list[Check]) -> None:
        name = checks[0].id
        try:
            threading.Thread(target=self._work, args=(checks,), daemon=True, name=name).start()
        except RuntimeError as error:  # no more threads for this user
            for check in checks:
                self._results.add(check.id, (join(check, _could_not_look(error)),))

    def _work(self, checks: list[Check]) -> None:
        """Judges what shares an answer. What is not right, and not the last, has a thread of its own for what
        can be done about it: the others do not wait for that."""
        start = time.monotonic()
        for check in checks:
            try:
                judgements = _judged(check, self._facts)
            except Exception as error:
                self._end(check, (_trouble(error),), start)
                continue
            mend = partial(self._mend, check, judgements, start)
            if check is checks[-1] or all(one.status == "pass" for one in judgements):
                mend()
                continue
            try:
                threading.Thread(target=mend, daemon=True, name=check.id).start()
            except RuntimeError:
                mend()

    def _mend(self, check: Check, judgements: tuple[Judgement, ...], start: float) -> None:
        try:
            judgements = _mended(check, judgements, self._facts)
        except Exception as error:
            judgements = (_trouble(error),)
        self._end(check, judgements, start)

    def _end(self, check: Check, judgements: tuple[Judgement, ...], start: float) -> None:
        took = time.monotonic() - start
        try:
            found = tuple(join(check, one, took) for one in self._apart(check, judgements))
        except Exception as error:  # what the judge said has not the shape of a judgement
            found = (join(check, _crashed(error), took),)
        self._results.add(check.id, found)

    def _take_one(
        self, deadlines: dict[str, tuple[Check, float, float]], findings: dict[str, tuple[Finding, ...]]
    ) -> None:
        """Waits for the next result or the next deadline, whichever comes first."""
        next_deadline = min(end for _check, _start, end in deadlines.values())
        patience = min(_SIGNALS_S, max(0.0, next_deadline - time.monotonic()))
        result = self._results.next(patience)
        if result:
            if deadlines.pop(result[0], None):
                self._take(*result, findings)
            return
        now = time.monotonic()
        for check, start, _end in [late for late in deadlines.values() if late[2] <= now]:
            del deadlines[check.id]
            allowed = self._facts.settings.timeout or check.deadline
            late = Judgement(
                "unknown", _("no answer within {allowed:g} s", allowed=allowed), certainty="untested"
            )
            self._finish(check, late, findings, now - start, ask=False)

    def _finish(
        self,
        check: Check,
        judgement: Judgement,
        findings: dict[str, tuple[Finding, ...]],
        duration: float = 0.0,
        ask: bool = True,
    ) -> None:
        apart = self._apart(check, (judgement,), ask)
        self._take(check.id, tuple(join(check, one, duration) for one in apart), findings)

    def _apart(
        self, check: Check, judgements: tuple[Judgement, ...], ask: bool = True
    ) -> tuple[Judgement, ...]:
        """What could not be looked at has the subjects that it would have had."""
        if len(judgements) != 1 or judgements[0].certainty != "untested" or judgements[0].subject is not None:
            return judgements
        from mailcow_wizard.engine.subjects import known_beforehand

        return tuple(judgements[0]._replace(subject=one) for one in known_beforehand(check, self._facts, ask))

    def _take(self, name: str, found: tuple[Finding, ...], findings: dict[str, tuple[Finding, ...]]) -> None:
        findings[name] = found = self._mark(found) if self._mark else found
        self._failed[name] = any(one.status in ("fail", "skipped") for one in found)
        self._listen(Event("finished", name, found))
