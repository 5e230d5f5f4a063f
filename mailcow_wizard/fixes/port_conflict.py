"""One port conflict as its plans see it."""

from __future__ import annotations

from mailcow_wizard.facts.blockers import Blocker
from mailcow_wizard.facts.ports import PortFacts
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.fixes.port_choices import Choice, Circumstances
from mailcow_wizard.model import Plan
from mailcow_wizard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from mailcow_wizard.model import PlanStep


class Conflict(NamedTuple):
    """A check that found its port taken, by whom, and what else was asked about it."""

    check: str
    subject: str | None
    port: PortFacts
    blockers: tuple[Blocker, ...]
    around: Circumstances
    facts: Facts

    def plan(
        self,
        choice: Choice,
        steps: tuple[PlanStep, ...],
        consequence: str,
        interrupts: str = "",
        settle: float = 0.0,
        reversible: bool | None = None,
    ) -> Plan:
        """A plan with the words and the price that were on offer."""
        return Plan(
            self.check,
            self.subject,
            choice.id,
            choice.title,
            steps,
            choice.risk,
            choice.reversible if reversible is None else reversible,
            True,
            consequence,
            interrupts,
            settle,
        )
