"""Keeps services that do not run from taking one of mailcow's ports at the next boot."""

from __future__ import annotations

from collections.abc import Collection

from mailcow_wizard.facts.ports import PortFacts
from mailcow_wizard.facts.store import Facts
from mailcow_wizard.facts.units import is_running
from mailcow_wizard.fixes import Offer
from mailcow_wizard.fixes.port_scripts import kept_off
from mailcow_wizard.fixes.port_units import stopped_besides, stopping
from mailcow_wizard.language import _
from mailcow_wizard.model import Fix, Judgement, Plan, Risk
from mailcow_wizard.sentences import capitalized

_FIX = "stop-service"


def offer(check: str, judgement: Judgement, port: PortFacts, besides: Collection[str], facts: Facts) -> Offer:
    """The plan is made when it is asked for. `besides` are units that run, and that systemd stops along with
    these. Raises HostError then."""
    names = _(" and ").join(port.returning)
    title = _("Keep {names} from starting with the machine", names=names)
    risk: Risk = "medium" if besides else "low"

    def plan() -> Plan:
        where = capitalized(port.binding.where)
        found = (stopping if is_running(facts) else kept_off)(facts, port.returning)
        return Plan(
            check,
            judgement.subject,
            _FIX,
            title,
            (*found.words, *found.commands),
            risk,
            found.reversible,
            True,
            _("{where} is mailcow's also after a restart of the machine.", where=where)
            if found.lasting
            else _("{where} is mailcow's until something starts {names} again.", where=where, names=names),
            stopped_besides([found]),
        )

    return Offer(Fix(_FIX, title, risk, True, True), plan)
