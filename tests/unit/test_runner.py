"""Checks run side by side: none delays, breaks or hides another, and each result is told once, in words."""

import errno
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from fake_host import FakeHost

from mailcow_wizard import fixes
from mailcow_wizard.engine import runner
from mailcow_wizard.engine.runner import Run, join
from mailcow_wizard.facts.dns.mail_server import NoName
from mailcow_wizard.facts.identity import SAY_HOSTNAME
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import Denied, HostError, Missing, NoAnswer, TooLarge
from mailcow_wizard.model import Check, Event, Evidence, Finding, Judgement, Settings

pytestmark = pytest.mark.timed

PASS = Judgement("pass", "all right")


def check(
    name: str, source: Callable[[Facts], Any] = lambda facts: None, says: Any = PASS, **fields: Any
) -> Check:
    """A check whose judge always says the same; a callable `says` is the judge."""
    judge = says if callable(says) else lambda facts: says
    return Check(name, "title", "needed", "why", "https://example.org", "breaks", source, judge, **fields)


def run(*checks: Check, **settings: Any) -> tuple[dict[str, Finding], list[Event]]:
    """The findings by id, and every event."""
    events: list[Event] = []
    findings = Run(checks, Facts(FakeHost(), Settings(**settings)), events.append).run()
    assert [one.id for one in findings] == [one.id for one in checks]
    return {one.id: one for one in findings}, events


@contextmanager
def within(seconds: float, at_least: float = 0.0) -> Iterator[None]:
    """What happens inside takes this long."""
    begin = time.monotonic()
    yield
    assert at_least <= time.monotonic() - begin < seconds


def sleeping(seconds: float) -> Callable[[Facts], None]:
    """A source of its own that takes this long."""
    return lambda facts: time.sleep(seconds)


def raising(error: BaseException) -> Callable[[Any], Any]:
    """A source, or a judge, that ends with this."""

    def source(_: Any) -> Any:
        raise error

    return source


@pytest.fixture
def hang() -> Iterator[Callable[[Facts], None]]:
    """A source that hangs until the test is over."""
    over = threading.Event()
    yield lambda facts: over.wait(30) and None
    over.set()


def test_side_by_side() -> None:
    with within(1.2, at_least=0.2):
        found, _ = run(*(check(f"a.{number}", sleeping(0.2)) for number in range(10)))
    assert {one.status for one in found.values()} == {"pass"}


def test_one_source_is_asked_once_for_all() -> None:
    asked: list[Facts] = []

    def source(facts: Facts) -> None:
        time.sleep(0.05)
        asked.append(facts)

    run(*(check(f"a.{number}", source) for number in range(10)))
    assert len(asked) == 1


def test_one_source_that_fails_is_asked_once_and_fails_for_all() -> None:
    asked: list[Facts] = []

    def source(facts: Facts) -> None:
        asked.append(facts)
        raise Denied("/x")

    found, _ = run(*(check(f"a.{number}", source) for number in range(5)))
    assert len(asked) == 1
    assert {one.summary for one in found.values()} == {"needs root: /x"}


def test_hang_ends_at_its_own_deadline_and_delays_nobody(hang: Callable[[Facts], None]) -> None:
    checks = (
        check("a.hang", hang, deadline=0.4),
        check("a.long", sleeping(0.2), deadline=5),
        check("a.quick"),
        check("a.short", hang, deadline=0.1),
    )
    events: list[tuple[str, float]] = []
    begin = time.monotonic()

    def listen(event: Event) -> None:
        if event.kind == "finished":
            events.append((event.check, time.monotonic() - begin))

    findings = Run(checks, Facts(FakeHost()), listen).run()
    order = [name for name, _ in events]
    assert order == ["a.quick", "a.short", "a.long", "a.hang"]
    when = dict(events)
    assert when["a.short"] >= 0.1
    assert when["a.long"] >= 0.2
    assert 0.4 <= when["a.hang"] < 2
    assert [one.status for one in findings] == ["unknown", "pass", "pass", "unknown"]
    assert findings[0].summary == "no answer within 0.4 s"
    assert findings[0].certainty == "untested"
    assert findings[0].duration_ms >= 400


def test_a_hanging_source_shared_by_two_lets_a_third_through(hang: Callable[[Facts], None]) -> None:
    found, _ = run(check("a.1", hang, deadline=0.1), check("a.2", hang, deadline=0.1), check("a.3"))
    assert [one.status for one in found.values()] == ["unknown", "unknown", "pass"]


