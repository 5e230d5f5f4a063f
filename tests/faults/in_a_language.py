"""What every check and fix says of disturbed machines in one language, without its sentences.

`python -m tests.faults.in_a_language LANGUAGE` writes it as JSON, in a process of its own: modules make their
sentences when they are imported.
"""

import json
import sys
import zlib
from collections.abc import Iterator
from typing import Any

from mailcow_wizard import language

if __name__ == "__main__":
    language.use(sys.argv[1])

from mailcow_wizard import fixes
from mailcow_wizard.engine import runner
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.errors import HostError
from mailcow_wizard.model import Check, Command, Edit, Judgement, Manual, Plan
from tests.answering import Every, Machine
from tests.faults.faults import fault, singles
from tests.fuzz.targets_door import machines

ONE_IN = 900
"""So many faults are left out for each that is tried."""


def _disturbed(machine: Machine) -> Iterator[tuple[str, list[Check], Facts]]:
    """The machine itself, then with all answers wrong, then with one: what is wrong, and who asks for it."""
    checks = list(machine.checks)
    yield "nothing", checks, machine.host().facts()
    for name in ("ENOENT", "EACCES", "timeout"):
        yield f"every {name}", checks, machine.host(Every(fault(name))).facts()
    for key, name in singles(machine):
        # Names that are made up anew in each run are asked for, too.
        if zlib.crc32(f"{key} {name}".encode()) % ONE_IN == 0:
            yield f"{name} {key}", list(machine.uses[key]), machine.host({key: fault(name)}).facts()


def _judged(one: Judgement) -> list[Any]:
    words = bool(one.summary), bool(one.found), len(one.remedies), len(one.evidence)
    offers = [fix._replace(title="") for fix in one.fixes]
    return [one.status, one.severity, one.certainty, one.subject, one.stops, one.doc, offers, words]


def _planned(check: Check, one: Judgement, facts: Facts) -> list[Any]:
    try:
        offers = fixes.offers(check.id, one, facts)
    except HostError as error:
        return [type(error).__name__]
    found: list[Any] = []
    for offer in offers:
        try:
            plan = offer.plan()
        except HostError as error:
            found.append([offer.fix.id, type(error).__name__])
        else:
            found.append([offer.fix._replace(title=""), _plain(plan)])
    return found


def _plain(plan: Plan) -> list[Any]:
    return [
        *(plan.fix, plan.risk, plan.reversible, plan.needs_root, plan.settle, plan.confirm),
        bool(plan.interrupts),
        [_step(one) for one in plan.steps],
    ]


def _step(step: Edit | Command | Manual) -> list[Any]:
    if isinstance(step, Edit):
        return [step.path, repr(step.before), repr(step.after), step.mode]
    if isinstance(step, Command):
        return [*step[:4], [proof.argv for proof in step.proofs]]
    return ["words"]


def said() -> dict[str, Any]:
    """By machine, what is wrong with it, and check."""
    found = {}
    for machine in machines():
        for wrong, checks, facts in _disturbed(machine):
            for check in checks:
                judged = runner.look(check, facts)
                found[f"{machine.name}: {wrong}: {check.id}"] = [
                    [*_judged(one), _planned(check, one, facts)] for one in judged
                ]
    return found


if __name__ == "__main__":
    json.dump(said(), sys.stdout)
