"""A check that nothing could be asked for has the subjects that its results have."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from fake_host import FakeHost

from mailcow_wizard.checks import all_checks
from mailcow_wizard.engine.runner import Run
from mailcow_wizard.facts.identity import hostname
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import NoAnswer
from mailcow_wizard.model import Check, Judgement, Settings

BY_ID = {one.id: one for one in all_checks()}
FAMILIES = ["v4", "v6"]
NAME = "mail.example.org"
DOMAINS = ["a.example", "b.example"]
SUBJECTS = {
    **dict.fromkeys(("outbound-25", "icmp", "recursion", "hairpin"), FAMILIES),
    **{name: [NAME] for name in ("a", "aaaa", "tlsa")},
    **dict.fromkeys(("mx", "autodiscover", "autoconfig", "spf", "dkim", "dmarc", "srv"), DOMAINS),
    **dict.fromkeys(("dnssec", "mta-sts"), DOMAINS),
}
GIVEN = Settings(hostname=NAME, domains=tuple(DOMAINS))


def subjects(check: Check, settings: Settings) -> list[str | None]:
    """What tells the results of a check apart, in order."""
    return [one.subject for one in Run((check,), Facts(FakeHost(), settings), lambda event: None).run()]


@pytest.mark.parametrize("name", SUBJECTS)
def test_what_offline_skips(name: str) -> None:
    check = next(one for id, one in BY_ID.items() if id in (f"dns.{name}", f"network.{name}"))
    assert subjects(check, GIVEN._replace(offline=True)) == SUBJECTS[name]


def fails(error: Exception) -> Callable[[Facts], Any]:
    """A source that ends with this."""

    def source(facts: Facts) -> Any:
        raise error

    return source


@pytest.mark.parametrize("error", [NoAnswer("nobody answers"), ValueError("a mistake of ours")])
def test_what_could_not_be_looked_at(error: Exception) -> None:
    check = BY_ID["dns.mx"]._replace(source=fails(error))
    assert subjects(check, GIVEN) == DOMAINS
    assert subjects(check, Settings(hostname=NAME)) == ["example.org"]
    assert subjects(BY_ID["dns.a"]._replace(source=fails(error)), Settings(hostname="vm")) == [None]
    assert subjects(BY_ID["docker.daemon"]._replace(source=fails(error)), GIVEN) == [None]


def test_what_hangs_is_not_waited_for_to_name_it() -> None:
    over = threading.Event()
    hanging = BY_ID["dns.a"]._replace(source=lambda facts: over.wait(30))
    late = Settings(saved_hostname=NAME, timeout=0.1)
    assert subjects(hanging, late) == [None]
    asked = hanging._replace(source=lambda facts: facts.get(hostname) and over.wait(30))
    assert subjects(asked, late) == [NAME]
    over.set()


def test_a_judgement_that_is_told_apart_already_stays() -> None:
    one = Judgement("unknown", "nobody answers", certainty="untested", subject="c.example")
    assert subjects(BY_ID["dns.mx"]._replace(source=lambda facts: 0, judge=lambda facts: one), GIVEN) == [
        "c.example"
    ]