def test_what_share_an_answer_share_a_thread_and_none_waits_for_anothers_fixes(
    hang: Callable[[Facts], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[str] = []

    def judge(_: Any) -> Judgement:
        threads.append(threading.current_thread().name)
        return PASS

    monkeypatch.setattr(fixes, "offers", lambda name, judgement, facts: hang(facts) or ())
    bad = Judgement("fail", "wrong")
    shared = [check("a.1", says=judge), check("a.2", says=bad, deadline=0.1), check("a.3", says=judge)]
    with within(1.0):
        found, _ = run(*shared)
    assert [one.status for one in found.values()] == ["pass", "unknown", "pass"]
    assert threads == ["a.1", "a.1"]


def test_without_a_thread_for_fixes_they_are_looked_for_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    start, refuse = threading.Thread.start, raising(RuntimeError("can't start new thread"))
    monkeypatch.setattr(
        threading.Thread, "start", lambda thread: (refuse if thread.name == "a.2" else start)(thread)
    )
    bad = Judgement("fail", "wrong")
    found, _ = run(check("a.1", says=bad), check("a.2", says=bad, deadline=2), check("a.3", says=bad))
    assert [one.status for one in found.values()] == ["fail", "fail", "fail"]


def test_timeout_replaces_every_deadline(hang: Callable[[Facts], None]) -> None:
    with within(1.0):
        found, _ = run(check("a.1", hang, deadline=60), timeout=0.1)
    assert found["a.1"].summary == "no answer within 0.1 s"
    found, _ = run(check("a.2", sleeping(0.2), deadline=0.05), timeout=5.0)
    assert found["a.2"].status == "pass"


def test_late_result_is_ignored() -> None:
    late = threading.Event()
    events: list[Event] = []
    checks = (
        check("a.late", lambda facts: late.wait(5), deadline=0.05),
        check("a.other", lambda facts: (time.sleep(0.15), late.set(), time.sleep(0.15)), deadline=5),
    )
    findings = Run(checks, Facts(FakeHost()), events.append).run()
    assert [one.status for one in findings] == ["unknown", "pass"]
    assert [one.check for one in events if one.kind == "finished"] == ["a.late", "a.other"]


CRASHES: dict[str, Check] = {
    "source": check("a.crash", raising(ZeroDivisionError("division"))),
    "judge": check("a.crash", says=raising(KeyError("x"))),
    "recursion": check("a.crash", says=raising(RecursionError("deep"))),
    "memory": check("a.crash", says=raising(MemoryError())),
    "nothing judged": check("a.crash", says=lambda facts: None),
    "no text": check("a.crash", says=Judgement("pass", 5)),  # type: ignore[arg-type]
    "no evidence": check("a.crash", says=Judgement("pass", "x", evidence=("ss",))),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("name", CRASHES)
def test_crash_is_ours_and_the_others_run(name: str) -> None:
    found, events = run(check("a.first"), CRASHES[name], check("a.last", sleeping(0.05)))
    assert [one.status for one in found.values()] == ["pass", "crashed", "pass"]
    crashed = found["a.crash"]
    assert "the wizard made a mistake" in crashed.summary
    assert crashed.remedies
    assert crashed.certainty == "untested"
    assert events[-1] == Event("done")


@pytest.mark.parametrize(
    ("error", "summary"),
    [
        (Denied("/x may not be read by this user"), "needs root: /x may not be read by this user"),
        (Missing("/x is not there"), "could not look: /x is not there"),
        (NoAnswer("ss did not end within 5 s"), "could not look: ss did not end within 5 s"),
        (TooLarge("/x is larger"), "could not look: /x is larger"),
        (HostError("/x: Input/output error"), "could not look: /x: Input/output error"),
    ],
)
def test_no_answer_is_unknown(error: HostError, summary: str) -> None:
    found, _ = run(check("a.1", raising(error)), check("a.2"))
    assert (found["a.1"].status, found["a.1"].summary) == ("unknown", summary)
    assert found["a.1"].certainty == "untested"
    assert found["a.2"].status == "pass"


def test_what_mends_a_missing_answer_is_said_where_it_is_known() -> None:
    found, _ = run(check("a.1", raising(NoName("nameless"))), check("a.2", raising(HostError("broken"))))
    assert found["a.1"].remedies == (SAY_HOSTNAME,)
    assert found["a.2"].remedies == ()


@pytest.mark.parametrize("status", ["fail", "pass", "warn", "unknown", "crashed", "skipped"])
def test_what_comes_after(status: str) -> None:
    judgement: Any = raising(ValueError()) if status == "crashed" else Judgement(status, "said")  # type: ignore[arg-type]
    looked = []
    checks = (
        check("a.2", looked.append, after=("a.1",)),
        check("a.1", sleeping(0.05), judgement),
        check("a.3", after=("a.2",)),
    )
    found, events = run(*checks)
    skipped = status in ("fail", "skipped")
    assert bool(looked) is not skipped
    assert found["a.2"].status == ("skipped" if skipped else "pass")
    assert [one.check for one in events if one.kind == "finished"] == ["a.1", "a.2", "a.3"]
    if skipped:
        assert found["a.2"].summary == "skipped: a.1 comes first"
        assert found["a.3"].summary == "skipped: a.2 comes first"


def test_what_comes_after_something_that_was_not_chosen_runs() -> None:
    found, _ = run(check("a.2", after=("a.1", "b.1")))
    assert found["a.2"].status == "pass"


@pytest.mark.parametrize("circle", [("a.1",), ("a.2", "a.1"), ("a.2", "a.3", "a.1")])
def test_checks_that_wait_for_each_other_end(circle: tuple[str, ...]) -> None:
    checks = [check(f"a.{number}", after=(name,)) for number, name in enumerate(circle, 1)]
    done: list[Any] = []
    thread = threading.Thread(target=lambda: done.append(run(*checks)), daemon=True)
    thread.start()
    thread.join(2)
    assert done
    assert {one.status for one in done[0][0].values()} == {"pass"}


def test_offline_sends_nothing() -> None:
    asked: list[Facts] = []
    found, events = run(check("a.1", asked.append, network=True), check("a.2"), offline=True)
    assert not asked
    assert found["a.1"].status == "skipped"
    assert "--offline" in found["a.1"].summary
    assert found["a.2"].status == "pass"
    assert Event("started", "a.1") not in events
    run(check("a.1", asked.append, network=True))
    assert asked


def test_events() -> None:
    found, events = run(check("a.1", sleeping(0.1)), check("a.2"), check("a.3", raising(Missing("x"))))
    assert [one.kind for one in events[:3]] == ["started"] * 3
    for name, finding in found.items():
        kinds = [one.kind for one in events if one.check == name]
        assert kinds == ["started", "finished"]
        assert next(one for one in events if one.kind == "finished" and one.check == name).findings == (
            finding,
        )
    assert [one.kind for one in events].count("done") == 1
    assert events[-1] == Event("done")


def test_nothing_to_do() -> None:
    assert run() == ({}, [Event("done")])


def test_listener_hears_in_the_thread_that_runs() -> None:
    threads = set()
    Run([check("a.1")], Facts(FakeHost()), lambda event: threads.add(threading.get_ident())).run()
    assert threads == {threading.get_ident()}


def test_no_more_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(runner.threading.Thread, "start", refuse)
    found, _ = run(check("a.1"), check("a.2"))
    assert {one.status for one in found.values()} == {"unknown"}
    assert "may have no more threads" in found["a.1"].summary


def test_no_more_threads_for_a_source() -> None:
    """The kernel itself refuses one with a stack that no address space holds."""

    def source(facts: Facts) -> None:
        usual = threading.stack_size(1 << 46)
        try:
            threading.Thread(target=lambda: None).start()
        finally:
            threading.stack_size(usual)

    found, _ = run(check("a.1", source))
    assert (found["a.1"].status, found["a.1"].certainty) == ("unknown", "untested")


HOSTILE = {
    "escape": "\x1b]0;x\x07\x1b[2J",
    "newlines": "a\r\nb\nc",
    "bidi": "a\u202eb\u2066",
    "markup": "[red]x[/red] [link=file:///x]",
    "lone surrogate": "\udcff\ud800",
    "10 MB": "\x1b" * 10_000_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_text_of_strangers_is_made_harmless_everywhere(name: str) -> None:
    text = HOSTILE[name]
    judgement = Judgement(
        "fail",
        text,
        found=text,
        evidence=(Evidence(text, text),),
        remedies=(text,),
        needed=text,
        why=text,
        subject=text,
    )
    finding = join(check("a.1"), judgement)
    one = finding.evidence[0]
    shown = (
        finding.summary,
        finding.found,
        finding.needed,
        finding.why,
        finding.subject,
        one.what,
        one.value,
    )
    for part in (*shown, *finding.remedies):
        assert part is not None
        assert part.isprintable()
        assert len(part) <= 800
    assert len(finding.summary) <= 200
    if name == "markup":
        assert finding.summary == text


def test_error_with_hostile_text() -> None:
    found, _ = run(
        check("a.1", raising(HostError("\x1b[31m\n" * 10_000))),
        check("a.2", says=raising(ValueError("\x1b"))),
    )
    for finding in found.values():
        assert finding.summary.isprintable()


def test_judgement_replaces_what_the_check_says() -> None:
    finding = join(
        check("a.1"), Judgement("warn", "s", severity="advice", needed="n", why="w", doc="d"), 1.2345
    )
    assert (finding.severity, finding.needed, finding.why, finding.doc) == ("advice", "n", "w", "d")
    assert finding.duration_ms == 1234
    finding = join(check("a.1"), PASS)
    assert (finding.severity, finding.needed, finding.why) == ("breaks", "needed", "why")
    assert finding.subject is None
    assert finding.step == "a"
    assert join(check("firewall.local"), PASS).step == "network"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (OSError(errno.EMFILE, "Too many open files", "fixes/config.py"), "unknown"),
        (OSError(errno.ENFILE, "Too many open files in system"), "unknown"),
        (RuntimeError("can't start new thread"), "unknown"),
        (OSError(errno.EBADF, "Bad file descriptor"), "crashed"),
        (RuntimeError("something else"), "crashed"),
    ],
)
def test_a_limit_of_this_user_is_no_mistake_of_ours(error: Exception, status: str) -> None:
    found, _events = run(check("a.source", raising(error)), check("a.judge", says=raising(error)))
    assert {one.status for one in found.values()} == {status}
