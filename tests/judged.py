"""One check over some facts, for tests of checks that have one judgement."""

from mailcow_wizard.engine import runner
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.model import Check, Judgement


def look(check: Check, facts: Facts) -> Judgement:
    """The only judgement, as the runner gets it."""
    (judgement,) = runner.look(check, facts)
    return judgement
