"""Every class of hostile text, in every answer of the door, as every face shows what checks make of it."""

import html.parser
import itertools
import json
import random
import re
from collections.abc import Iterator
from typing import Any

import pytest

from mailcow_wizard.engine import runner
from mailcow_wizard.fixes import offers
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.model import Finding, Judgement
from mailcow_wizard.report import lines, monitoring
from mailcow_wizard.report.document import of_run
from mailcow_wizard.report.plan import of_fix, plan_lines
from mailcow_wizard.report.saved import as_text
from tests.answering import Machine
from tests.attacks.hostile import hostile
from tests.attacks.payloads import PAYLOADS, trouble
from tests.fuzz.targets_door import machines

pytestmark = pytest.mark.seeded
SAMPLE = 3

_LABELS = re.compile(r'mailcow_wizard_\w+(\{(\w+="([^"\\\n]|\\[\\"n])*",?)*\})? [-+.e\d]+')


def attacked(machine: Machine, key: str, payload: str, seed: int) -> Iterator[str]:
    """What is wrong with what is shown after this answer was made hostile."""
    host = machine.host({key: hostile(payload, random.Random(seed))})
    facts = host.facts()
    findings: list[Finding] = []
    for check in machine.uses[key]:
        for one in runner.look(check, facts):
            findings.append(runner.join(check, one))
            if one.status == "crashed":
                yield f"{check.id} crashed: {one.summary}"
            yield from _plans(check.id, one, facts)
    for face, said in _faces(findings):
        if said:
            yield f"{face}: {said}"


def _plans(check: str, judgement: Judgement, facts: Any) -> Iterator[str]:
    try:
        for offer in offers(check, judgement, facts) if judgement.status != "pass" else ():
            plan = offer.plan()
            for line in plan_lines(plan, colour=True):
                if said := trouble(line, lines=False, colour=True):
                    yield f"plan of {offer.fix.id}: {said}"
            document = of_fix(plan, False, None, None, "")
            if said := _json(json.dumps(document)):
                yield f"plan of {offer.fix.id} as JSON: {said}"
    except HostError:
        return


def _faces(findings: list[Finding]) -> Iterator[tuple[str, str]]:
    run = of_run("mail.example.org", 0.0, 1.0, findings)
    for one in findings:
        yield "plain", trouble(lines.plain(one), lines=False)
        for line in lines.coloured(one, colour=True):
            yield "terminal", trouble(line, lines=False, colour=True)
    for mask in (False, True):
        yield "json", _json(as_text(run, "json", mask))
        yield "markdown", trouble(as_text(run, "markdown", mask))
        yield "html", _html(as_text(run, "html", mask))
    text, _code = monitoring.nagios(findings)
    first, *rest = text.splitlines()
    yield "nagios", trouble(text) or ("a sign too many" if first.count("|") != 1 else "")
    yield "nagios", "data in a line" if any("|" in line for line in rest) else ""
    text = monitoring.prometheus(findings, 0.0, 1.0)
    yield (
        "prometheus",
        trouble(text)
        or next((line for line in text.splitlines() if line[:1] != "#" and not _LABELS.fullmatch(line)), ""),
    )


def _json(text: str) -> str:
    """ASCII, one line, and what its strings say is harmless, too."""
    if not (text.isascii() and text.rstrip("\n").isprintable()):
        return f"not plain ASCII: {text[:100]!a}"
    return next(filter(None, map(trouble, _strings(json.loads(text)))), "")


def _strings(said: Any) -> Iterator[str]:
    if isinstance(said, dict):
        yield from itertools.chain.from_iterable(map(_strings, said.values()))
    elif isinstance(said, list):
        yield from itertools.chain.from_iterable(map(_strings, said))
    elif isinstance(said, str):
        yield said


class _Page(html.parser.HTMLParser):
    KNOWN = frozenset(
        (
            *("html", "head", "meta", "title", "style", "body", "header", "h1", "h2", "h3", "p", "ul", "li"),
            *("span", "main", "section", "article", "code", "dl", "dt", "dd", "pre", "a", "details"),
            *("summary", "table", "tr", "td"),
        )
    )

    def __init__(self) -> None:
        super().__init__()
        self.wrong = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = {name for name, _ in attrs}
        links = [value or "" for name, value in attrs if name == "href"]
        if tag not in self.KNOWN or any(name[:2] == "on" or name == "src" for name in names):
            self.wrong = f"<{tag} {attrs}>"
        if any(not one.startswith("https://") or "evil" in one for one in links):
            self.wrong = f"a link to {links}"


def _html(text: str) -> str:
    page = _Page()
    page.feed(text)
    return trouble(text) or page.wrong


# A recorded address is looked at by the door, and the kernel's own is one.
_NO_TEXT = ("source_address", "contains", "info", "space", "running", "now")


def _cases(machine: Machine) -> list[tuple[str, str]]:
    keys = [key for key in sorted(machine.uses) if key.partition(" ")[0] not in _NO_TEXT]
    return list(itertools.product(keys, PAYLOADS))


@pytest.mark.parametrize("machine", machines(), ids=lambda one: one.name)
def test_some_answers(machine: Machine) -> None:
    chance = random.Random(machine.name)
    calls = sorted({key.partition(" ")[0] for key, _ in _cases(machine)})
    for call in calls:
        cases = [one for one in _cases(machine) if one[0].partition(" ")[0] == call]
        for key, payload in chance.sample(cases, min(len(cases), SAMPLE)):
            assert list(attacked(machine, key, PAYLOADS[payload], len(key))) == [], (key, payload)


@pytest.mark.long
@pytest.mark.parametrize("machine", machines(), ids=lambda one: one.name)
def test_every_answer(machine: Machine) -> None:
    wrong = {
        (key, payload): found
        for seed, (key, payload) in enumerate(_cases(machine))
        if (found := list(attacked(machine, key, PAYLOADS[payload], seed)))
    }
    assert wrong == {}


@pytest.mark.parametrize(
    "payload", ["C0", "CSI", "title", "lines", "overrides", "unseen", "a tower of marks"]
)
def test_the_gate_is_what_keeps_it_out(payload: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it the same payload is seen: it arrives, and the test looks."""
    monkeypatch.setattr(runner, "harmless", lambda text, limit=400: text)
    machine = machines()[0]
    keys = ("read /etc/os-release", "read /etc/resolv.conf", "uname", *sorted(machine.uses)[::-1])
    found = (
        one for key in keys if key in machine.uses for one in attacked(machine, key, PAYLOADS[payload], 1)
    )
    assert next(found, "")
