"""The recorded machine that ships with the wizard: up to date, complete, and a little of everything."""

import json

from mailcow_wizard.checks import all_checks
from mailcow_wizard.engine.runner import Run
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.host.recording.recorded import DEMO, load
from mailcow_wizard.model import Settings
from tests import demo_machine


def test_the_file_is_what_the_script_writes() -> None:
    with open(DEMO, encoding="utf-8") as file:
        assert json.load(file) == demo_machine.document(), "run: python -m tests.demo_machine"


def test_every_check_has_an_answer_and_every_common_state_is_there() -> None:
    recorded = load(DEMO)
    findings = Run(
        all_checks(), Facts(recorded, Settings(directory=recorded.directory)), lambda event: None
    ).run()
    assert {one.status for one in findings} == {"pass", "warn", "fail", "unknown", "skipped"}
    assert not [one.id for one in findings if "was not asked" in one.summary]
    # What was needed, found, and why it matters: each finding says it, a good one too.
    looked = [one for one in findings if one.status != "skipped"]
    assert not [one.id for one in looked if not (one.needed and one.found and one.why and one.doc)]
    # And how it is seen by hand.
    assert not [(one.id, one.subject) for one in looked if not one.evidence]
