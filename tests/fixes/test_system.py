"""What is offered for short memory, in which order, and the lines in mailcow.conf."""

import pytest

from mailcow_wizard.checks.system import MEMORY
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.fixes import system
from mailcow_wizard.model import Edit, Judgement, Plan
from tests.fake_host import FakeHost
from tests.fixes.test_swap import GIB, machine
from tests.judged import look

CONF = "/opt/mailcow-dockerized/mailcow.conf"


def short(memory: float, conf: str | None = "SKIP_CLAMD=n\nSKIP_FTS=n\n", swaps: str = "") -> FakeHost:
    return machine(memory=int(memory * GIB), swaps=swaps, files={} if conf is None else {CONF: conf.encode()})


def ids(host: FakeHost) -> list[str]:
    return [fix.id for fix in look(MEMORY, Facts(host)).fixes]


def plan(host: FakeHost, fix: str) -> Plan:
    facts = Facts(host)
    found = system.offers("system.memory", Judgement("warn", ""), facts)
    return next(one.plan() for one in found if one.fix.id == fix)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        (short(2), ["skip-clamd", "swapfile", "skip-fts"]),
        (short(4), ["swapfile", "skip-fts", "skip-clamd"]),
        (short(0.5), ["skip-clamd", "swapfile", "skip-fts"]),
        (short(2, None), ["swapfile"]),
        (short(2, "SKIP_CLAMD=y\nSKIP_FTS=Y\n"), ["swapfile"]),
        (short(2, "SKIP_CLAMD=yes\nSKIP_FTS=YES\n"), ["swapfile"]),
        (short(2, ""), ["skip-clamd", "swapfile", "skip-fts"]),
        (short(4, None, "/dev/vda2 partition 8388604 0 -2\n"), []),
        (short(8), []),
    ],
)
def test_order(host: FakeHost, expected: list[str]) -> None:
    assert ids(host) == expected


def test_the_check_sees_what_is_left_out() -> None:
    with_all = look(MEMORY, Facts(short(2)))
    assert "SKIP_CLAMD=y" in " ".join(with_all.remedies)
    without = look(MEMORY, Facts(short(2, "SKIP_CLAMD=y\nSKIP_FTS=y\n")))
    assert without.status == "warn"
    assert without.summary.endswith("; left out: the virus scanner and the full-text search")
    assert "SKIP" not in " ".join(without.remedies)


def test_the_lines() -> None:
    made = plan(short(2), "skip-clamd")
    assert made.steps == (Edit(CONF, b"SKIP_CLAMD=n\nSKIP_FTS=n\n", b"SKIP_CLAMD=y\nSKIP_FTS=n\n", 0o600),)
    assert "viruses" in made.consequence
    assert made.title == "Leave out the virus scanner (SKIP_CLAMD=y)"


def test_the_older_name_of_the_search() -> None:
    made = plan(short(2, "SKIP_SOLR=n\n"), "skip-fts")
    assert made.steps[0] == Edit(CONF, b"SKIP_SOLR=n\n", b"SKIP_SOLR=y\n", 0o600)
    assert made.title == "Leave out the full-text search (SKIP_SOLR=y)"


def test_other_checks_have_none() -> None:
    assert system.offers("system.disk", Judgement("fail", ""), Facts(short(2))) == ()
    assert system.offers("system.swap", Judgement("unknown", ""), Facts(short(2))) == ()
