"""In which order checks begin: what waits longest first, and before others are even imported."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

from fake_host import FakeHost

from mailcow_wizard.engine.runner import Run
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.model import Check, Event, Finding, Judgement, Settings

PASS = Judgement("pass", "all right")


def check(
    name: str,
    network: bool = False,
    source: Callable[[Facts], Any] = lambda facts: None,
    says: Judgement = PASS,
    after: tuple[str, ...] = (),
) -> Check:
    """A check whose judge always says the same."""
    return Check(
        name,
        "title",
        "needed",
        "why",
        "https://example.org",
        "breaks",
        source,
        lambda facts: says,
        after,
        network,
    )


def run(
    *checks: Check, whole: Callable[[], Sequence[Check]] | None = None
) -> tuple[tuple[Finding, ...], list[str]]:
    """The findings, and the ids of the checks as they began."""
    begun: list[str] = []

    def hear(event: Event) -> None:
        if event.kind == "started":
            begun.append(event.check)

    return Run(checks, Facts(FakeHost(), Settings()), hear, whole=whole).run(), begun


def test_what_asks_the_network_begins_first_and_is_told_in_its_place() -> None:
    findings, begun = run(check("a.1"), check("a.2", True), check("b.1"), check("b.2", True))
    assert begun == ["a.2", "b.2", "a.1", "b.1"]
    assert [one.id for one in findings] == ["a.1", "a.2", "b.1", "b.2"]


def test_strangers_are_asked_before_servers_of_names() -> None:
    _findings, begun = run(check("dns.a", True), check("time.offset", True), check("ports.x"))
    assert begun == ["time.offset", "dns.a", "ports.x"]


def test_the_others_are_fetched_when_the_first_have_begun() -> None:
    asked = threading.Event()
    first = check("b.1", True, lambda facts: asked.set())

    def whole() -> list[Check]:
        assert asked.wait(5), "the first check waits for the others' import"
        return [check("a.1"), first, check("b.2", after=("b.1",))]

    findings, begun = run(first, whole=whole)
    assert [one.id for one in findings] == ["a.1", "b.1", "b.2"]
    assert begun == ["b.1", "a.1", "b.2"]


def test_what_failed_among_the_first_counts_for_the_others() -> None:
    first = check("b.1", True, says=Judgement("fail", "no"))
    findings, _begun = run(first, whole=lambda: [check("a.1", after=("b.1",)), first])
    assert [(one.id, one.status) for one in findings] == [("a.1", "skipped"), ("b.1", "fail")]
