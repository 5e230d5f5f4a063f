"""Keeps services that do not run from taking one of mailcow's ports at the next boot."""

from __future__ import annotations

from mailcow_wizard.facts.ports import PortFacts
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.fixes import Offer
from mailcow_wizard.fixes.port_units import stopping
from mailcow_wizard.language import _
from mailcow_wizard.model import Fix, Judgement, Plan

_FIX = "stop-service"


def offer(check: str, judgement: Judgement, port: PortFacts, facts: Facts) -> Offer:
    """The plan is made when it is asked for. Raises HostError then."""
    title = _("Keep {names} from starting with the machine", names=_(" and ").join(port.returning))

    def plan() -> Plan:
        where = port.binding.where
        found = stopping(facts, port.returning)
        return Plan(
            check,
            judgement.subject,
            _FIX,
            title,
            (*found.words, *found.commands),
            "low",
            found.reversible,
            True,
            _(
                "{where} is mailcow's also after a restart of the machine.",
                where=where[:1].upper() + where[1:],
            ),
        )

    return Offer(Fix(_FIX, title, "low", True, True), plan)
